/**
 * Login: the frames with which a client says who it is, and the answers. An account is a user name and a
 * password; a person is a user on a device. A login ends with its connection, its token only when it expires
 * or is revoked.
 */
import { type DecodeFault, utf8Bytes } from './message.ts';

/** A user name and a password: what an account is made of. */
export type Credentials = { readonly user: string; readonly password: string };

/** What a device has already; left out where it does not say. */
export type DevicePositions = {
  /** The highest number of its mailbox that it has; what is at most it counts as received. */
  readonly upTo?: number;
  /** The highest version of a receipt that it has. */
  readonly receiptsAfter?: number;
};

/** The frame `login`. */
export type Login = Credentials & DevicePositions & { readonly device: string };

/** The frame `login_ack`: the answer to `login`, and to a token at the upgrade. */
export type LoginAck =
  | {
      readonly result: 'ok';
      readonly user: string;
      /** Logs in again without the password, as `?login=`. Only after a frame `login`. */
      readonly token?: string;
      /** Messages that wait for this device. */
      readonly waiting: number;
    }
  | { readonly result: 'fail' }
  /** `retryAfterMs`: another attempt makes sense then. */
  | { readonly result: 'busy'; readonly retryAfterMs: number };

/** Chosen: short enough for hashing, and for every key in a store. */
export const passwordBytesMin = 8;
export const passwordBytesMax = 256;

export const userRule = '1 to 32 of a-z0-9_-';
export const deviceRule = '1 to 32 of A-Za-z0-9_.-';
export const passwordRule = `${passwordBytesMin} to ${passwordBytesMax} bytes of UTF-8`;

const userPattern = /^[a-z0-9_-]{1,32}$/;
const devicePattern = /^[A-Za-z0-9_.-]{1,32}$/;
/** 256 bits in base64url. */
const tokenPattern = /^[A-Za-z0-9_-]{43}$/;

/** True for a name that a user can have: 1 to 32 of `a-z0-9_-`. */
export function isUserName(value: unknown): value is string {
  return typeof value === 'string' && userPattern.test(value);
}

/** True for a name that a device can have: 1 to 32 of `A-Za-z0-9_.-`. */
export function isDeviceName(value: unknown): value is string {
  return typeof value === 'string' && devicePattern.test(value);
}

/** True for a text of the form of a token of a login. */
export function isLoginToken(value: unknown): value is string {
  return typeof value === 'string' && tokenPattern.test(value);
}

/** True for a position in a mailbox, or a version of a receipt: a whole number from 0. */
export function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Reads a user name and a password out of an object; unknown fields are ignored. Never throws. */
export function parseCredentials(value: Readonly<Record<string, unknown>>): Credentials | DecodeFault {
  const { user, password } = value;
  if (!isUserName(user)) return malformed(`user must be ${userRule}`);
  if (typeof password !== 'string' || !fitsPassword(password))
    return malformed(`password must be ${passwordRule}`);
  return { user, password };
}

/** Reads the object of a frame `login`; unknown fields are ignored. Never throws. */
export function parseLogin(value: Readonly<Record<string, unknown>>): Login | DecodeFault {
  const credentials = parseCredentials(value);
  if ('fault' in credentials) return credentials;
  const { device } = value;
  if (!isDeviceName(device)) return malformed(`device must be ${deviceRule}`);
  const positions = parsePositions(value);
  return 'fault' in positions ? positions : { ...credentials, device, ...positions };
}

/** Reads `upTo` and `receiptsAfter`, each of which may be left out. Never throws. */
export function parsePositions(value: Readonly<Record<string, unknown>>): DevicePositions | DecodeFault {
  const { upTo, receiptsAfter } = value;
  if (upTo !== undefined && !isPosition(upTo)) return malformed('upTo must be a whole number from 0');
  if (receiptsAfter !== undefined && !isPosition(receiptsAfter))
    return malformed('receiptsAfter must be a whole number from 0');
  return { ...(upTo !== undefined && { upTo }), ...(receiptsAfter !== undefined && { receiptsAfter }) };
}

/** The frame `login` as JSON. */
export function encodeLogin({ user, password, device, upTo, receiptsAfter }: Login): string {
  return JSON.stringify({ type: 'login', user, password, device, upTo, receiptsAfter });
}

/** The frame `logout` as JSON: it revokes the token of this login, and the server closes the connection. */
export function encodeLogout(): string {
  return '{"type":"logout"}';
}

/** The frame `login_ack` as JSON. */
export function encodeLoginAck(ack: LoginAck): string {
  return JSON.stringify({ type: 'login_ack', ...ack });
}

/** Reads the text of a frame; undefined where it is no frame `login_ack`. Never throws. */
export function parseLoginAck(text: string): LoginAck | undefined {
  if (!text.startsWith('{"type":"login_ack"')) return undefined;
  let value: Record<string, unknown>;
  try {
    value = Object(JSON.parse(text));
  } catch {
    return undefined;
  }
  const { result, user, token, waiting, retryAfterMs } = value;
  if (result === 'fail') return { result };
  if (result === 'busy') return { result, retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : 0 };
  if (result !== 'ok' || !isUserName(user)) return undefined;
  const known = typeof waiting === 'number' ? waiting : 0;
  return { result, user, ...(isLoginToken(token) && { token }), waiting: known };
}

/** A character of UTF-16 takes at least a byte, so a long text is refused without counting. */
function fitsPassword(password: string): boolean {
  if (password.length > passwordBytesMax) return false;
  const bytes = utf8Bytes(password);
  return bytes >= passwordBytesMin && bytes <= passwordBytesMax;
}

function malformed(detail: string): DecodeFault {
  return { fault: 'malformed', detail };
}
