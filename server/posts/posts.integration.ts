/**
 * Posts of the real process with a real Redis: two nodes, readers that move between them, and lost
 * connections.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import {
  encodeDeletePost,
  encodeLogin,
  encodePublish,
  encodeSubscribe,
  type Menu,
  type Post,
  type PostServerFrame,
  parsePostServerFrame,
  type Subscribe,
} from '#protocol';
import { Person } from '../../testing/person.ts';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { noRate, ServerProcess } from '../../testing/server.ts';
import { until } from '../../testing/until.ts';

const startRedis = await findRedis();
const skip = startRedis ? false : noRedis;
const redis = await startRedis?.();
after(() => redis?.[Symbol.asyncDispose]());

const password = 'correct-horse-battery';
const fastHashes = ['--password-memory', '64KiB', '--password-passes', '1'];
const start = (namespace: string, ...args: string[]) =>
  ServerProcess.start('07-mailbox', [
    ...['--redis-url', redis!.url, '--redis-namespace', namespace, ...fastHashes, ...noRate],
    ...args,
  ]);

async function register(server: ServerProcess, user: string): Promise<void> {
  const { status } = await fetch(`${server.origin.replace(/^ws/, 'http')}/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, password }),
  });
  assert.equal(status, 201);
}

/** Someone who is logged in, after other attempts where the server could not take them yet. */
async function logIn(server: ServerProcess, user: string, device = 'phone'): Promise<Person> {
  for (let attempts = 1; ; attempts++) {
    // 503 while the server has no connection to Redis.
    const person = await Person.join(server.url(`room-of-${user}`), user).catch((error: Error) => {
      assert.match(error.message, /503/);
    });
    person?.ws.send(encodeLogin({ user, password, device }));
    await person?.hears(1);
    const result = person && JSON.parse(person.heard[0]!).result;
    if (result === 'ok') return person!;
    await person?.leave();
    assert.ok(!person || result === 'busy', result);
    assert.ok(attempts < 100, 'the server is not busy for ever');
    await sleep(50);
  }
}

/** The frames about posts of one type, in order. */
function framesOf<T extends PostServerFrame['type']>(person: Person, type: T) {
  const frames = person.heard.map(parsePostServerFrame);
  return frames.filter((frame) => frame?.type === type) as Extract<PostServerFrame, { type: T }>[];
}

const postsOf = (person: Person): Post[] => framesOf(person, 'post');

/** Sends a frame and resolves with its answer. */
async function ask<T extends PostServerFrame['type']>(person: Person, text: string, type: T) {
  const count = framesOf(person, type).length;
  person.ws.send(text);
  await until(() => framesOf(person, type).length > count, `the answer ${type}`);
  return framesOf(person, type).at(-1)!;
}

const porto = { menu: 'cars', channels: [[[0, 1]], [[]]], filters: [] } satisfies Subscribe;
const clio = {
  to: [
    [0, 1],
    [2, 0],
  ],
  body: 'Clio, one owner',
  features: [0, 7],
  ranges: { price: 4_900 },
};

test('a post crosses nodes, waits for who is away, and is deleted by its author only', { skip }, async () => {
  const namespace = `posts-${randomUUID()}`;
  await using one = await start(namespace);
  await using two = await start(namespace);
  for (const user of ['eve', 'bob']) await register(one, user);
  const [eve, bob] = [await logIn(one, 'eve'), await logIn(two, 'bob')];
  const filters = [{ ranges: { price: [null, 5_000] as const } }];
  const subscribed = await ask(bob, encodeSubscribe({ ...porto, filters }), 'subscribe_ack');
  assert.equal(subscribed.result, 'ok');
  const dear = { ...clio, ranges: { price: 50_000 } };
  const { items } = await ask(eve, encodePublish({ menu: 'cars', items: [dear, clio] }), 'publish_ack');
  await until(() => postsOf(bob).length === 1, 'the post on the other node');
  const [, { id, date }] = items as [unknown, { id: number; date: number }];
  assert.deepEqual(postsOf(bob), [{ type: 'post', id, date, menu: 'cars', from: 'eve', ...clio }]);
  await two.reaches('chat_posts_delivered_total', 1);
  await one.reaches('chat_posts_published_total{result="ok"}', 2);
  await one.reaches('chat_posts_delivered_total', 0);
  await bob.leave();
  await two.reaches('chat_posts_subscriptions', 0);

  const third = await ask(eve, encodePublish({ menu: 'cars', items: [clio] }), 'publish_ack');
  const back = await logIn(one, 'bob');
  const repeated = await ask(back, encodeSubscribe({ ...porto, lastPostId: id }), 'subscribe_ack');
  assert.deepEqual([repeated.posts, repeated.older], [1, false]);
  await until(() => postsOf(back).length === 1, 'the post that he missed');
  assert.equal(postsOf(back)[0]!.id, third.items![0]!.id);

  const remove = (person: Person) => ask(person, encodeDeletePost({ menu: 'cars', id }), 'delete_ack');
  assert.equal((await remove(back)).result, 'foreign');
  assert.equal((await remove(eve)).result, 'ok');
  const left = await ask(back, encodeSubscribe(porto), 'subscribe_ack');
  assert.equal(left.posts, 2);
  const limited = await ask(eve, encodePublish({ menu: 'cars', items: [clio, clio] }), 'publish_ack');
  assert.deepEqual(
    [limited.result, limited.detail],
    ['limit', 'you can publish 1 more posts in this menu now'],
  );
});

