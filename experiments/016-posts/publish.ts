/** One trial: subscribers wait, posts are published at a rate, each is followed to its last subscriber. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials, Post, PostFilter } from '#protocol';
import type { Deployment } from '../lab/deployment/deployment.ts';
import { createAccounts, peopleNamed } from '../lab/people/accounts.ts';
import { Device, type DeviceListener } from '../lab/people/device.ts';
import { quantileOf } from '../lab/people/quantile.ts';
import type { FigureContext, Figures } from '../lab/shapes/figures/figures.ts';

export type Readers = { subscribers: number; filters: number };

const menu = 'cars';
/** The first place and the first kind, and the leaves below them. */
const channel = [[0], [0]];
const leaves = [
  [0, 0],
  [0, 0],
];
const deliveriesPerSecond = 10_000;
const rate = { min: 10, max: 200 };
/** So many that none has more unanswered frames than a session may have. */
export const publishers = 16;
const measureMs = 5000;
const warmUpMs = 1500;
const drainMsMax = 5000;
const subscribeMsMax = 10_000;
const tickMs = 2;
const loginsAtOnce = 32;
const price = 8500;

/** Of one post: when it was published, and when it came to how many. */
type Followed = { publishedAtMs: number; came: number; lastAtMs: number };
type Counts = { subscribed: number; refused: number; doubled: number };

export async function measurePosts(
  readers: Readers,
  { deployment, signal, enter }: FigureContext,
): Promise<Figures> {
  const url = deployment.nodes[0]!.directUrl;
  const ratePerSecond = Math.min(rate.max, Math.max(rate.min, deliveriesPerSecond / readers.subscribers));
  const followed = new Map<string, Followed>();
  const counts: Counts = { subscribed: 0, refused: 0, doubled: 0 };
  enter('connect');
  const subscribers = await enlist(url, peopleNamed('s', readers.subscribers), signal, () =>
    listener(followed, counts),
  );
  await subscribe(subscribers, filtersOf(readers.filters), counts, signal);
  const writers = await enlist(url, peopleNamed('w', publishers), signal, () => ({
    other: ({ type, result, id }) => {
      if (type !== 'publish_ack' || result === 'ok') return;
      counts.refused++;
      followed.delete(String(id));
    },
  }));
  try {
    const rest = await cpuDuring(deployment, () => sleep(measureMs, undefined, { signal }));
    enter('warm-up');
    await publish(writers, followed, { ratePerSecond, durationMs: warmUpMs, prefix: 'w' }, signal);
    await allCame(followed, readers.subscribers, signal);
    followed.clear();
    enter('measure');
    const busy = await cpuDuring(deployment, async () => {
      await publish(writers, followed, { ratePerSecond, durationMs: measureMs, prefix: 'm' }, signal);
      await allCame(followed, readers.subscribers, signal);
    });
    enter('drain');
    return figuresOf([...followed.values()], readers, counts, { rest, busy });
  } finally {
    for (const device of [...subscribers, ...writers]) device.drop();
  }
}

type Cpu = { node: number; redis: number; ms: number };

function figuresOf(
  followed: readonly Followed[],
  { subscribers }: Readers,
  { refused, doubled }: Counts,
  { rest, busy }: { rest: Cpu; busy: Cpu },
): Figures {
  const posts = followed.length;
  const lastMs = followed.flatMap(({ came, lastAtMs, publishedAtMs }) =>
    came === subscribers ? lastAtMs - publishedAtMs : [],
  );
  const usOf = (of: 'node' | 'redis') => Math.max(0, busy[of] - (rest[of] * busy.ms) / rest.ms) * 1e6;
  return {
    cpuUsPerPost: usOf('node') / posts,
    cpuUsPerDelivery: usOf('node') / (posts * subscribers),
    redisUsPerPost: usOf('redis') / posts,
    lastMsP50: quantileOf(lastMs, 0.5),
    lastMsP99: quantileOf(lastMs, 0.99),
    lost: followed.reduce((sum, { came }) => sum + Math.max(0, subscribers - came), 0),
    refused,
    doubled,
    posts,
  };
}

