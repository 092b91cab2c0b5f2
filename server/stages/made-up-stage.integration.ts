/** A new stage needs only its entry in the table to be found, listed, started and tested. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { encodeMessage } from '#protocol';
import { Person } from '../../testing/person.ts';
import { ServerProcess } from '../../testing/server.ts';
import { findStage } from './index.ts';
import { madeUp } from './made-up-stage.fixture.ts';
import { stageContract } from './stage.contract.ts';
import type { StageDeclaration } from './stage.ts';

const nodeArgs = ['--import', new URL('./made-up-stage.fixture.ts', import.meta.url).href];

test('a stage in the table is found by name, number and noun, and listed with its declaration', async () => {
  for (const given of ['99-made-up', '99', 'made-up']) assert.equal(findStage(given), madeUp);
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeArgs, main, '--list-stages']);
  const { compose: _, ...declaration } = madeUp;
  assert.deepEqual((JSON.parse(stdout) as StageDeclaration[]).at(-1), declaration);
});

test('a stage adds typed messages and HTTP routes; all other frames and paths are answered as ever', async () => {
  await using server = await ServerProcess.start(madeUp.name, [], nodeArgs);
  const http = server.origin.replace(/^ws/, 'http');
  assert.equal(await (await fetch(`${http}/hello?to=all`)).text(), 'hello\n');
  assert.deepEqual([(await fetch(`${http}/other`)).status, (await fetch(`${http}/ws`)).status], [404, 426]);
  const alice = await Person.join(server.url(), 'alice');
  const echo = '{"type":"echo","text":"hi"}';
  alice.ws.send(echo);
  // A frame with the two fields is a message, whatever else it holds.
  alice.ws.send('{"type":"echo","clientId":"alice","Message":"hi"}');
  await alice.hears(2);
  assert.deepEqual(alice.heard, [echo, encodeMessage({ clientId: 'alice', Message: 'hi' })]);
  alice.ws.send('{"type":"unknown"}');
  const reason = 'clientId and Message must both be strings';
  assert.deepEqual(await alice.closed, { code: 1007, reason });
});

stageContract(madeUp, [], nodeArgs);
