/**
 * A visitor: joins, listens for a while without being audited, and leaves in order. Visitors make the coming and going
 * (`--churn`) beside the virtual users, whose deliveries can be counted exactly because they stay.
 */
import net from 'node:net';
import { newMaskKey, writeMaskedFrame } from '../wire/client-frame.ts';
import { handshakeRequest, newHandshakeKey, readHandshakeAnswer } from '../wire/handshake.ts';
import { opcode } from '../wire/opcode.ts';
import type { Endpoint } from './virtual-user.ts';

/** What all visitors of a worker have met so far. */
export type VisitorCounts = {
  asked: number;
  opened: number;
  refused: Record<string, number>;
  /** How long each handshake took. */
  connectUs: number[];
  /** Connected or connecting now. */
  present: number;
};

/** How long a visitor stays, in milliseconds; chosen, not measured. */
export const stayMs = 1000;

/** What visitors read is thrown away; they share the place for it. */
const dump = Buffer.allocUnsafeSlow(64 * 1024);

export class Visitor {
  readonly #socket: net.Socket;
  readonly #accept: string;
  readonly #counts: VisitorCounts;
  readonly #beganMs = performance.now();
  #answer = Buffer.alloc(0);
  #state: 'connecting' | 'open' | 'gone' = 'connecting';

  /** Connects at once, stays for `stayMs` after the handshake, and gives up on a handshake after `timeoutMs`. */
  constructor(endpoint: Endpoint, timeoutMs: number, counts: VisitorCounts) {
    const { key, accept } = newHandshakeKey();
    this.#accept = accept;
    this.#counts = counts;
    counts.asked++;
    counts.present++;
    this.#socket = net.connect({
      host: endpoint.address,
      port: endpoint.port,
      localAddress: endpoint.sourceAddress,
      onread: { buffer: dump, callback: (length, bytes) => this.#read(bytes.subarray(0, length)) },
    });
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#end(error.code ?? error.message));
    this.#socket.on('close', () => {
      this.#end('closed');
      counts.present--;
    });
    this.#socket.setTimeout(timeoutMs, () => this.#end('timeout'));
    this.#socket.write(handshakeRequest(endpoint.url, key, endpoint.headers), 'latin1');
  }

  #read(bytes: Uint8Array): boolean {
    if (this.#state !== 'connecting') return true;
    this.#answer = Buffer.concat([this.#answer, bytes]);
    const answer = readHandshakeAnswer(this.#answer, this.#accept);
    if (answer.state === 'refused') this.#end(answer.why);
    if (answer.state !== 'open') return true;
    this.#state = 'open';
    this.#answer = Buffer.alloc(0);
    this.#counts.opened++;
    this.#counts.connectUs.push(Math.round((performance.now() - this.#beganMs) * 1000));
    this.#socket.setTimeout(0);
    setTimeout(() => this.#leave(), stayMs);
    return true;
  }

  #leave(): void {
    if (this.#state !== 'open') return;
    const frame = Buffer.alloc(8);
    writeMaskedFrame(frame, 0, opcode.close, Buffer.from([0x03, 0xe8]), newMaskKey());
    this.#socket.end(frame);
    this.#state = 'gone';
  }

  #end(why: string): void {
    if (this.#state === 'connecting') this.#counts.refused[why] = (this.#counts.refused[why] ?? 0) + 1;
    this.#state = 'gone';
    this.#socket.destroy();
  }
}