/** Accounts and devices that are logged in. */
async function enlist(
  url: string,
  people: readonly Credentials[],
  signal: AbortSignal,
  listenerOf: () => DeviceListener,
): Promise<Device[]> {
  await createAccounts(url, people, signal);
  const devices = people.map((person) => new Device(person, listenerOf()));
  const queue = devices.values();
  const work = async () => {
    for (const device of queue) {
      const ack = await device.logIn(url);
      if (ack.result !== 'ok') throw new Error(`${device.person.user} could not log in: ${ack.result}`);
    }
  };
  await Promise.all(Array.from({ length: loginsAtOnce }, work));
  return devices;
}

/** What a subscriber does with a post that comes: the body is its name here. */
function listener(followed: ReadonlyMap<string, Followed>, counts: Counts): DeviceListener {
  let lastId = 0;
  return {
    other: (frame) => {
      if (frame.type === 'subscribe_ack') {
        if (frame.result === 'ok') counts.subscribed++;
        else counts.refused++;
      }
      if (frame.type !== 'post') return;
      const { id, body } = frame as unknown as Post;
      if (id <= lastId) {
        counts.doubled++;
        return;
      }
      lastId = id;
      const post = followed.get(body.trimEnd());
      if (post === undefined) return;
      post.came++;
      post.lastAtMs = performance.now();
    },
  };
}

/** Resolves when each subscription stands. */
async function subscribe(
  devices: readonly Device[],
  filters: readonly PostFilter[],
  counts: Counts,
  signal: AbortSignal,
): Promise<void> {
  const channels = channel.map((code) => [code]);
  for (const device of devices) device.write({ type: 'subscribe', menu, channels, filters });
  const deadlineAtMs = performance.now() + subscribeMsMax;
  while (counts.subscribed < devices.length) {
    if (performance.now() > deadlineAtMs || counts.refused > 0)
      throw new Error(`Only ${counts.subscribed} of ${devices.length} subscriptions were accepted.`);
    await sleep(5, undefined, { signal });
  }
}

function filtersOf(count: number): PostFilter[] {
  if (count === 0) return [];
  const failing: PostFilter = { anyOf: [0], ranges: { price: [0, 1] } };
  const passing: PostFilter = { anyOf: [0], ranges: { price: [0, 2 * price] } };
  return [...Array.from({ length: count - 1 }, () => failing), passing];
}

async function publish(
  writers: readonly Device[],
  followed: Map<string, Followed>,
  { ratePerSecond, durationMs, prefix }: { ratePerSecond: number; durationMs: number; prefix: string },
  signal: AbortSignal,
): Promise<void> {
  const beganMs = performance.now();
  for (let number = 0; performance.now() - beganMs < durationMs; ) {
    const due = ((performance.now() - beganMs) * ratePerSecond) / 1000;
    for (; number < due; number++) {
      const name = `${prefix}${number}`;
      const post = { to: leaves, body: name.padEnd(100), features: [0], ranges: { price } };
      followed.set(name, { publishedAtMs: performance.now(), came: 0, lastAtMs: 0 });
      writers[number % writers.length]!.write({ type: 'publish', menu, id: name, items: [post] });
    }
    await sleep(tickMs, undefined, { signal });
  }
}

async function allCame(followed: ReadonlyMap<string, Followed>, subscribers: number, signal: AbortSignal) {
  const deadlineAtMs = performance.now() + drainMsMax;
  const isThere = () => followed.values().every(({ came }) => came >= subscribers);
  while (!isThere() && performance.now() < deadlineAtMs) await sleep(2, undefined, { signal });
}

async function cpuDuring(deployment: Deployment, work: () => Promise<void>): Promise<Cpu> {
  const read = async () => {
    const samples = await deployment.sample();
    const of = (wanted: string) =>
      samples.filter(({ role }) => role === wanted).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
    return { node: of('server'), redis: of('redis') };
  };
  const before = await read();
  const beganMs = performance.now();
  await work();
  const ms = performance.now() - beganMs;
  const after = await read();
  return { node: after.node - before.node, redis: after.redis - before.redis, ms };
}
