/** The chat message: what it holds, its bounds, and its two conversions. */

export type ChatMessage = { readonly clientId: string; readonly Message: string };

export type MessageLimits = {
  /** Longest clientId, in UTF-16 code units. */
  readonly clientIdCharsMax: number;
  /** Longest Message, in bytes of UTF-8. */
  readonly messageBytesMax: number;
};

export const defaultMessageLimits: MessageLimits = { clientIdCharsMax: 64, messageBytesMax: 4096 };

/** Why a frame was refused; each is answered with the close code that `closeCodeOf` names. */
export type DecodeFault = { readonly fault: 'malformed' | 'too-large'; readonly detail: string };

/** The one JSON form of a message; fields other than the two never pass. */
export function encodeMessage(message: ChatMessage): string {
  return `{"clientId":${JSON.stringify(message.clientId)},"Message":${JSON.stringify(message.Message)}}`;
}

/** Reads the text of one frame; returns a fault instead of throwing, because bad input is expected in operation. */
export function decodeMessage(text: string, limits: MessageLimits): ChatMessage | DecodeFault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: 'malformed', detail: 'not JSON' };
  }
  if (typeof value !== 'object' || value === null) return { fault: 'malformed', detail: 'not a JSON object' };
  const { clientId, Message } = value as Record<string, unknown>;
  if (typeof clientId !== 'string' || typeof Message !== 'string') {
    return { fault: 'malformed', detail: 'clientId and Message must both be strings' };
  }
  if (clientId.length < 1 || clientId.length > limits.clientIdCharsMax) {
    return { fault: 'malformed', detail: `clientId must have 1 to ${limits.clientIdCharsMax} characters` };
  }
  // Three bytes is the most that one UTF-16 code unit can take, so short messages need no counting.
  if (Message.length * 3 > limits.messageBytesMax && Buffer.byteLength(Message) > limits.messageBytesMax) {
    return { fault: 'too-large', detail: `Message must be at most ${limits.messageBytesMax} bytes of UTF-8` };
  }
  return { clientId, Message };
}

/** True for the refusal of `decodeMessage`. */
export function isDecodeFault(value: ChatMessage | DecodeFault): value is DecodeFault {
  return 'fault' in value;
}

/**
 * The largest frame payload that can hold a message within the limits, in bytes: JSON may write each byte of a
 * string as a six-byte escape (`\u0001`), and 256 bytes are left for the field names and white space.
 */
export function framePayloadBytesMax(limits: MessageLimits): number {
  return 6 * (limits.clientIdCharsMax + limits.messageBytesMax) + 256;
}
