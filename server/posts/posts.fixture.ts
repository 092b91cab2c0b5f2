/** What tests of posts share: a small menu, readers without a socket, and signals that misbehave. */
import {
  type DeleteAck,
  type Menu,
  type Post,
  type PostContent,
  type PublishAck,
  parsePostServerFrame,
  type SubscribeAck,
} from '#protocol';
import type { Person, PersonSession } from '../accounts/person.ts';
import { MemorySignals, type SignalReceiver, type Signals } from '../backplane/signals.ts';

/** Two trees with channels at two and at one depth. */
export const smallMenu: Menu = {
  name: 'small',
  title: 'A small menu',
  trees: [
    {
      name: 'place',
      depths: [0, 2],
      children: [
        { name: 'north', children: [{ name: 'a' }, { name: 'b' }] },
        { name: 'south', children: [{ name: 'c' }] },
      ],
    },
    { name: 'kind', depths: [1], children: [{ name: 'x' }, { name: 'y', children: [{ name: 'z' }] }] },
  ],
  features: Array.from({ length: 40 }, (_, index) => `feature ${index}`),
  quantities: [
    { name: 'price', unit: 'EUR' },
    { name: 'year', unit: 'year' },
  ],
};

export const menusOfTests: ReadonlyMap<string, Menu> = new Map([[smallMenu.name, smallMenu]]);

/** A post to north, a, x. */
export const toNorth: PostContent = { to: [[0, 0], [0]], body: 'hello' };

/** A session that keeps what was written. While `isSlow`, nobody takes it. */
export class TestSession implements PersonSession {
  readonly person: Person;
  open = true;
  isSlow = false;
  /** Bytes that were written and not taken. */
  bufferedBytes = 0;
  writes = 0;
  closedWith: number | undefined;
  readonly texts: string[] = [];
  #waiting: ((error?: Error | null) => void)[] = [];

  constructor(user: string) {
    this.person = { user, device: 'test' };
  }

  write(frames: Buffer): void {
    this.writes++;
    if (this.isSlow) this.bufferedBytes += frames.length;
    for (let offset = 0; offset < frames.length; ) {
      const short = frames[offset + 1]!;
      const start = offset + (short < 126 ? 2 : 4);
      offset = start + (short < 126 ? short : frames.readUInt16BE(offset + 2));
      this.texts.push(frames.toString('utf8', start, offset));
    }
  }

  sendText(payload: string | Buffer): void {
    this.texts.push(String(payload));
  }

  whenWritten(callback: (error?: Error | null) => void): void {
    if (this.isSlow) this.#waiting.push(callback);
    else setImmediate(callback);
  }

  /** The peer takes all that was written. */
  take(): void {
    this.bufferedBytes = 0;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) setImmediate(callback);
  }

  close(code: number): void {
    this.open = false;
    this.closedWith = code;
  }

  get posts(): Post[] {
    return this.#framesOf('post') as Post[];
  }

  get ids(): number[] {
    return this.posts.map(({ id }) => id);
  }

  get subscribeAcks(): SubscribeAck[] {
    return this.#framesOf('subscribe_ack') as SubscribeAck[];
  }

  get publishAcks(): PublishAck[] {
    return this.#framesOf('publish_ack') as PublishAck[];
  }

  get deleteAcks(): DeleteAck[] {
    return this.#framesOf('delete_ack') as DeleteAck[];
  }

  #framesOf(type: string): unknown[] {
    return this.texts.flatMap((text) => {
      const frame = parsePostServerFrame(text);
      return frame?.type === type ? [frame] : [];
    });
  }
}

/** Signals of which some are lost, and others come late and out of turn. `random`: from 0 to 1. */
export class UnreliableSignals implements Signals {
  readonly #reliable = new MemorySignals();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  listen(name: string, to: SignalReceiver, ready: (ok: boolean) => void): () => void {
    let isListening = true;
    const unlisten = this.#reliable.listen(
      name,
      {
        receive: (payload) => {
          const chance = this.#random();
          if (chance < 0.2) return;
          if (chance < 0.5) to.receive(payload);
          else setTimeout(() => isListening && to.receive(payload), 5 * this.#random());
        },
        gap: () => to.gap(),
      },
      (ok) => setImmediate(ready, ok),
    );
    return () => {
      isListening = false;
      unlisten();
    };
  }

  publish(name: string, payload: Buffer): boolean {
    return this.#random() < 0.1 ? false : this.#reliable.publish(name, payload);
  }
}
