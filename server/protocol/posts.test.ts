import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { childrenAt, type MenuTree, namesOfCode } from './menu.ts';
import {
  encodeDeleteAck,
  encodeDeletePost,
  encodePublish,
  encodePublishAck,
  encodeSubscribe,
  encodeSubscribeAck,
  type Publish,
  parseDeletePost,
  parsePostServerFrame,
  parsePublish,
  parseSubscribe,
  type Subscribe,
} from './posts.ts';

const plain = { noNullPrototype: true };
const code = fc.array(fc.integer({ min: 0, max: 9999 }), { maxLength: 8 });
const features = fc.array(fc.integer({ min: 0, max: 63 }), { minLength: 1, maxLength: 64 });
const number = fc.integer({ min: -1000, max: 1000 });
const interval = fc.tuple(number, number).map(([one, other]) => [Math.min(one, other), Math.max(one, other)]);
const name = fc.stringMatching(/^[a-z0-9_-]{1,32}$/);
const tag = fc.string({ minLength: 1, maxLength: 64 });
const filter = fc.record(
  { filter: tag, anyOf: features, ranges: fc.dictionary(name, interval, { maxKeys: 16, ...plain }) },
  { requiredKeys: [], ...plain },
);
const subscribe = fc.record(
  {
    menu: name,
    channels: fc.array(fc.array(code), { maxLength: 8 }),
    filters: fc.array(filter),
    lastPostId: fc.maxSafeNat(),
  },
  { requiredKeys: ['menu', 'channels', 'filters'], ...plain },
) as unknown as fc.Arbitrary<Subscribe>;
const item = fc.record(
  {
    to: fc.array(code, { maxLength: 8 }),
    body: fc.string(),
    filter: tag,
    features,
    ranges: fc.dictionary(name, fc.oneof(number, interval), { maxKeys: 16, ...plain }),
  },
  { requiredKeys: ['to', 'body'], ...plain },
);
const publish = fc.record(
  { menu: name, id: tag, items: fc.array(item, { minLength: 1 }) },
  { requiredKeys: ['menu', 'items'], ...plain },
) as unknown as fc.Arbitrary<Publish>;

test('a frame is the same after encoding and parsing', () => {
  fc.assert(
    fc.property(subscribe, (frame) =>
      assert.deepEqual(parseSubscribe(JSON.parse(encodeSubscribe(frame))), frame),
    ),
  );
  fc.assert(
    fc.property(publish, (frame) => assert.deepEqual(parsePublish(JSON.parse(encodePublish(frame))), frame)),
  );
  fc.assert(
    fc.property(name, fc.maxSafeNat(), (menu, id) =>
      assert.deepEqual(parseDeletePost(JSON.parse(encodeDeletePost({ menu, id }))), { menu, id }),
    ),
  );
});

test('unknown fields are dropped, in the frame and in what it holds', () => {
  const read = parsePublish({ menu: 'cars', items: [{ to: [[0]], body: 'b', more: 1 }], more: 1 });
  assert.deepEqual(read, { menu: 'cars', items: [{ to: [[0]], body: 'b' }] });
  const frame = { menu: 'cars', channels: [], filters: [{ filter: 'x', more: 1 }], more: 1 };
  assert.deepEqual(parseSubscribe(frame), { menu: 'cars', channels: [], filters: [{ filter: 'x' }] });
  assert.deepEqual(parseSubscribe({ menu: 'cars', channels: [] }), {
    menu: 'cars',
    channels: [],
    filters: [],
  });
});

