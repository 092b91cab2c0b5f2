import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { DeployedNode } from '../deployment/deployment.ts';
import { Resizing } from './resize.ts';

const { signal } = new AbortController();

/** A node that counts so many sessions, and ends when it is told to. */
async function nodeWith(name: string, sessions: number) {
  const ended = Promise.withResolvers<string>();
  const signals: string[] = [];
  const server = createServer((_request, response) => {
    response.end(
      `chat_sessions ${sessions}\nchat_resume_total{outcome="recovered"} 4\nchat_resume_total{outcome="first"} 3\nchat_moves_total 2\n`,
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const node = {
    name,
    internalUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    signal: async (sent: string) => {
      signals.push(sent);
      ended.resolve('exit code 0');
    },
    ended: ended.promise,
  } as unknown as DeployedNode;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return { node, signals, [Symbol.asyncDispose]: close };
}

test('nodes are added one after the other, and leave in reverse; sessions and counters are followed', async () => {
  await using first = await nodeWith('node-1', 10);
  await using second = await nodeWith('node-2', 20);
  await using third = await nodeWith('node-3', 30);
  const later = [second.node, third.node];
  const addNode = async () => later.shift()!;
  const plan = { nodesMax: 3, growAtSeconds: 0.6, shrinkAtSeconds: 1.5 };
  const resizing = new Resizing({ nodes: [first.node], addNode }, plan, signal);
  assert.equal(await resizing.ended(), null, 'no measure phase yet');
  resizing.enter('warm-up');
  resizing.enter('measure');
  const record = await resizing.ended();
  assert.deepEqual(
    record!.events.map(({ node, what }) => `${node} ${what}`),
    ['node-2 added', 'node-3 added', 'node-3 leaves', 'node-3 left', 'node-2 leaves', 'node-2 left'],
  );
  assert.deepEqual(second.signals, ['SIGTERM']);
  assert.deepEqual(first.signals, []);
  const [atFirst] = record!.samples;
  assert.deepEqual({ ...atFirst, atSeconds: 0 }, { atSeconds: 0, sessions: [10], resumes: 0, moves: 0 });
  const full = record!.samples.find(({ sessions }) => sessions.length === 3)!;
  assert.deepEqual([full.sessions, full.resumes, full.moves], [[10, 20, 30], 14, 4]);
  assert.equal(record!.error, null);
});

test('a node that cannot be started is the error of the record', async () => {
  await using first = await nodeWith('node-1', 10);
  const addNode = () => Promise.reject(new Error('no room for it'));
  const plan = { nodesMax: 2, growAtSeconds: 0, shrinkAtSeconds: 0 };
  const resizing = new Resizing({ nodes: [first.node], addNode }, plan, signal);
  resizing.enter('measure');
  assert.equal((await resizing.ended())!.error, 'no room for it');
});
