/** Reads WebSocket frames (RFC 6455, section 5) from a server's bytes, without a copy. Hot path. */
import { opcode } from './opcode.ts';

/** Receives the content of a stream. The ranges are valid only during the call. */
export type FrameSink = {
  /** One message. `frameAt` is where its frame begins, or −1 if it was sent in fragments. */
  message(bytes: Buffer, frameAt: number, payloadAt: number, end: number, isText: boolean): void;
  ping(bytes: Buffer, start: number, end: number): void;
  /** The server closes; 1005 if it gave no code. */
  close(code: number, reason: string): void;
  /** The stream broke the protocol here. Nothing after it is read. */
  fault(detail: string): void;
};

/**
 * Fragments of one message at most. A server that means well sends kilobytes in each; without a bound, one
 * could send empty ones for ever. Chosen, not measured.
 */
export const fragmentsMax = 4096;
/** First size of the buffer that they are joined in. Chosen, not measured. */
const joinedBytesMin = 256;

/** The scanner of one connection. A message of more than `messageBytesMax` bytes is a fault. */
export class FrameScanner {
  readonly #messageBytesMax: number;
  /** The bytes so far of a frame that is not complete. */
  #carry: Buffer | null = null;
  #carriedBytes = 0;
  /** The payload so far of a message that is sent in fragments. */
  #joined: Buffer | null = null;
  #joinedBytes = 0;
  #fragments = 0;
  #fragmentsText = false;
  #ended = false;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** True between messages: the next byte begins a frame. */
  get idle(): boolean {
    return this.#carry === null && this.#joined === null && !this.#ended;
  }

  /** Continues in the middle of a frame whose first bytes are given. Call it only when idle. */
  resume(bytes: Buffer, start: number, end: number): void {
    this.#carryOver(bytes, start, end, end - start);
  }

