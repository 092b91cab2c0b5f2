import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { closeAll, frames, logIn, next, prepare } from './person-client.fixture.ts';
import { PersonServer, passwordOf } from './person-server.fixture.ts';

afterEach(closeAll);

const post = (id: number) => ({
  ...{ type: 'post', menu: 'cars', id, date: 1, from: 'bob', to: [[0], [1]], body: `post ${id}` },
});
const channels = [[[0]], [[1]]];

test('a subscription goes on after the last post that came, and no post comes twice', async () => {
  await using server = await PersonServer.start('alice');
  const { person, clock, comeBack } = await logIn(server, 'alice');
  const ids: number[] = [];
  person.events.on('post', ({ id }) => ids.push(id));
  server.other = ({ socket }, { type, menu }) => {
    if (type === 'subscribe') socket.send(JSON.stringify({ type: 'subscribe_ack', menu, result: 'ok' }));
  };
  const ack = await person.posts.subscribe({ menu: 'cars', channels, filters: [] });
  assert.equal(ack.result, 'ok');
  for (const id of [4, 7, 7, 5]) server.tell('alice', post(id));
  await next(person, 'post', ({ id }) => id === 7);
  await comeBack();
  const subscribed = await frames(server, clock, 'subscribe', 2);
  assert.deepEqual(
    subscribed.map(({ lastPostId }) => lastPostId),
    [undefined, 7],
  );
  server.tell('alice', post(7));
  server.tell('alice', post(9));
  await next(person, 'post', ({ id }) => id === 9);
  assert.deepEqual(ids, [4, 7, 9]);
  const ended = await person.posts.subscribe({ menu: 'cars', channels: [[], []], filters: [] });
  assert.equal(ended.result, 'ok');
  assert.deepEqual(person.posts.subscriptions, []);
});

test('a post whose answer is lost is published again with its id; a refusal is an answer', async () => {
  await using server = await PersonServer.start('alice');
  const { person, clock, comeBack } = await logIn(server, 'alice');
  const publish = { menu: 'cars', id: 'mine', items: [{ to: [[0], [1]], body: 'for sale' }] };
  const published = person.posts.publish(publish);
  await frames(server, clock, 'publish', 1);
  server.other = ({ socket }, { type, menu, id }) => {
    const result = type === 'publish' ? 'ok' : 'foreign';
    const items = type === 'publish' ? [{ id: 3, date: 1 }] : undefined;
    socket.send(JSON.stringify({ type: `${type}_ack`, menu, id, result, items }));
  };
  await comeBack();
  assert.deepEqual((await published).result, 'ok');
  const [first, second] = server.framesOf('publish');
  assert.deepEqual(first, second);
  assert.equal((await person.posts.delete({ menu: 'cars', id: 3 })).result, 'foreign');
  server.other = () => {};
  const lost = person.posts.delete({ menu: 'cars', id: 4 });
  person.account.logout();
  assert.equal((await lost).result, 'lost');
});

const acks = (server: PersonServer, results: string[]) => {
  server.other = ({ socket }, { type, menu }) => {
    const result = results.shift() ?? 'ok';
    if (type === 'subscribe') socket.send(JSON.stringify({ type: 'subscribe_ack', menu, result }));
  };
};

test('a refused change leaves the subscription of before, which is asked for again', async () => {
  await using server = await PersonServer.start('alice');
  const { person, clock } = await logIn(server, 'alice');
  acks(server, ['ok', 'limit', 'ok']);
  await person.posts.subscribe({ menu: 'cars', channels, filters: [] });
  server.tell('alice', post(4));
  await next(person, 'post');
  const wider = { menu: 'cars', channels: [[[0], [1]], [[1]]], filters: [] };
  const refused = person.posts.subscribe(wider);
  const second = await person.posts.subscribe({ menu: 'cars', channels: [[], []], filters: [] });
  assert.equal(second.result, 'busy');
  assert.equal((await refused).result, 'limit');
  const subscribed = await frames(server, clock, 'subscribe', 3);
  assert.deepEqual(
    subscribed.map((frame) => [frame.channels, frame.lastPostId]),
    [
      [channels, undefined],
      [wider.channels, undefined],
      [channels, 4],
    ],
  );
  assert.deepEqual(person.posts.subscriptions, [{ menu: 'cars', channels, filters: [], lastPostId: 4 }]);
});

test('a subscription goes on when the server is busy for a time; one that it does not take any more ends', async () => {
  await using server = await PersonServer.start('alice');
  const { person, clock, comeBack } = await logIn(server, 'alice');
  const heard: string[] = [];
  person.events.on('subscribed', ({ result, again }) => heard.push(`${result} ${again}`));
  acks(server, ['ok', 'busy', 'busy', 'ok', 'menu']);
  await person.posts.subscribe({ menu: 'cars', channels, filters: [] });
  await comeBack();
  for (let count = 2; count < 4; count++) {
    await heardAll(count);
    clock.advance(2_000);
  }
  await heardAll(4);
  assert.deepEqual(heard, ['ok false', 'busy true', 'busy true', 'ok true']);
  await comeBack();
  await heardAll(5);
  assert.equal(heard.at(-1), 'menu true');
  assert.deepEqual(person.posts.subscriptions, []);

  async function heardAll(count: number): Promise<void> {
    while (heard.length < count)
      await new Promise<void>((done) => {
        const stop = person.events.on('subscribed', () => {
          stop();
          done();
        });
      });
  }
});

test('subscriptions of an earlier page go on at the first login, and one in another menu is refused for itself', async () => {
  await using server = await PersonServer.start('alice');
  const { person, clock } = prepare(server);
  const held = { menu: 'cars', channels, filters: [], lastPostId: 7 };
  person.posts.restore([held]);
  acks(server, ['ok', 'menu']);
  person.chat.connect();
  await person.account.login({ user: 'alice', password: passwordOf('alice') });
  const [first] = await frames(server, clock, 'subscribe', 1);
  assert.deepEqual({ ...first }, { type: 'subscribe', ...held });
  const ack = await person.posts.subscribe({ menu: 'boats', channels, filters: [] });
  assert.equal(ack.result, 'menu');
  assert.deepEqual(person.posts.subscriptions, [held]);
});
