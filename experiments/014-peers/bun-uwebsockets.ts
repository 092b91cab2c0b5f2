/**
 * The chat on uWebSockets as Bun ships it. It follows https://bun.com/docs/guides/websocket/pubsub: a session
 * subscribes to the topic of its room, and `server.publish` sends to the subscribers, the sender among them.
 */
import { decodeMessage, defaultMessageLimits, encodeMessage, isDecodeFault, roomOfPath } from '#protocol';
import { announce } from './announce.ts';

const server = Bun.serve<{ topic: string }>({
  hostname: process.env.CHAT_HOST,
  port: process.env.CHAT_PORT,
  fetch(request, server) {
    const topic = new URL(request.url).pathname;
    if (roomOfPath(topic) !== undefined && server.upgrade(request, { data: { topic } })) return undefined;
    return new Response('Join a room at /ws or /ws/<room>.', { status: 404 });
  },
  websocket: {
    open(session) {
      session.subscribe(session.data.topic);
    },
    message(session, frame) {
      const message = decodeMessage(frame.toString(), defaultMessageLimits);
      if (isDecodeFault(message)) session.close(1007, message.detail);
      else server.publish(session.data.topic, encodeMessage(message));
    },
  },
});
announce(server.port);
