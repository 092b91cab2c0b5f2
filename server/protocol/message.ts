/** The chat message: its fields, its limits, and its conversion to JSON and back. */

export type ChatMessage = { readonly clientId: string; readonly Message: string };

export type MessageLimits = {
  /** Longest clientId, in UTF-16 code units. */
  readonly clientIdCharsMax: number;
  /** Longest Message, in bytes of UTF-8. */
  readonly messageBytesMax: number;
};

export const defaultMessageLimits: MessageLimits = { clientIdCharsMax: 64, messageBytesMax: 4096 };

/** Why a frame is refused. The server answers `malformed` with 1007 and `too-large` with 1009. */
export type DecodeFault = { readonly fault: 'malformed' | 'too-large'; readonly detail: string };

/** A message as JSON. It holds the two fields and no other. */
export function encodeMessage(message: ChatMessage): string {
  return `{"clientId":${JSON.stringify(message.clientId)},"Message":${JSON.stringify(message.Message)}}`;
}

/** Reads the text of one frame. It returns a fault and never throws: bad input is expected in operation. */
export function decodeMessage(text: string, limits: MessageLimits): ChatMessage | DecodeFault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: 'malformed', detail: 'not JSON' };
  }
  return readMessage(value, limits);
}

/** The same for what JSON.parse has made of a frame. */
export function readMessage(value: unknown, limits: MessageLimits): ChatMessage | DecodeFault {
  if (typeof value !== 'object' || value === null) return { fault: 'malformed', detail: 'not a JSON object' };
  const { clientId, Message } = value as Record<string, unknown>;
  if (typeof clientId !== 'string' || typeof Message !== 'string') {
    return { fault: 'malformed', detail: 'clientId and Message must both be strings' };
  }
  if (clientId.length < 1 || clientId.length > limits.clientIdCharsMax) {
    return { fault: 'malformed', detail: `clientId must have 1 to ${limits.clientIdCharsMax} characters` };
  }
  if (!fitsUtf8(Message, limits.messageBytesMax)) {
    return { fault: 'too-large', detail: `Message must be at most ${limits.messageBytesMax} bytes of UTF-8` };
  }
  return { clientId, Message };
}

/** True for a fault that a function which reads frames returned. */
export function isDecodeFault(value: object): value is DecodeFault {
  return 'fault' in value;
}

/** The bytes of a text in UTF-8. A surrogate without its partner becomes U+FFFD, which takes three bytes. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += 1;
    if (unit < 0x800) continue;
    if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) index += 1;
    bytes += 1;
  }
  return bytes;
}

/** A UTF-16 code unit takes one to three bytes, so only a text between those bounds must be counted. */
function fitsUtf8(text: string, bytesMax: number): boolean {
  return text.length * 3 <= bytesMax || (text.length <= bytesMax && utf8Bytes(text) <= bytesMax);
}

/**
 * The largest frame payload that can hold a message within the limits, in bytes: JSON may write each byte of
 * a string as a six-byte escape (`\u0001`), and 256 bytes are left for the field names and white space.
 */
export function framePayloadBytesMax(limits: MessageLimits): number {
  return 6 * (limits.clientIdCharsMax + limits.messageBytesMax) + 256;
}