test('the menus are served, one’s own too; a frame without a login is refused', { skip }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chat-menus-'));
  const trees = [{ name: 'size', depths: [1], children: [{ name: 'small' }, { name: 'large' }] }];
  writeFileSync(join(directory, 'boats.json'), JSON.stringify({ title: 'Boats', trees }));
  try {
    await using shipped = await start(`posts-${randomUUID()}`);
    await using own = await start(`posts-${randomUUID()}`, '--menus', directory);
    const get = async (server: ServerProcess, path: string) =>
      (await (await fetch(server.origin.replace(/^ws/, 'http') + path)).json()) as unknown;
    const { menus } = (await get(shipped, '/menus')) as { menus: { name: string }[] };
    assert.deepEqual(
      menus.map(({ name }) => name),
      ['cars', 'events', 'housing'],
    );
    assert.equal(((await get(shipped, '/menus/cars')) as Menu).trees[1]!.name, 'make');
    assert.deepEqual(await get(own, '/menus'), { menus: [{ name: 'boats', title: 'Boats' }] });
    const stranger = await Person.join(own.url(), 'stranger');
    stranger.ws.send(encodeSubscribe({ ...porto, menu: 'boats' }));
    assert.equal((await stranger.closed).code, 1008);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('menus that cannot be used end the start with exit code 2, and with every mistake', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chat-menus-'));
  writeFileSync(join(directory, 'boats.json'), '{"title": 7}');
  try {
    await assert.rejects(ServerProcess.start('07-mailbox', ['--menus', directory]), (error: Error) => {
      assert.match(
        error.message,
        /Set title in .*boats\.json to a text of 1 to 100 characters; given was 7\./,
      );
      assert.match(
        error.message,
        /Set trees in .*boats\.json to a list of 1 to 8 trees; given was nothing\./,
      );
      return true;
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('readers that move between nodes receive each post once, also when connections to Redis are lost', {
  skip,
}, async () => {
  const namespace = `posts-${randomUUID()}`;
  const options = [
    '--posts-per-person-max',
    '10000',
    '--posts-repeated-max',
    '10000',
    '--post-check-interval',
    '200ms',
  ];
  await using one = await start(namespace, ...options);
  await using two = await start(namespace, ...options);
  const servers = [one, two];
  for (const user of ['eve', 'bob']) await register(one, user);
  const authors = [await logIn(one, 'eve', 'one'), await logIn(two, 'eve', 'two')];
  const stored = new Set<number>();
  let isOver = false;
  const publishing = authors.map(async (author, node) => {
    for (let index = 0; index < 150; index++) {
      const frame = encodePublish({ menu: 'cars', id: `${node}-${index}`, items: [clio] });
      for (;;) {
        const { result, items } = await ask(author, frame, 'publish_ack');
        for (const { id } of items ?? []) stored.add(id);
        if (result === 'ok') break;
        assert.equal(result, 'busy');
      }
    }
  });
  const received: number[][] = [];
  const reading = Array.from({ length: 6 }, async (_, reader) => {
    const ids: number[] = [];
    received[reader] = ids;
    for (let visit = 0; ; visit++) {
      const isLast = isOver;
      const person = await logIn(servers[(reader + visit) % 2]!, 'bob', `d${reader}`);
      for (;;) {
        const lastPostId = ids.at(-1) ?? 0;
        const { result } = await ask(person, encodeSubscribe({ ...porto, lastPostId }), 'subscribe_ack');
        if (result === 'ok') break;
      }
      const enough = () => (isLast ? ids.length + postsOf(person).length >= stored.size : true);
      await until(() => enough() && (isLast || isOver || postsOf(person).length >= 20), 'posts', 10_000);
      await person.leave();
      ids.push(...postsOf(person).map(({ id }) => id));
      if (isLast) return;
    }
  });
  const admin = new Redis(redis!.url);
  const cutting = setInterval(
    () => void admin.call('CLIENT', ['KILL', 'TYPE', 'normal', 'SKIPME', 'yes']),
    150,
  );
  const published = Promise.all(publishing).finally(() => {
    clearInterval(cutting);
    admin.disconnect();
    isOver = true;
  });
  await Promise.all([published, ...reading]);
  const expected = [...stored].sort((x, y) => x - y);
  assert.equal(expected.length, 300);
  for (const [reader, ids] of received.entries()) assert.deepEqual(ids, expected, `reader ${reader}`);
});
