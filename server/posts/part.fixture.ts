/** The part that takes the frames of posts, as tests use it. */
import type { TestContext } from 'node:test';
import type { PostContent } from '#protocol';
import { until } from '../../testing/until.ts';
import { MemorySignals } from '../backplane/signals.ts';
import { MemoryPostStore } from './memory-post-store.ts';
import { createPostMeter } from './post-meter.ts';
import { type PostOptions, postDefaults } from './post-options.ts';
import { menusOfTests, type TestSession } from './posts.fixture.ts';
import { Posts } from './posts.ts';

/** All channels of the small menu that are for all places. */
export const everywhere = [[[]], [[0], [1]]];
const plenty = { postsPerPersonMax: 100_000, postsPerMenuMax: 100_000 };

/** The part of one process with a store in memory, and what it counts. It closes with the test. */
export async function startPosts(context: TestContext, given: Partial<PostOptions> = {}) {
  const options = { ...postDefaults, ...plenty, ...given };
  const store = new MemoryPostStore(options);
  const signals = new MemorySignals();
  const meter = createPostMeter();
  const part = new Posts({ menus: menusOfTests, store, signals, meter, options });
  await part.start();
  context.after(() => part.close());
  const send = (session: TestSession, type: string, frame: object) =>
    part.handlers.get(type)!(session, { type, menu: 'small', ...frame });
  const subscribe = async (session: TestSession, frame: object = {}) => {
    const acks = session.subscribeAcks.length;
    send(session, 'subscribe', { channels: everywhere, ...frame });
    await until(() => session.subscribeAcks.length > acks, 'the answer to subscribe');
    return session.subscribeAcks.at(-1)!;
  };
  const publish = async (session: TestSession, items: readonly PostContent[], id?: string) => {
    const acks = session.publishAcks.length;
    send(session, 'publish', { items, ...(id && { id }) });
    await until(() => session.publishAcks.length > acks, 'the answer to publish');
    return session.publishAcks.at(-1)!;
  };
  return { part, store, signals, meter, send, subscribe, publish };
}

/** The sum of a metric over its labels. */
export const count = async (metric: { get(): Promise<{ values: { value: number }[] }> }) =>
  (await metric.get()).values.reduce((sum, { value }) => sum + value, 0);
