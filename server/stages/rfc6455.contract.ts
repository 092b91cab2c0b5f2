/** The stage contract about frames: the cases of rfc6455-cases.fixture.ts, each in a room of its own. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { RawPeer } from '#host/raw-peer.ts';
import { encodeMessage } from '#protocol';
import { Person } from '../../testing/person.ts';
import type { ServerProcess } from '../../testing/server.ts';
import { type Rfc6455Case, rfc6455Cases } from './rfc6455-cases.fixture.ts';
import { isBounded, type StageDeclaration } from './stage.ts';

const answerDeadlineMs = 5000;

export function rfc6455Contract(
  stage: StageDeclaration,
  start: (...options: string[]) => Promise<ServerProcess>,
): void {
  // The control passes on what ws lets through.
  if (!isBounded(stage)) return;

  describe('frames', () => {
    let server: ServerProcess;
    before(async () => {
      // Between workers there is no one order in which a message could be the last.
      server = await start('--workers', '1');
    });
    after(() => server[Symbol.asyncDispose]());

    for (const [family, cases] of Object.entries(rfc6455Cases))
      test(`Autobahn ${family}: ${cases.length} cases are answered as the table says`, async () => {
        const rooms = cases.map((one, number) => check(one, server.url(`${family[0]}-${number}`)));
        await Promise.all(rooms);
      });
  });
}

async function check({ id, about, sends, hears, code }: Rfc6455Case, url: string): Promise<void> {
  const name = `${id}: ${about}`;
  const listener = await Person.join(url, 'listener');
  const peer = await RawPeer.join(url);
  try {
    for (const bytes of sends) peer.write(bytes);
    if (code !== 'open') assert.equal(await peer.answer(answerDeadlineMs), code, name);
    await listener.hears(hears.length);
    // What the peer has sent stands before this.
    listener.ws.send(encodeMessage({ clientId: 'listener', Message: 'the end' }));
    await listener.hears(hears.length + 1);
    assert.deepEqual(listener.texts, [...hears, 'the end'], name);
    if (code === 'open') assert.equal(await peer.answer(0), 'nothing', name);
  } finally {
    peer.destroy();
    listener.ws.terminate();
  }
}
