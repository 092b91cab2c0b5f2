/** Connections that take nothing while they are stalled, for tests of the fan-out. */
import { createMetrics } from '../ops/metrics.ts';
import { CursorFanOut } from './fan-out.ts';
import { type Connection, Member } from './member.ts';

/** A connection whose kernel buffer can be full: while stalled it takes nothing and calls no callback. */
export class FakeConnection implements Connection {
  open = true;
  alive = true;
  stalled = false;
  received = '';
  closedWith = 0;
  #queue: { text: string; callback?: () => void }[] = [];

  get bufferedBytes(): number {
    return this.#queue.reduce((total, { text }) => total + text.length, 0);
  }

  write(bytes: Buffer): void {
    this.#queue.push({ text: bytes.toString('latin1') });
    if (!this.stalled) this.flush();
  }

  whenWritten(callback: () => void): void {
    this.#queue.push({ text: '', callback });
    if (!this.stalled) this.flush();
  }

  sendText(_payload: string | Buffer): void {
    throw new Error('the cursor fan-out frames by itself');
  }

  close(code: number): void {
    this.closedWith = code;
    this.open = false;
  }

  flush(): void {
    this.stalled = false;
    for (const { text, callback } of this.#queue.splice(0)) {
      this.received += text;
      if (callback) process.nextTick(callback);
    }
  }

  /** Payloads received so far; every payload of these tests is shorter than 126 bytes. */
  get payloads(): string[] {
    const texts: string[] = [];
    for (let at = 0; at < this.received.length; ) {
      const length = this.received.charCodeAt(at + 1);
      texts.push(this.received.slice(at + 2, at + 2 + length));
      at += 2 + length;
    }
    return texts;
  }
}

/** Segments of 4 KiB; everything else does not matter for most tests. */
export const options = {
  segmentBytes: 4096,
  segmentsBehindMax: 1000,
  logBytesMax: 1024 ** 3,
  fanOutSliceMs: 1,
  fanOutIntervalMs: 0,
  roomsMax: 10,
};

/** A fan-out, and a function that lets a new connection into a room. */
export function setUp(overrides: Partial<typeof options> = {}) {
  const metrics = createMetrics('test', { sessions: () => 0, rooms: () => 0, waiting: () => 0 });
  const fanOut = new CursorFanOut({ ...options, ...overrides }, metrics);
  const enter = (room: string) => {
    const connection = new FakeConnection();
    const member = new Member(connection, room);
    return { connection, member, noPlace: fanOut.join(member) };
  };
  return { metrics, fanOut, enter };
}
