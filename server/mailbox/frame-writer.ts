/** Hot path. Frames for people: all that a session gets in one turn of the event loop is one write. */
import type { PersonSession } from '../accounts/person.ts';
import { oncePerTurn } from '../backplane/timing.ts';
import { frameHeaderBytes, writeTextFrameHeader } from '../chat/frame.ts';

type Receiver = Pick<PersonSession, 'open' | 'write'>;

export class FrameWriter {
  #texts = new Map<Receiver, string[]>();
  readonly #flushSoon = oncePerTurn(() => this.flush());

  /** Takes the text of a frame. It is dropped where the session has begun to close by then. */
  send(session: Receiver, text: string): void {
    const texts = this.#texts.get(session);
    if (texts) texts.push(text);
    else this.#texts.set(session, [text]);
    this.#flushSoon();
  }

  /** Writes all that waits now. */
  flush(): void {
    const all = this.#texts;
    // A new one, because a map that is cleared makes a new table, to which the old one refers: once a table
    // is in the old generation, all that passes through the next ones is kept until a full collection.
    this.#texts = new Map();
    for (const [session, texts] of all) if (session.open) session.write(framed(texts));
  }
}

function framed(texts: readonly string[]): Buffer {
  let bytes = 0;
  for (const text of texts) {
    const payloadBytes = Buffer.byteLength(text);
    bytes += frameHeaderBytes(payloadBytes) + payloadBytes;
  }
  const frames = Buffer.allocUnsafe(bytes);
  let offset = 0;
  for (const text of texts) {
    offset = writeTextFrameHeader(frames, offset, Buffer.byteLength(text));
    offset += frames.write(text, offset);
  }
  return frames;
}
