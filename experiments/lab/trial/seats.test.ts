import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { allKnown } from './seats.ts';

const { signal } = new AbortController();

/** A node that reports these numbers of members in turn, and then the last of them. */
async function nodeWith(name: string, members: readonly (number | null)[]) {
  let asked = 0;
  const server = createServer((_request, response) => {
    const count = members[Math.min(asked++, members.length - 1)];
    response.end(count === null ? 'chat_sessions 0\n' : `chat_members ${count}\n`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const internalUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return { name, internalUrl, asked: () => asked, [Symbol.asyncDispose]: close };
}

test('nodes are waited for until each knows all of them', async () => {
  await using first = await nodeWith('node-1', [1, 1, 2]);
  await using second = await nodeWith('node-2', [2]);
  await allKnown([first, second], signal);
  assert.equal(first.asked(), 3);
});

test('nodes that do not come to know each other are named, with what each knows', async () => {
  await using first = await nodeWith('node-1', [1]);
  await using second = await nodeWith('node-2', [null]);
  await assert.rejects(
    allKnown([first, second], signal, 200),
    /required 2 nodes; node-1 knows 1, node-2 knows none/,
  );
});
