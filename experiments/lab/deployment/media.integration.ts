/** The media server of a deployment: killed in the middle of uploads, started again, and emptied. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf } from '#host/process-tree.ts';
import { findRedis, noRedis } from '../../../testing/redis.ts';
import { createAccounts, peopleNamed } from '../people/accounts.ts';
import { ImageUploads } from '../people/image-uploads.ts';
import { Photographer } from '../people/photographer.ts';
import { readMetric } from '../trial/server-metrics.ts';
import { deploy, signal, until } from './deployment.fixture.ts';
import type { DeployedMedia, Deployment, TargetKind } from './deployment.ts';
import { engineFault } from './start.ts';

const fault = await engineFault();
const skips: Record<TargetKind, string | false> = {
  process: (await findRedis()) === null && noRedis,
  container: fault !== null && `no container engine answers: ${fault}`,
};
const stage = '07-mailbox';
const sweptAgeMs = 2 * 500;
const media = { 'media-transfer-timeout': '500ms' };
const none = { unanswered: 0, lost: 0, changed: 0 };

/** People upload until the media server is killed in the middle of it, and finish when it is back. */
async function uploadThroughKill(deployment: Deployment): Promise<ImageUploads> {
  const [node] = deployment.nodes;
  const server = deployment.media!;
  const people = peopleNamed('i', 2);
  await createAccounts(node!.directUrl, people, signal);
  const photographers = people.map((person) => new Photographer(person, node!.directUrl));
  const uploads = new ImageUploads(photographers, { seed: 1, signal });
  uploads.begin(20);
  await until(async () => uploads.ledger.audit().acked > 3 && (await server.quarantined()) > 0);
  await server.signal('SIGKILL');
  // What a kill has left is removed when it is older than any upload may be.
  await sleep(sweptAgeMs + 100);
  await server.restart();
  uploads.rest();
  await uploads.settle(10_000);
  for (const photographer of photographers) photographer[Symbol.dispose]();
  return uploads;
}

describe('the media server of a deployment', { concurrency: true }, () => {
  for (const target of ['process', 'container'] as const)
    test(`${target}: after SIGKILL it has what it acknowledged, and removes what it did not finish`, {
      skip: skips[target],
    }, async () => {
      await using deployment = await deploy(stage, { media }, { target, simulator: 'process' });
      using uploads = await uploadThroughKill(deployment);
      await uploads.check();
      const { acked, ...faults } = uploads.ledger.audit();
      assert.ok(acked > 3);
      assert.deepEqual(faults, none);
      const server = deployment.media!;
      assert.equal(await server.quarantined(), 0);
      const metrics = await (await fetch(`${server.internalUrl}/metrics`)).text();
      assert.ok(readMetric(metrics, 'chat_media_swept_total')! > 0, 'the kill has left something');
      const { name, role, processes } = (await deployment.sample()).at(-1)!;
      assert.deepEqual([name, role, processes], ['media', 'media', 1]);
      assert.match(deployment.facts.media!, /--media-transfer-timeout 500ms$/);
      if (target === 'container') return;
      const line = commandLineOf(server);
      assert.doesNotMatch(line, /secret/i, 'every user of a machine sees it');
      await emptyBetweenKills(server, /\0--media-directory\0([^\0]+)/.exec(line)![1]!);
      await uploads.check();
      assert.deepEqual(uploads.ledger.audit(), { ...none, acked, lost: acked });
    });
});

test('a stage without a media server says so', async () => {
  const placement = { target: 'process', simulator: 'process' } as const;
  await assert.rejects(deploy('03-cursor', { media }, placement), /03-cursor has no media server/);
});

/** It is started again with a directory that has lost everything, which the audit must see. */
async function emptyBetweenKills(server: DeployedMedia, directory: string): Promise<void> {
  await server.signal('SIGKILL');
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
  await server.restart();
}

/** Its arguments, where it is a process. */
function commandLineOf({ url }: DeployedMedia): string {
  const lines = childrenOf(process.pid).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  return lines.find((line) => line.includes(`\0--port\0${new URL(url).port}\0`))!;
}
