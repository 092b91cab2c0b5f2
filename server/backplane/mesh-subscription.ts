/** One worker's ear at another: dials it, hears its envelopes, and after a break asks whether something was missed. */
import { connect, type Socket } from 'node:net';
import type { BackplaneEvents } from './backplane.ts';
import { readEnvelopeHeader, visitEnvelope } from './batch.ts';
import { EnvelopeReader } from './batch-reader.ts';
import type { BackplaneMeter } from './meter.ts';
import { SequenceCheck } from './sequence.ts';

export type CoreSubscriptionOptions = {
  /** Where the other worker listens. */
  path: string;
  /** Who we are, so that it can listen to us in turn. */
  slot: number;
  meter: BackplaneMeter;
  envelopeBytesMax: number;
  events: BackplaneEvents;
};

/** `absent`: nobody listens there, so nobody there has anything to say; it will call us when it starts. */
export type SubscriptionState = 'absent' | 'dialing' | 'joined';

// Only when the other worker is there but too busy to accept; chosen, not measured.
const redialMs = 50;

/** For all reads of this process, one after the other; a buffer of their own for each costs more than the copy out of it. */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

export class CoreSubscription {
  readonly #options: CoreSubscriptionOptions;
  readonly #sequences = new SequenceCheck();
  #state: SubscriptionState = 'absent';
  #socket: Socket | undefined;
  #redialTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: CoreSubscriptionOptions) {
    this.#options = options;
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  /** Does nothing where we already listen, or are about to. */
  dial(): void {
    if (this.#state !== 'absent' || this.#closed) return;
    this.#state = 'dialing';
    const reader = new EnvelopeReader(this.#options.envelopeBytesMax);
    const callback = (length: number) => {
      reader.read(readBuffer.subarray(0, length), (envelope) => this.#hear(envelope));
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

  #hear(envelope: Buffer): void {
    const { publisher, sequence, kind, publishedAtMs } = readEnvelopeHeader(envelope);
    if (this.#state === 'dialing') {
      this.#state = 'joined';
      if (!this.#sequences.resume(publisher, sequence)) this.#missed();
      return;
    }
    if (this.#sequences.check(publisher, sequence) === 'gap') this.#missed();
    this.#options.meter.lagObserved((performance.timeOrigin + performance.now() - publishedAtMs) / 1000);
    visitEnvelope(envelope, (room, payload) => this.#options.events.deliver(room, payload));
    if (kind === 'goodbye') this.#sequences.forget(publisher);
  }

  #missed(): void {
    this.#options.events.interrupted('another worker went on without us');
  }

  #lost(failure: string): void {
    if (this.#closed) return;
    const wasJoined = this.#state === 'joined';
    this.#state = 'absent';
    if (wasJoined) {
      // Either it died, and the next dial is refused; or it let us go, and its hello will tell what we missed.
      this.#options.meter.reconnecting();
      this.dial();
    } else if (failure !== 'ECONNREFUSED' && failure !== 'ENOENT') {
      this.#state = 'dialing';
      this.#redialTimer = setTimeout(() => {
        this.#state = 'absent';
        this.dial();
      }, redialMs);
    }
  }
}