  /** Reads one frame and returns the offset after it; `end` if the frame continues in the next chunk. */
  next(bytes: Buffer, at: number, end: number, sink: FrameSink): number {
    if (this.#ended) return end;
    if (this.#carry !== null) return this.#complete(bytes, at, end, sink);
    const needed = frameBytes(bytes, at, end - at);
    if (needed <= end - at) {
      this.#take(bytes, at, at + needed, sink);
      return at + needed;
    }
    if (!this.#isBroken(bytes, at, end - at, sink)) this.#carryOver(bytes, at, end, needed);
    return end;
  }

  #complete(bytes: Buffer, at: number, end: number, sink: FrameSink): number {
    for (;;) {
      const carry = this.#carry!;
      const needed = frameBytes(carry, 0, this.#carriedBytes);
      if (needed === this.#carriedBytes) {
        this.#carry = null;
        this.#take(carry, 0, needed, sink);
        return at;
      }
      if (this.#isBroken(carry, 0, this.#carriedBytes, sink) || at === end) return end;
      const size = Math.min(needed - this.#carriedBytes, end - at);
      if (carry.length < needed) {
        this.#carry = Buffer.allocUnsafeSlow(needed);
        carry.copy(this.#carry, 0, 0, this.#carriedBytes);
      }
      bytes.copy(this.#carry!, this.#carriedBytes, at, at + size);
      this.#carriedBytes += size;
      at += size;
    }
  }

  #carryOver(bytes: Buffer, start: number, end: number, capacity: number): void {
    // Not from Node's pool: a carry that stays would hold 8 kB of the pool.
    this.#carry = Buffer.allocUnsafeSlow(capacity);
    this.#carriedBytes = bytes.copy(this.#carry, 0, start, end);
  }

  /** Checks the header of an incomplete frame: a broken or too large frame is not waited for. */
  #isBroken(bytes: Buffer, at: number, available: number, sink: FrameSink): boolean {
    if (available < 2) return false;
    const second = bytes[at + 1]!;
    const headerBytes = headerBytesOf(second & 0x7f);
    const short = second & 0x7f;
    const payloadBytes = available < headerBytes ? short : frameBytes(bytes, at, available) - headerBytes;
    const fault = this.#faultOf(bytes[at]!, second, payloadBytes);
    if (fault !== undefined) this.#fail(fault, sink);
    return fault !== undefined;
  }

  #fail(detail: string, sink: FrameSink): void {
    this.#ended = true;
    this.#carry = null;
    this.#joined = null;
    sink.fault(detail);
  }

  #take(bytes: Buffer, at: number, end: number, sink: FrameSink): void {
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    const payloadAt = at + headerBytesOf(second & 0x7f);
    const isWholeText = first === (0x80 | opcode.text) && second < 0x80 && this.#joined === null;
    if (isWholeText && end - payloadAt <= this.#messageBytesMax) {
      sink.message(bytes, at, payloadAt, end, true);
      return;
    }
    const fault = this.#faultOf(first, second, end - payloadAt);
    if (fault !== undefined) this.#fail(fault, sink);
    else if ((first & 0x08) !== 0) this.#takeControl(first & 0x0f, bytes, payloadAt, end, sink);
    else this.#takeData(first, bytes, at, payloadAt, end, sink);
  }

  #faultOf(first: number, second: number, payloadBytes: number): string | undefined {
    const code = first & 0x0f;
    const isFinal = first >= 0x80;
    if ((first & 0x70) !== 0) return 'reserved bits were set although no extension was agreed';
    if (second >= 0x80) return 'a server must not mask its frames';
    if (code >= opcode.close) {
      if (code > opcode.pong) return `opcode ${code} is reserved`;
      if (!isFinal) return 'a control frame was fragmented';
      if (payloadBytes > 125) return `a control frame held ${payloadBytes} bytes; 125 is the most`;
      if (code === opcode.close && payloadBytes === 1) return 'a close frame held half a code';
      return undefined;
    }
    if (code > opcode.binary) return `opcode ${code} is reserved`;
    const continues = code === opcode.continuation;
    if (continues && this.#joined === null) return 'a continuation without a beginning';
    if (!continues && this.#joined !== null) return 'a new message began before the last one ended';
    if (continues && this.#fragments === fragmentsMax)
      return `a message in more than ${fragmentsMax} fragments`;
    const before = continues ? this.#joinedBytes : 0;
    return before + payloadBytes > this.#messageBytesMax
      ? `a message of ${before + payloadBytes} bytes; ${this.#messageBytesMax} is the limit`
      : undefined;
  }

  #takeData(first: number, bytes: Buffer, at: number, payloadAt: number, end: number, sink: FrameSink): void {
    const isFinal = first >= 0x80;
    const code = first & 0x0f;
    if (isFinal && code !== opcode.continuation) {
      sink.message(bytes, at, payloadAt, end, code === opcode.text);
      return;
    }
    if (code !== opcode.continuation) {
      this.#joined = Buffer.allocUnsafeSlow(Math.max(joinedBytesMin, end - payloadAt));
      this.#joinedBytes = 0;
      this.#fragments = 0;
      this.#fragmentsText = code === opcode.text;
    }
    this.#join(bytes, payloadAt, end);
    if (!isFinal) return;
    const whole = this.#joined!;
    this.#joined = null;
    sink.message(whole, -1, 0, this.#joinedBytes, this.#fragmentsText);
  }

  /** Doubles the buffer where it is full, so that many small fragments are not copied again each time. */
  #join(bytes: Buffer, from: number, end: number): void {
    const needed = this.#joinedBytes + end - from;
    if (needed > this.#joined!.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#joined!.length * 2));
      this.#joined!.copy(larger, 0, 0, this.#joinedBytes);
      this.#joined = larger;
    }
    bytes.copy(this.#joined!, this.#joinedBytes, from, end);
    this.#joinedBytes = needed;
    this.#fragments++;
  }

  #takeControl(kind: number, bytes: Buffer, start: number, end: number, sink: FrameSink): void {
    if (kind === opcode.ping) sink.ping(bytes, start, end);
    if (kind !== opcode.close) return;
    const code = end === start ? 1005 : bytes.readUInt16BE(start);
    if (end > start && !isCloseCode(code)) {
      this.#fail(`close code ${code} may not be sent`, sink);
      return;
    }
    this.#ended = true;
    sink.close(code, bytes.toString('utf8', Math.min(start + 2, end), end));
  }
}

/** Bytes of the frame at `at`; if its header is incomplete, the bytes that are needed to know more. */
function frameBytes(bytes: Buffer, at: number, available: number): number {
  if (available < 2) return 2;
  const length = bytes[at + 1]! & 0x7f;
  if (length < 126) return 2 + length;
  if (length === 126) return available < 4 ? 4 : 4 + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
  return available < 10 ? 10 : 10 + bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6);
}

function headerBytesOf(shortLength: number): number {
  return shortLength < 126 ? 2 : shortLength === 126 ? 4 : 10;
}

/** The codes that may be sent (RFC 6455, section 7.4, and the IANA registry). */
function isCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
