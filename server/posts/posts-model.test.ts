/**
 * Whatever goes wrong on the way, each reader receives each post that it wants once, in the order of ids:
 * posts are published on two nodes at once; announcements are lost, late and out of turn; the store is slow
 * and fails; readers take nothing for a while, leave, and come back elsewhere with the last id that they
 * have.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Code, Subscribe } from '#protocol';
import { until } from '../../testing/until.ts';
import { StoreError } from '../redis/store.ts';
import { channelsOfLists, channelsOfPost } from './channels.ts';
import { MemoryPostStore } from './memory-post-store.ts';
import { createPostMeter } from './post-meter.ts';
import { postDefaults } from './post-options.ts';
import type { PostStore } from './post-store.ts';
import { menusOfTests, smallMenu, TestSession, UnreliableSignals } from './posts.fixture.ts';
import { Posts } from './posts.ts';

const options = {
  ...postDefaults,
  ...{ postsPerPersonMax: 1_000, postsRepeatedMax: 1_000, postBufferBytesMax: 600, postTailMax: 6 },
  postCheckIntervalMs: 5,
};
const places: Code[] = [[], [0, 0], [0, 1], [1, 0]];
const leaves: Code[][] = places.slice(1).flatMap((place) => [[0], [1, 0]].map((kind) => [place, kind]));

/** From 0 to 1, the same for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A store whose answers take a while, and some of which are lost. */
function unreliable(store: PostStore, random: () => number): PostStore {
  const trouble = async () => {
    if (random() < 0.5) await sleep(3 * random());
    if (random() < 0.03) throw new StoreError('the store has not answered');
  };
  return new Proxy(store, {
    get: (target, name: keyof PostStore) => {
      const call = target[name].bind(target) as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        await trouble();
        const answer = await call(...args);
        await trouble();
        return answer;
      };
    },
  });
}

/** A person who subscribes again whenever that failed, and whoever leaves comes back. */
class Reader {
  readonly channels: readonly (readonly Code[])[];
  readonly filters: Subscribe['filters'];
  readonly #received: number[] = [];
  #node: Posts;
  session = new TestSession('reader');
  #acks = 0;

  constructor(node: Posts, random: () => number) {
    this.#node = node;
    this.channels = [places.filter(() => random() < 0.6), [[0], [1]].filter(() => random() < 0.8)];
    this.filters = random() < 0.5 ? [] : [{ filter: 'red' }, { anyOf: [1] }];
    this.#subscribe();
  }

  get ids(): number[] {
    return [...this.#received, ...this.session.ids];
  }

  /** Subscribes again where the server was busy. */
  look(): void {
    const acks = this.session.subscribeAcks;
    if (acks.length === this.#acks) return;
    this.#acks = acks.length;
    if (acks.at(-1)!.result === 'busy') this.#subscribe();
  }

  move(node: Posts): void {
    this.#node.left(this.session);
    this.session.open = false;
    this.#received.push(...this.session.ids);
    this.#node = node;
    this.#acks = 0;
    this.session = new TestSession('reader');
    this.#subscribe();
  }

  #subscribe(): void {
    const { channels, filters } = this;
    const frame = { menu: 'small', channels, filters, lastPostId: this.ids.at(-1) ?? 0 };
    this.#node.handlers.get('subscribe')!(this.session, frame);
  }
}

async function publishAll(nodes: readonly Posts[], count: number, random: () => number): Promise<void> {
  const author = new TestSession('eve');
  for (let index = 0; index < count; index++) {
    const frame = {
      menu: 'small',
      id: `request ${index}`,
      items: [
        {
          to: leaves[Math.floor(random() * leaves.length)],
          body: `post ${index}`,
          ...(random() < 0.5 && { filter: random() < 0.5 ? 'red' : 'blue' }),
          features: [0, 1, 2].filter(() => random() < 0.3),
        },
      ],
    };
    for (let isStored = false; !isStored; ) {
      const node = nodes[Math.floor(random() * nodes.length)]!;
      const acks = author.publishAcks.length;
      node.handlers.get('publish')!(author, frame);
      // Most are published while others are on their way.
      if (random() < 0.7 && index < count - 10) break;
      await until(() => author.publishAcks.length > acks, 'an answer');
      isStored = author.publishAcks.at(-1)!.result === 'ok';
      // A node that is busy answers at once: without a pause nobody else would ever have a turn.
      if (!isStored) await sleep(1);
    }
  }
}

for (let seed = 1; seed <= 8; seed++)
  test(`each reader receives what it wants once and in order (seed ${seed})`, async () => {
    const random = createRandom(seed);
    const stored = new MemoryPostStore(options);
    const store = unreliable(stored, random);
    const signals = new UnreliableSignals(random);
    const meters = [createPostMeter(), createPostMeter()];
    const nodes = meters.map((meter) => new Posts({ menus: menusOfTests, store, signals, meter, options }));
    for (const node of nodes) await node.start();
    const readers = Array.from({ length: 12 }, (_, index) => new Reader(nodes[index % 2]!, random));
    const disturb = setInterval(() => {
      for (const reader of readers) {
        reader.look();
        if (random() < 0.1) reader.move(nodes[Math.floor(random() * 2)]!);
        if (random() < 0.2) reader.session.isSlow = true;
        if (random() < 0.2) {
          reader.session.isSlow = false;
          reader.session.take();
        }
      }
    }, 2);
    await publishAll(nodes, 150, random).finally(() => clearInterval(disturb));
    const calm = setInterval(() => {
      for (const reader of readers) {
        reader.look();
        reader.session.isSlow = false;
        reader.session.take();
      }
    }, 2);
    try {
      await sleep(20); // What is still being published.
      const all = (await stored.following('small', 0, 1_000)).posts;
      assert.ok(all.length >= 60, `${all.length} posts`);
      const expected = readers.map(({ channels, filters }) => {
        const names = new Set(channelsOfLists(smallMenu, channels, 100) as string[]);
        return all.flatMap(({ id, line }) => {
          const { to, filter, features } = JSON.parse(line.slice(line.indexOf('{')));
          const isThere = (channelsOfPost(smallMenu, to) as string[]).some((channel) => names.has(channel));
          const passes = filters.length === 0 || filter === 'red' || features.includes(1);
          return isThere && passes ? [id] : [];
        });
      });
      const areDone = () => readers.every(({ ids }, index) => ids.length >= expected[index]!.length);
      await until(areDone, 'all posts', 10_000).catch(() => {});
      for (const [index, { ids }] of readers.entries())
        assert.deepEqual(ids, expected[index], `reader ${index}`);
      assert.ok(expected.some(({ length }) => length > 0));
      for (const { healed } of meters)
        assert.ok((await healed.get()).values[0]!.value > 0, 'it was disturbed');
    } finally {
      clearInterval(calm);
      for (const node of nodes) await node.close();
    }
  });
