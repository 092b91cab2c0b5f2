/** One worker's connection to another: receives its batches, and notices missing ones. */
import { createConnection, type Socket } from 'node:net';
import type { BackplaneEvents } from './backplane.ts';
import { BatchError, readBatchHeader, visitBatch } from './batch.ts';
import { BatchReader } from './batch-reader.ts';
import type { MeshOptions } from './mesh-publisher.ts';
import { SequenceCheck } from './sequence.ts';

type SubscriptionOptions = Pick<MeshOptions, 'workerNumber' | 'meter'> & {
  /** Whether the supervisor says that the other worker runs. */
  expected(): boolean;
  /** Socket of the other worker. */
  path: string;
  batchBytesMax: number;
  events: BackplaneEvents;
};

/** For a worker that runs but is too busy to accept; chosen, not measured. */
const reconnectMs = 50;

/** Shared by all reads: a fresh buffer for each read costs more than the copy out of this one. */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

export class MeshSubscription {
  readonly #options: SubscriptionOptions;
  readonly #sequences = new SequenceCheck();
  /** `absent`: the other worker does not run; it connects when it starts. */
  state: 'absent' | 'connecting' | 'joined' = 'absent';
  #socket: Socket | undefined;
  #reconnectTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /** Connects, unless it is connected or about to be. */
  connect(): void {
    if (this.state !== 'absent' || this.#closed) return;
    this.state = 'connecting';
    const reader = new BatchReader(this.#options.batchBytesMax);
    const callback = (length: number) => {
      try {
        reader.read(readBuffer.subarray(0, length), (batch) => this.#receive(batch));
      } catch (error) {
        if (!(error instanceof BatchError)) throw error;
        // The start of the next batch is unknown: only a new connection has a known one.
        socket.destroy();
        this.#options.events.gap(`a batch of another worker could not be read: ${error.message}`);
      }
      return true;
    };
    const onread = { buffer: readBuffer, callback };
    const socket = createConnection({ path: this.#options.path, onread });
    this.#socket = socket;
    let failure = '';
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code ?? error.message;
    });
    socket.once('connect', () => socket.write(Buffer.from([this.#options.workerNumber])));
    socket.once('close', () => this.#lost(failure));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#reconnectTimer);
    this.#socket?.destroy();
  }

  #receive(batch: Buffer): void {
    const { publisher, sequence, kind, publishedAtMs } = readBatchHeader(batch);
    if (this.state === 'connecting') {
      this.state = 'joined';
      if (!this.#sequences.resume(publisher, sequence)) this.#missed();
      return;
    }
    if (this.#sequences.check(publisher, sequence) === 'gap') this.#missed();
    const { meter, events } = this.#options;
    meter.observeLag(publishedAtMs);
    meter.messagesRead.inc(visitBatch(batch, (room, payload) => events.deliver(room, payload)));
    if (kind === 'goodbye') this.#sequences.end(publisher);
  }

  #missed(): void {
    this.#options.events.gap('another worker sent batches that did not arrive');
  }

  #lost(failure: string): void {
    if (this.#closed) return;
    const wasJoined = this.state === 'joined';
    this.state = 'absent';
    if (wasJoined) {
      // It died, and refuses the next connection; or it disconnected us: its first batch shows the gap.
      this.#options.meter.reconnects.inc();
      this.connect();
    } else if (this.#options.expected() || (failure !== 'ECONNREFUSED' && failure !== 'ENOENT')) {
      this.state = 'connecting';
      this.#reconnectTimer = setTimeout(() => {
        this.state = 'absent';
        this.connect();
      }, reconnectMs);
    }
  }
}
