/**
 * Resume: how a client that was away says where it had come to, and how the server answers.
 *
 * A client joins with `?after=<epoch>.<offset>` (empty at its first join). It is told its position by one
 * typed frame, `joined`; each message frame after it adds one to the offset.
 */

/** A place in the log of one room. */
export type Position = {
  /** Names one life of the log: offsets of different epochs cannot be compared. */
  readonly epoch: string;
  /** Messages of the room before this place, since the epoch began. */
  readonly offset: number;
};

/** What a client is told first when it has joined with `?after=`. */
export type Joined = Position & {
  readonly room: string;
  /** True: everything since the position that the client named follows. False: what comes is new. */
  readonly recovered: boolean;
};

/** An epoch: 1 to 64 characters. */
const positionPattern = /^([A-Za-z0-9_-]{1,64})\.(0|[1-9]\d{0,15})$/;

/** A position as the value of `?after=`. */
export function encodePosition({ epoch, offset }: Position): string {
  return `${epoch}.${offset}`;
}

/** Reads a position; undefined where the text is none. */
export function parsePosition(text: string): Position | undefined {
  const [, epoch, digits] = positionPattern.exec(text) ?? [];
  const offset = Number(digits);
  return epoch !== undefined && Number.isSafeInteger(offset) ? { epoch, offset } : undefined;
}

/** The frame `joined` as JSON. */
export function encodeJoined({ room, epoch, offset, recovered }: Joined): string {
  return JSON.stringify({ type: 'joined', room, epoch, offset, recovered });
}

/** Reads the text of a frame; undefined where it is no frame `joined`. Never throws. */
export function parseJoined(text: string): Joined | undefined {
  if (!text.startsWith('{"type":"joined"')) return undefined;
  let value: Record<string, unknown>;
  try {
    value = Object(JSON.parse(text));
  } catch {
    return undefined;
  }
  const { room, epoch, offset, recovered } = value;
  if (typeof room !== 'string' || typeof recovered !== 'boolean') return undefined;
  const position = parsePosition(`${epoch}.${offset}`);
  return position && { ...position, room, recovered };
}
