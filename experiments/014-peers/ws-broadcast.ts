/**
 * The chat on `ws` with the loop of its README (“Server broadcast”): a message is encoded once, and sent to
 * each client that is open, the sender among them.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeMessage, defaultMessageLimits, encodeMessage, isDecodeFault, roomOfPath } from '#protocol';
import { announce } from './announce.ts';

const rooms = new Map<string, Set<WebSocket>>();
const server = new WebSocketServer({ host: process.env.CHAT_HOST, port: Number(process.env.CHAT_PORT) });

server.on('connection', (session, request) => {
  const room = roomOfPath(request.url ?? '');
  if (room === undefined) return session.close(1008, 'Join a room at /ws or /ws/<room>.');
  const clients = rooms.get(room) ?? new Set();
  rooms.set(room, clients.add(session));
  session.on('error', console.error);
  session.on('close', () => clients.delete(session) && clients.size === 0 && rooms.delete(room));
  session.on('message', (data) => {
    const message = decodeMessage(data.toString(), defaultMessageLimits);
    if (isDecodeFault(message)) return session.close(1007, message.detail);
    const encoded = Buffer.from(encodeMessage(message));
    for (const client of clients) {
      if (client.readyState === WebSocket.OPEN) client.send(encoded, { binary: false });
    }
  });
});
await once(server, 'listening');
announce((server.address() as AddressInfo).port);