test('a frame that breaks a rule is refused with the rule', () => {
  const wrong: [unknown, RegExp][] = [
    [parseSubscribe({ menu: 'Cars', channels: [] }), /menu must be/],
    [parseSubscribe({ menu: 'cars' }), /channels must be/],
    [parseSubscribe({ menu: 'cars', channels: [[0]] }), /channels must be/],
    [parseSubscribe({ menu: 'cars', channels: [[[-1]]] }), /channels must be/],
    [parseSubscribe({ menu: 'cars', channels: [[[0.5]]] }), /channels must be/],
    [parseSubscribe({ menu: 'cars', channels: [], filters: [{ anyOf: [] }] }), /filters must be/],
    [parseSubscribe({ menu: 'cars', channels: [], filters: [{ ranges: { a: [2, 1] } }] }), /filters must be/],
    [parseSubscribe({ menu: 'cars', channels: [], filters: [{ ranges: { a: 1 } }] }), /filters must be/],
    [parseSubscribe({ menu: 'cars', channels: [], lastPostId: -1 }), /lastPostId must be/],
    [parsePublish({ menu: 'cars', items: [] }), /items must be/],
    [parsePublish({ menu: 'cars', items: [{ to: [[0]] }] }), /items must be/],
    [parsePublish({ menu: 'cars', items: [{ to: [[0]], body: 'b', features: [64] }] }), /items must be/],
    [parsePublish({ menu: 'cars', items: [{ to: [[0]], body: 'b', ranges: { a: [null, 1] } }] }), /items/],
    [parsePublish({ menu: 'cars', id: '', items: [{ to: [], body: '' }] }), /id must be/],
    [parseDeletePost({ menu: 'cars', id: '7' }), /id must be/],
  ];
  for (const [outcome, pattern] of wrong) {
    assert.equal((outcome as { fault: string }).fault, 'malformed');
    assert.match((outcome as { detail: string }).detail, pattern);
  }
});

test('parsing never throws, whatever the fields hold', () => {
  const keys = ['menu', 'channels', 'filters', 'lastPostId', 'id', 'items', 'to', 'body', 'ranges'];
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), tie('object'), fc.array(tie('any'))),
    object: fc.dictionary(fc.constantFrom(...keys, '__proto__'), tie('any')),
  })).object as fc.Arbitrary<Record<string, unknown>>;
  fc.assert(
    fc.property(value, (fields) => {
      for (const parse of [parseSubscribe, parsePublish, parseDeletePost])
        assert.equal(typeof parse({ menu: 'cars', ...fields }), 'object');
      for (const type of ['post', 'subscribe_ack', 'publish_ack', 'delete_ack', 'other'])
        parsePostServerFrame(JSON.stringify({ type, menu: 'cars', ...fields }));
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => parsePostServerFrame(`{"type":"post"${text}`) === undefined));
});

test('what the server says is read as it was written, and nothing else is', () => {
  const subscribed = { menu: 'cars', result: 'ok', channels: 2, posts: 1, older: false } as const;
  assert.deepEqual(parsePostServerFrame(encodeSubscribeAck(subscribed)), {
    type: 'subscribe_ack',
    ...subscribed,
  });
  const published = { menu: 'cars', result: 'ok', items: [{ id: 3, date: 4 }] } as const;
  assert.deepEqual(parsePostServerFrame(encodePublishAck(published)), { type: 'publish_ack', ...published });
  const deleted = { menu: 'cars', id: 3, result: 'foreign' } as const;
  assert.deepEqual(parsePostServerFrame(encodeDeleteAck(deleted)), { type: 'delete_ack', ...deleted });
  const post = { type: 'post', id: 3, date: 4, menu: 'cars', from: 'eve', to: [[0]], body: 'b' };
  assert.deepEqual(parsePostServerFrame(JSON.stringify(post)), post);
  for (const text of [
    '',
    '{"type":"post"',
    '{"type":"message","menu":"cars"}',
    '{"type":"post","menu":"cars"}',
  ])
    assert.equal(parsePostServerFrame(text), undefined, text);
});

test('a code leads to the names on its way', () => {
  const tree: MenuTree = {
    name: 'place',
    depths: [1],
    children: [{ name: 'Portugal', children: [{ name: 'Lisbon' }, { name: 'Porto' }] }],
  };
  assert.deepEqual(namesOfCode(tree, [0, 1]), ['Portugal', 'Porto']);
  assert.deepEqual(namesOfCode(tree, []), []);
  assert.equal(namesOfCode(tree, [0, 2]), undefined);
  assert.equal(childrenAt(tree, [0])!.length, 2);
  assert.deepEqual(childrenAt(tree, [0, 0]), []);
  assert.equal(childrenAt(tree, [1]), undefined);
});
