import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { closeAll, frames, logIn, next } from './person-client.fixture.ts';
import { PersonServer } from './person-server.fixture.ts';

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
