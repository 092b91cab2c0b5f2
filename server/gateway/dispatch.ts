/**
 * Dispatch: brings each frame of a session to its handler. Every stage takes chat messages; a stage may
 * take typed messages (`{"type": …}`) too. Any other frame costs its sender the connection.
 */
import { performance } from 'node:perf_hooks';
import { size, time } from '#host/units.ts';
import { closeCode, type DecodeFault, isDecodeFault, readMessage } from '#protocol';
import type { Chat } from '../chat/chat.ts';
import type { Metrics } from '../ops/metrics.ts';
import { group, limit, type ValuesOf } from '../settings.ts';
import type { Backpressure } from './backpressure.ts';
import type { Session, sessionSettings } from './session.ts';

/** The bounds are chosen, not measured. */
export const messageSettings = group('Messages', {
  clientIdCharsMax: limit(1, 4096, 64, 'longest clientId in characters'),
  messageBytesMax: limit(1, 1024 * 1024, 4096, 'longest Message as UTF-8', size),
  fragmentsMax: limit(1, 16_384, 64, 'fragments in which one message may come'),
  messageTimeoutMs: limit(100, 600_000, 10_000, 'time from the first byte of a message to its last', time),
});

type Limits = ValuesOf<typeof messageSettings | typeof sessionSettings>;

/** Takes one typed message, the object that was in its frame; it may close the session. */
export type TypedMessageHandler = (session: Session, value: Readonly<Record<string, unknown>>) => void;

/** The typed messages that a stage takes: a handler for each value of `type`. */
export type TypedMessageHandlers = ReadonlyMap<unknown, TypedMessageHandler>;

type Parts = { chat: Chat; metrics: Metrics; backpressure: Backpressure<Session> };

/** Makes the function that takes each frame as ws delivers it. */
export function createDispatch(
  { chat, metrics, backpressure }: Parts,
  limits: Limits,
  handlers: TypedMessageHandlers,
) {
  /** Brings a frame that is no chat message to the handler of its type, where there is one. */
  const takeTyped = (session: Session, value: unknown, { fault, detail }: DecodeFault): void => {
    if (fault === 'too-large') return session.close(closeCode.tooLarge, detail);
    const handler = handlers.get(Object(value).type);
    if (handler) handler(session, value as Record<string, unknown>);
    else session.close(closeCode.malformed, detail);
  };

  return (session: Session, data: Buffer, isBinary: boolean): void => {
    if (!session.open) return; // It came after our close frame: the connection is over for both sides.
    session.alive = true;
    if (isBinary) return session.close(closeCode.unsupportedData, 'send text, not binary');
    if (!session.allows(performance.now())) {
      const reason = `more than ${limits.messagesPerSecondMax} messages per second`;
      metrics.evictions.inc({ reason: 'message_rate' });
      return session.close(closeCode.policy, reason);
    }
    let value: unknown;
    try {
      value = JSON.parse(data.toString());
    } catch {
      return session.close(closeCode.malformed, 'not JSON');
    }
    const message = readMessage(value, limits);
    if (isDecodeFault(message)) return takeTyped(session, value, message);
    if (!session.joined) return session.close(closeCode.policy, 'log in first');
    if (session.person && session.person.user !== message.clientId)
      return session.close(closeCode.policy, 'clientId must be the user who is logged in');
    if (!chat.publish(session.member, message)) return session.close(closeCode.overload, 'try again later');
    metrics.messagesReceived.inc();
    if (chat.congested && backpressure.hold(session)) metrics.senderPauses.inc();
  };
}
