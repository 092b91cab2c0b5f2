/** Four real nodes that answer `GET /connect` at the same time: how evenly people sit. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, test } from 'node:test';
import { WebSocket } from 'ws';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { ServerProcess } from '../../testing/server.ts';

const startRedis = await findRedis();
const skip = startRedis ? false : noRedis;
const redis = await startRedis?.();
after(() => redis?.[Symbol.asyncDispose]());

const people = 600;
/** A fair share of them, and less than that: the room needs all four nodes. */
const seatSessionsMax = 100;
/** So many join at the same time. */
const joinersAtOnce = 40;

/** Asks the node, and joins where it says. Resolves once joined, with the connection. */
async function join(node: ServerProcess, room: string, agent: http.Agent): Promise<WebSocket> {
  const seat = await new Promise<{ url: string }>((resolve, reject) => {
    const address = `${node.origin.replace(/^ws/, 'http')}/connect?room=${room}`;
    const request = http.get(address, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(JSON.parse(text)));
    });
    request.on('error', reject);
  });
  const ws = new WebSocket(seat.url, { perMessageDeflate: false });
  ws.on('error', () => {}); // 'close' follows.
  await new Promise((resolve, reject) => {
    ws.on('open', resolve);
    ws.on('close', () => reject(new Error(`${seat.url} closed the connection`)));
  });
  return ws;
}

test('one huge room, and many small ones, sit evenly on four nodes that are all asked', {
  skip,
}, async () => {
  const args = ['--redis-url', redis!.url, '--redis-namespace', `balance-${process.pid}`];
  const options = ['--seat-sessions-max', String(seatSessionsMax)];
  await using stack = new AsyncDisposableStack();
  const starts = Array.from({ length: 4 }, () =>
    ServerProcess.start('06-partitioned', [...args, ...options]),
  );
  const nodes = (await Promise.all(starts)).map((node) => stack.use(node));
  for (const node of nodes) await node.reaches('chat_members', nodes.length);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
  stack.defer(() => agent.destroy());
  for (const roomOf of [() => 'huge', (person: number) => `small-${person}`]) {
    const joined: WebSocket[] = [];
    let next = 0;
    const joinOn = async () => {
      for (let person = next++; person < people; person = next++)
        joined.push(await join(nodes[person % nodes.length]!, roomOf(person), agent));
    };
    await Promise.all(Array.from({ length: joinersAtOnce }, joinOn));
    const held = await Promise.all(nodes.map(async (node) => (await node.metrics())('chat_sessions')));
    for (const ws of joined) ws.terminate();
    assert.equal(
      held.reduce((sum, count) => sum + count, 0),
      people,
    );
    const fullest = (Math.max(...held) * nodes.length) / people;
    assert.ok(fullest <= 1.25, `${held.join(', ')}: the fullest has ${fullest.toFixed(2)} times the mean`);
    for (const node of nodes) await node.reaches('chat_sessions', 0);
  }
});
