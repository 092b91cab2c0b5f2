/**
 * A WebSocket client that `ws` does not allow: a bare socket that sends any bytes, and nothing by itself. It
 * reads what the server answers, as far as the end of the connection tells it.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A text frame as a client sends it. */
export const textFrame = (text: string) => frame(0x81, Buffer.from(text));

/** A frame as a client sends it, masked with zeros. */
export function frame(firstByte: number, payload: Buffer): Buffer {
  return Buffer.concat([frameHeader(firstByte, payload.length), payload]);
}

/** The header alone, for a payload that is never sent in full. */
export function frameHeader(firstByte: number, payloadBytes: number): Buffer {
  const mask = [0, 0, 0, 0];
  if (payloadBytes < 126) return Buffer.from([firstByte, 0x80 | payloadBytes, ...mask]);
  if (payloadBytes < 65_536) {
    return Buffer.from([firstByte, 0x80 | 126, payloadBytes >> 8, payloadBytes & 0xff, ...mask]);
  }
  const header = Buffer.from([firstByte, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, ...mask]);
  header.writeBigUInt64BE(BigInt(payloadBytes), 2);
  return header;
}

/** The request for an upgrade, with its headers as lines, which may be replaced by others. */
export function upgradeRequest(path: string, lines: readonly string[] = upgradeLines()): string {
  return [`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

/** The headers of an upgrade that is as it should be. */
export function upgradeLines(): string[] {
  const key = randomBytes(16).toString('base64');
  const protocol = ['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`];
  return ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', ...protocol];
}

/**
 * What a server answered last: a close code, an HTTP status other than 101, `cut` where the connection ended
 * without either, `nothing` where it was open at the deadline.
 */
export type Answer = number | `HTTP ${number}` | 'cut' | 'nothing';

/** Chosen, not measured: no server that lets somebody in takes longer. */
const joinDeadlineMs = 10_000;

export class RawPeer {
  readonly socket: Socket;
  readonly #ended = Promise.withResolvers<Answer>();
  readonly #upgraded = Promise.withResolvers<boolean>();
  readonly #reader = new AnswerReader();
  #written: Promise<void> | undefined;

  private constructor(socket: Socket) {
    this.socket = socket.setNoDelay();
    socket.on('error', () => {}); // 'close' follows: a server that cuts the connection is no fault here.
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('close', () => {
      this.#ended.resolve(this.#reader.answer ?? 'cut');
      this.#upgraded.resolve(false);
    });
  }

  /** Opens a TCP connection to the host and port of a URL. Rejects where that is refused. */
  static async connect(url: string): Promise<RawPeer> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  /** Opens a session at a `ws://` URL. Rejects with the answer where the server does not let it in. */
  static async join(url: string): Promise<RawPeer> {
    const peer = await RawPeer.connect(url);
    const { pathname, search } = new URL(url);
    peer.write(upgradeRequest(pathname + search));
    if (await Promise.race([peer.#upgraded.promise, sleep(joinDeadlineMs, false, { ref: false })]))
      return peer;
    const answer = await peer.answer(0);
    peer.destroy();
    throw new Error(`${url} opened no session: ${answer}`);
  }

  /** Text frames that have begun to come since the upgrade. */
  get texts(): number {
    return this.#reader.texts;
  }

  /** Sends bytes; false: they wait in this process. Does nothing once the connection has ended. */
  write(bytes: Buffer | string): boolean {
    return this.socket.destroyed || this.socket.write(bytes);
  }

  /** Resolves when all that was written is with the kernel, or the connection has ended. */
  written(): Promise<void> {
    const { socket } = this;
    if (socket.writableLength === 0 || socket.destroyed) return Promise.resolve();
    this.#written ??= new Promise<void>((resolve) => {
      const ways = ['drain', 'close'] as const;
      const end = () => {
        for (const way of ways) socket.off(way, end);
        this.#written = undefined;
        resolve();
      };
      for (const way of ways) socket.once(way, end);
    });
    return this.#written;
  }

  /** Stops to read, so that the server's bytes stay with the kernels, then with the server. */
  pause(): this {
    this.socket.pause();
    return this;
  }

  resume(): this {
    this.socket.resume();
    return this;
  }

  /** Waits for the close frame, the HTTP status or the end. */
  async answer(deadlineMs: number): Promise<Answer> {
    const late = sleep(deadlineMs, 'nothing' as const, { ref: false });
    return this.#reader.answer ?? (await Promise.race([this.#ended.promise, late]));
  }

  /** Ends the connection without a word: with a reset, unless the other side has ended it already. */
  destroy(): void {
    // While its end is still on the way, a reset would fail, and leave the socket open.
    if (this.socket.writableEnded) this.socket.destroy();
    else if (!this.socket.destroyed) this.socket.resetAndDestroy();
  }

  #read(chunk: Buffer): void {
    this.#reader.read(chunk);
    if (this.#reader.upgraded) this.#upgraded.resolve(true);
    if (this.#reader.answer === null) return;
    this.#ended.resolve(this.#reader.answer);
    this.#upgraded.resolve(false);
  }
}

/** Finds the answer in the server's bytes: the status of the handshake, then the close frame. */
class AnswerReader {
  answer: Answer | null = null;
  upgraded = false;
  texts = 0;
  #bytes: Buffer = Buffer.alloc(0);
  /** Bytes of a frame that is not kept, which are still to come. */
  #skip = 0;

  read(chunk: Buffer): void {
    if (this.answer !== null) return;
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    if (!this.upgraded && !this.#readHead()) return;
    let at = 0;
    while (this.answer === null) {
      const next = this.#readFrame(this.#bytes, at);
      if (next === at) break;
      at = next;
    }
    // A copy, so that a few bytes of a frame do not keep a whole chunk.
    this.#bytes = Buffer.from(this.#bytes.subarray(at));
  }

  #readHead(): boolean {
    const end = this.#bytes.indexOf('\r\n\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(this.#bytes.toString('latin1', 0, 12))?.[1]);
    if (status > 0 && status !== 101) this.answer = `HTTP ${status}`;
    if (end === -1) return false;
    this.upgraded = status === 101;
    this.#bytes = this.#bytes.subarray(end + 4);
    return this.upgraded;
  }

  /** Reads a frame, or skips the rest of one, and returns the offset after it; the same: more is needed. */
  #readFrame(bytes: Buffer, at: number): number {
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      return at + skipped;
    }
    const short = bytes[at + 1];
    if (short === undefined) return at;
    const payloadAt = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (bytes.length < payloadAt) return at;
    const payloadBytes =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6);
    const end = payloadAt + payloadBytes;
    if (bytes[at] !== 0x88) {
      if (bytes[at] === 0x81) this.texts++;
      this.#skip = Math.max(0, end - bytes.length);
      return Math.min(end, bytes.length);
    }
    if (bytes.length < end) return at;
    this.answer = payloadBytes < 2 ? 1005 : bytes.readUInt16BE(payloadAt);
    return end;
  }
}
