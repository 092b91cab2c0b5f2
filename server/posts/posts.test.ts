/** The part with a store in memory: every frame and its answer, and who receives what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PostContent } from '#protocol';
import { until } from '../../testing/until.ts';
import { count, everywhere, startPosts as start } from './part.fixture.ts';
import { TestSession, toNorth } from './posts.fixture.ts';

test('a post reaches those who subscribe to one of its channels and whose filters it passes', async (context) => {
  const { meter, subscribe, publish } = await start(context);
  const [eve, all, north, south, filtered] = ['eve', 'all', 'north', 'south', 'filtered'].map(
    (user) => new TestSession(user),
  );
  assert.deepEqual(await subscribe(all!), { type: 'subscribe_ack', ...ok, channels: 2 });
  await subscribe(north!, {
    channels: [
      [
        [0, 0],
        [0, 1],
      ],
      [[0]],
    ],
  });
  await subscribe(south!, { channels: [[[1, 0]], [[0], [1]]] });
  await subscribe(filtered!, {
    filters: [{ filter: 'red' }, { anyOf: [39], ranges: { price: [null, 10] } }],
  });
  const items: PostContent[] = [
    toNorth,
    {
      to: [
        [1, 0],
        [1, 0],
      ],
      body: 'ü',
      filter: 'red',
      features: [3],
      ranges: { year: [1990, 1999] },
    },
    { to: [[0, 1], [0]], body: '', features: [1, 39], ranges: { price: 10 } },
    { to: [[0, 1], [0]], body: '', features: [1, 39], ranges: { price: 11 } },
  ];
  const { result, items: stored } = await publish(eve!, items);
  assert.equal(result, 'ok');
  const ids = stored!.map(({ id }) => id);
  await until(() => all!.ids.length === 4 && filtered!.ids.length === 2, 'delivered');
  assert.deepEqual(all!.ids, ids);
  assert.deepEqual(north!.ids, [ids[0], ids[2], ids[3]]);
  assert.deepEqual(south!.ids, [ids[1]]);
  assert.deepEqual(filtered!.ids, [ids[1], ids[2]]);
  const { date } = stored![1]!;
  assert.deepEqual(south!.posts[0], {
    type: 'post',
    id: ids[1],
    date,
    menu: 'small',
    from: 'eve',
    ...items[1],
  });
  assert.deepEqual(eve!.ids, []);
  assert.equal(await count(meter.delivered), 10);
  assert.equal(await count(meter.published), 4);
  assert.equal(await count(meter.subscriptions), 4);
  assert.equal(await count(meter.healed), 0);
});

const ok = { menu: 'small', result: 'ok', posts: 0, older: false } as const;

test('the posts of one turn are one write', async (context) => {
  const { subscribe, publish } = await start(context);
  const [eve, reader] = [new TestSession('eve'), new TestSession('reader')];
  await subscribe(reader);
  await publish(
    eve,
    Array.from({ length: 4 }, () => toNorth),
  );
  await until(() => reader.ids.length === 4, 'delivered');
  assert.equal(reader.writes, 1);
});

test('who comes back receives the newest that are newer than the last, the oldest first, and is told of others', async (context) => {
  const { subscribe, publish } = await start(context, { postsRepeatedMax: 5, postBufferBytesMax: 300 });
  const eve = new TestSession('eve');
  const ids: number[] = [];
  for (let index = 0; index < 10; index++) ids.push((await publish(eve, [toNorth])).items![0]!.id);
  for (const [lastPostId, expected, older] of [
    [undefined, ids.slice(5), true],
    [0, ids.slice(5), true],
    [ids[4], ids.slice(5), false],
    [ids[7], ids.slice(8), false],
    [ids[9], [], false],
  ] as const) {
    const reader = new TestSession('reader');
    const ack = await subscribe(reader, { lastPostId });
    assert.deepEqual([ack.result, ack.posts, ack.older], ['ok', expected.length, older], `${lastPostId}`);
    await until(() => reader.ids.length === expected.length, 'repeated');
    assert.deepEqual(reader.ids, expected);
    assert.match(reader.texts[0]!, /subscribe_ack/, 'the ack comes first');
  }
});

test('a position that nobody gave is answered with what is new', async (context) => {
  const { subscribe, publish } = await start(context);
  const [eve, reader] = [new TestSession('eve'), new TestSession('reader')];
  await publish(eve, [toNorth]);
  assert.equal((await subscribe(reader, { lastPostId: Number.MAX_SAFE_INTEGER })).posts, 0);
  const { id } = (await publish(eve, [toNorth])).items![0]!;
  await until(() => reader.ids.length === 1, 'live');
  assert.deepEqual(reader.ids, [id]);
});

test('a subscription replaces the one before in its menu, and no channels end it', async (context) => {
  const { meter, subscribe, publish } = await start(context);
  const [eve, reader] = [new TestSession('eve'), new TestSession('reader')];
  await subscribe(reader);
  await subscribe(reader, { channels: [[[1, 0]], [[0]]] });
  await publish(eve, [toNorth]);
  const south = (await publish(eve, [{ to: [[1, 0], [0]], body: 's' }])).items![0]!.id;
  await until(() => reader.ids.length === 1, 'delivered');
  assert.deepEqual(reader.ids, [south]);
  assert.equal(await count(meter.subscriptions), 1);
  assert.deepEqual(await subscribe(reader, { channels: [] }), { type: 'subscribe_ack', ...ok, channels: 0 });
  assert.equal(await count(meter.subscriptions), 0);
  await publish(eve, [{ to: [[1, 0], [0]], body: 's' }]);
  await turn();
  assert.deepEqual(reader.ids, [south]);
});

test('a reader that takes nothing costs a bounded number of bytes, and receives all of it when it does', async (context) => {
  const { meter, subscribe, publish } = await start(context, { postBufferBytesMax: 4096, postTailMax: 10 });
  const [eve, slow, other] = ['eve', 'slow', 'other'].map((user) => new TestSession(user));
  await subscribe(slow!);
  await subscribe(other!, { channels: [[[0, 0]], [[0]]] });
  slow!.isSlow = true;
  const ids: number[] = [];
  for (let index = 0; index < 200; index++) {
    const body = 'x'.repeat(500);
    ids.push((await publish(eve!, [{ ...toNorth, body }])).items![0]!.id);
    await turn();
  }
  await until(() => other!.ids.length === 200, 'others do not wait');
  assert.ok(slow!.bufferedBytes > 4096 && slow!.bufferedBytes < 8192, `${slow!.bufferedBytes} bytes`);
  assert.equal(await count(meter.delayed), 1);
  slow!.isSlow = false;
  slow!.take();
  await until(() => slow!.ids.length === 200, 'all of them');
  assert.deepEqual(slow!.ids, ids);
});

test('a frame that does not fit the menu or a limit is refused with what is wrong', async (context) => {
  const { meter, send, subscribe, publish } = await start(context, {
    postChannelsMax: 3,
    postFiltersMax: 2,
    postsPerPersonMax: 2,
    postItemsMax: 3,
    postBytesMax: 10,
  });
  const eve = new TestSession('eve');
  const refusals: [object, string, RegExp][] = [
    [{ menu: 'none' }, 'menu', /GET \/menus/],
    [{ channels: [[[0]], [[0]]] }, 'invalid', /codes of 0 or 2/],
    [
      {
        channels: [
          [
            [0, 0],
            [0, 1],
          ],
          [[0], [1]],
        ],
      },
      'limit',
      /at most 3 channels/,
    ],
    [{ filters: [{}, {}, {}] }, 'limit', /at most 2 filters/],
    [{ filters: [{ anyOf: [40] }] }, 'invalid', /no feature 40/],
    [{ filters: [{ ranges: { size: [0, 1] } }] }, 'invalid', /no quantity "size"/],
  ];
  for (const [frame, result, detail] of refusals) {
    const ack = await subscribe(eve, frame);
    assert.equal(ack.result, result);
    assert.match(ack.detail!, detail);
  }
  assert.equal(await count(meter.subscriptions), 0);
  const misfits: [PostContent[], RegExp][] = [
    [[toNorth, { ...toNorth, to: [[0], [0]] }], /items\[1\]: name a leaf/],
    [[{ ...toNorth, body: 'é'.repeat(6) }], /at most 10 bytes of UTF-8, this one 12/],
    [[{ ...toNorth, features: [40] }], /no feature 40/],
    [[{ ...toNorth, ranges: { size: 1 } }], /no quantity "size"/],
    [[toNorth, toNorth, toNorth, toNorth], /at most 3 posts/],
  ];
  for (const [items, detail] of misfits) {
    const ack = await publish(eve, items);
    assert.equal(ack.result, 'invalid');
    assert.match(ack.detail!, detail);
  }
  const limited = await publish(eve, [toNorth, toNorth, toNorth], 'too many');
  assert.deepEqual([limited.result, limited.id], ['limit', 'too many']);
  assert.match(limited.detail!, /publish 2 more posts/);
  send(eve, 'publish', { items: [] });
  assert.equal(eve.closedWith, 1007);
});

test('a publish that is sent again under its id is answered the same, and delivered once', async (context) => {
  const { subscribe, publish } = await start(context);
  const [eve, reader] = [new TestSession('eve'), new TestSession('reader')];
  await subscribe(reader);
  const first = await publish(eve, [toNorth], 'once');
  assert.deepEqual(await publish(eve, [toNorth], 'once'), first);
  const { id } = (await publish(eve, [toNorth], 'twice')).items![0]!;
  await until(() => reader.ids.length === 2, 'delivered');
  assert.deepEqual(reader.ids, [first.items![0]!.id, id]);
});

test('only the author deletes a post, and it is not repeated any more', async (context) => {
  const { meter, send, subscribe, publish } = await start(context);
  const [eve, bob, reader] = ['eve', 'bob', 'reader'].map((user) => new TestSession(user));
  const ids = (await publish(eve!, [toNorth, toNorth])).items!.map(({ id }) => id);
  const remove = async (session: TestSession, frame: object) => {
    const acks = session.deleteAcks.length;
    send(session, 'delete', frame);
    await until(() => session.deleteAcks.length > acks, 'the answer to delete');
    return session.deleteAcks.at(-1)!.result;
  };
  assert.equal(await remove(bob!, { id: ids[0] }), 'foreign');
  assert.equal(await remove(eve!, { id: ids[0], menu: 'none' }), 'menu');
  assert.equal(await remove(eve!, { id: ids[0] }), 'ok');
  assert.equal(await remove(eve!, { id: ids[0] }), 'unknown');
  assert.equal(await count(meter.deleted), 1);
  await subscribe(reader!);
  await until(() => reader!.ids.length === 1, 'repeated');
  assert.deepEqual(reader!.ids, [ids[1]]);
});

test('a post whose announcement was lost comes at the next check, and after a gap at once', async (context) => {
  const { signals, store, meter, subscribe } = await start(context, { postCheckIntervalMs: 20 });
  const reader = new TestSession('reader');
  await subscribe(reader);
  const post = {
    author: 'eve',
    channels: ['/0', '0.0/0'],
    rest: JSON.stringify({ menu: 'small', from: 'eve', ...toNorth }),
  };
  await store.publish('small', { id: '', author: 'eve', posts: [post] });
  await until(() => reader.ids.length === 1, 'found by the check');
  assert.equal(await count(meter.healed), 1);
  await store.publish('small', { id: '', author: 'eve', posts: [post] });
  signals.break(() => true);
  await until(() => reader.ids.length === 2, 'found after the gap');
});

test('more questions than a session may have open are answered with busy, and nothing is stored', async (context) => {
  const { send, store } = await start(context);
  const eve = new TestSession('eve');
  for (let index = 0; index < 10; index++) send(eve, 'publish', { items: [toNorth] });
  await until(() => eve.publishAcks.length === 10, 'all are answered');
  assert.equal(eve.publishAcks.filter(({ result }) => result === 'busy').length, 2);
  assert.equal((await store.following('small', 0, 100)).posts.length, 8);
});

test('whoever has left is neither written to nor kept', async (context) => {
  const { part, meter, send, subscribe, publish } = await start(context);
  const [eve, reader] = [new TestSession('eve'), new TestSession('reader')];
  await subscribe(reader);
  send(reader, 'subscribe', { channels: everywhere });
  part.left(reader);
  reader.open = false;
  await publish(eve, [toNorth]);
  await turn();
  assert.equal(reader.texts.length, 1);
  assert.equal(await count(meter.subscriptions), 0);
});
