/**
 * Messages from person to person, their receipts, and presence: typed frames of people who are logged in.
 *
 * A mailbox is a log: each message in it has a `seq`, 1 and up. A device is a cursor in it: it says with
 * `received` how far it has come, and gets at most a page of messages beyond that. A receipt tells the sender
 * how far the other person has come, as a `seq` in the mailbox of that person.
 */
import { isPosition, isUserName, userRule } from './login.ts';
import { type DecodeFault, type MessageLimits, utf8Bytes } from './message.ts';

/** Frames of the client. */
export type DirectClientFrame =
  | { readonly type: 'message'; readonly to: string; readonly id: string; readonly Message: string }
  | { readonly type: 'received'; readonly upTo: number }
  | { readonly type: 'read'; readonly peer: string; readonly upTo: number }
  | { readonly type: 'presence'; readonly to: string; readonly state: 'typing' }
  | { readonly type: 'watch'; readonly users: readonly string[] };

/** Frames of the client by the value of `type`. */
export type DirectFrameOf<T extends DirectClientFrame['type']> = Extract<DirectClientFrame, { type: T }>;

/**
 * What became of a message: `ok`, it is stored under `seq` · `full`, the mailbox takes no more · `unknown`,
 * there is no such person · `busy`, perhaps not stored: send it again with the same id.
 */
export type AckResult = 'ok' | 'full' | 'unknown' | 'busy';

/** The answer to a message. */
export type ServerAck = {
  readonly type: 'server_ack';
  readonly id: string;
  readonly to: string;
  readonly result: AckResult;
  /** Only with `ok`: the place in the mailbox of `to`; the same again for the same id. */
  readonly seq?: number;
};

/** A message from a mailbox. */
export type DirectMessage = {
  readonly type: 'message';
  readonly from: string;
  readonly id: string;
  readonly seq: number;
  readonly Message: string;
  readonly sentAtMs: number;
};

/** These messages are gone, and this device has never received them. */
export type Gap = { readonly type: 'gap'; readonly from: number; readonly to: number };

/** How far a person has received or read what this user has sent: up to a `seq` in the mailbox of `by`. */
export type Receipt = {
  readonly type: 'received' | 'read';
  readonly by: string;
  readonly upTo: number;
  /** Rises; the highest one is `receiptsAfter` of the next login. */
  readonly version: number;
};

export type PresenceState = 'online' | 'away';

/** Somebody is typing to this user; or people that this user watches have come or gone. */
export type Presence =
  | { readonly type: 'presence'; readonly from: string; readonly state: 'typing' }
  | { readonly type: 'presence'; readonly users: Readonly<Record<string, PresenceState>> };

/** Frames of the server. */
export type DirectServerFrame = ServerAck | DirectMessage | Gap | Receipt | Presence;

/** People that one session may watch at a time. */
export const watchedMax = 100;

/** Messages that are on their way to one device at a time: more follow when it says `received`. */
export const windowMessages = 100;

/** Neither control characters nor half of a surrogate pair, which UTF-8 cannot write. */
const idPattern = /^[^\p{Cc}\p{Cs}]{1,64}$/u;
const ackResults: readonly unknown[] = ['ok', 'full', 'unknown', 'busy'] satisfies AckResult[];

type Value = Readonly<Record<string, unknown>>;

const malformed = (detail: string): DecodeFault => ({ fault: 'malformed', detail });

/** Reads a `message` of a client; `messageBytesMax` in bytes of UTF-8. Returns a fault, never throws. */
export function parseSend(
  { to, id, Message }: Value,
  { messageBytesMax }: Pick<MessageLimits, 'messageBytesMax'>,
): DirectFrameOf<'message'> | DecodeFault {
  if (!isUserName(to)) return malformed(`to must be ${userRule}`);
  if (typeof id !== 'string' || !idPattern.test(id))
    return malformed('id must be 1 to 64 characters without control characters');
  if (typeof Message !== 'string') return malformed('Message must be a string');
  if (Message.length * 3 > messageBytesMax && utf8Bytes(Message) > messageBytesMax)
    return { fault: 'too-large', detail: `Message must be at most ${messageBytesMax} bytes of UTF-8` };
  return { type: 'message', to, id, Message };
}

/** Reads a `received` of a client. Returns a fault, never throws. */
export function parseReceived({ upTo }: Value): DirectFrameOf<'received'> | DecodeFault {
  return isPosition(upTo) ? { type: 'received', upTo } : malformed(countRule('upTo'));
}

/** Reads a `read` of a client. Returns a fault, never throws. */
export function parseRead({ peer, upTo }: Value): DirectFrameOf<'read'> | DecodeFault {
  if (!isUserName(peer)) return malformed(`peer must be ${userRule}`);
  return isPosition(upTo) ? { type: 'read', peer, upTo } : malformed(countRule('upTo'));
}

/** Reads a `presence` of a client. Returns a fault, never throws. */
export function parseTyping({ to, state }: Value): DirectFrameOf<'presence'> | DecodeFault {
  if (!isUserName(to)) return malformed(`to must be ${userRule}`);
  return state === 'typing' ? { type: 'presence', to, state } : malformed('state must be "typing"');
}

/** Reads a `watch` of a client. Returns a fault, never throws. */
export function parseWatch({ users }: Value): DirectFrameOf<'watch'> | DecodeFault {
  if (!Array.isArray(users) || users.length > watchedMax)
    return malformed(`users must be a list of at most ${watchedMax}`);
  if (!users.every(isUserName)) return malformed(`each of users must be ${userRule}`);
  return { type: 'watch', users };
}

/**
 * Reads the object of a frame from the server, for a client; undefined where it is none of these. Fields that
 * this version does not know are left out. Never throws.
 */
export function readDirectFrame(value: Value): DirectServerFrame | undefined {
  switch (value.type) {
    case 'server_ack':
      return readAck(value);
    case 'message':
      return readMessage(value);
    case 'gap': {
      const { from, to } = value;
      return isPosition(from) && isPosition(to) ? { type: 'gap', from, to } : undefined;
    }
    case 'received':
    case 'read': {
      const { type, by, upTo, version } = value;
      if (typeof by !== 'string' || !isPosition(upTo) || !isPosition(version)) return undefined;
      return { type, by, upTo, version };
    }
    case 'presence':
      return readPresence(value);
    default:
      return undefined;
  }
}

function readAck({ id, to, result, seq }: Value): ServerAck | undefined {
  if (typeof id !== 'string' || typeof to !== 'string' || !ackResults.includes(result)) return undefined;
  const ack = { type: 'server_ack', id, to, result: result as AckResult } as const;
  if (result !== 'ok') return ack;
  return isPosition(seq) ? { ...ack, seq } : undefined;
}

function readMessage({ from, id, seq, Message, sentAtMs }: Value): DirectMessage | undefined {
  if (typeof from !== 'string' || typeof id !== 'string' || typeof Message !== 'string') return undefined;
  if (!isPosition(seq) || typeof sentAtMs !== 'number') return undefined;
  return { type: 'message', from, id, seq, Message, sentAtMs };
}

function readPresence({ from, state, users }: Value): Presence | undefined {
  if (typeof from === 'string') return state === 'typing' ? { type: 'presence', from, state } : undefined;
  if (typeof users !== 'object' || users === null) return undefined;
  const states = Object.entries(users).filter(([, one]) => one === 'online' || one === 'away');
  return { type: 'presence', users: Object.fromEntries(states) };
}

const countRule = (name: string) => `${name} must be a whole number from 0`;
