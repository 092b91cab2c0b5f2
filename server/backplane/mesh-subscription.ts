/** One worker's connection to another: receives its batches, and notices missing ones. */
import { connect, type Socket } from 'node:net';
import type { BackplaneEvents } from './backplane.ts';
import { readBatchHeader, visitBatch } from './batch.ts';
import { BatchReader } from './batch-reader.ts';
import type { MeshOptions } from './mesh-publisher.ts';
import { SequenceCheck } from './sequence.ts';

type SubscriptionOptions = MeshOptions & {
  /** Socket of the other worker. */
  path: string;
  batchBytesMax: number;
  events: BackplaneEvents;
};

/** For a worker that runs but is too busy to accept; chosen, not measured. */
const redialMs = 50;

/** Shared by all reads: a fresh buffer for each read costs more than the copy out of this one. */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

export class MeshSubscription {
  readonly #options: SubscriptionOptions;
  readonly #sequences = new SequenceCheck();
  /** `absent`: the other worker does not run; it connects when it starts. */
  state: 'absent' | 'dialing' | 'joined' = 'absent';
  #socket: Socket | undefined;
  #redialTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /** Connects, unless it is connected or about to be. */
  dial(): void {
    if (this.state !== 'absent' || this.#closed) return;
    this.state = 'dialing';
    const reader = new BatchReader(this.#options.batchBytesMax);
    const callback = (length: number) => {
      reader.read(readBuffer.subarray(0, length), (batch) => this.#receive(batch));
      return true;
    };
    const socket = connect({ path: this.#options.path, onread: { buffer: readBuffer, callback } });
    this.#socket = socket;
    let failure = '';
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code ?? error.message;
    });
    socket.once('connect', () => socket.write(Buffer.from([this.#options.slot])));
    socket.once('close', () => this.#lost(failure));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#redialTimer);
    this.#socket?.destroy();
  }

  #receive(batch: Buffer): void {
    const { publisher, sequence, kind, publishedAtMs } = readBatchHeader(batch);
    if (this.state === 'dialing') {
      this.state = 'joined';
      if (!this.#sequences.resume(publisher, sequence)) this.#missed();
      return;
    }
    if (this.#sequences.check(publisher, sequence) === 'gap') this.#missed();
    this.#options.meter.observeLag(publishedAtMs);
    visitBatch(batch, (room, payload) => this.#options.events.deliver(room, payload));
    if (kind === 'goodbye') this.#sequences.forget(publisher);
  }

  #missed(): void {
    this.#options.events.gap('another worker sent batches that did not arrive');
  }

  #lost(failure: string): void {
    if (this.#closed) return;
    const wasJoined = this.state === 'joined';
    this.state = 'absent';
    if (wasJoined) {
      // The worker died, and refuses the next dial; or it disconnected us: its first batch shows the gap.
      this.#options.meter.reconnects.inc();
      this.dial();
    } else if (failure !== 'ECONNREFUSED' && failure !== 'ENOENT') {
      this.state = 'dialing';
      this.#redialTimer = setTimeout(() => {
        this.state = 'absent';
        this.dial();
      }, redialMs);
    }
  }
}
