import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Person } from '../../testing/person.ts';
import { defaults, signal, simulate } from '../lab/deployment/deployment.fixture.ts';
import type { Placement } from '../lab/deployment/deployment.ts';
import { installPeer } from '../lab/deployment/peers.ts';
import { engineFault, startDeployment } from '../lab/deployment/start.ts';
import { bunUwebsockets, wsBroadcast } from './experiment.ts';

const processes: Placement = { target: 'process', simulator: 'process' };
const containers: Placement = { target: 'container', simulator: 'container' };
const noEngine = await engineFault();
const noBun = await installPeer(bunUwebsockets.program!, signal).then(
  () => false,
  (error: Error) => error.message,
);

for (const stage of [wsBroadcast, bunUwebsockets]) {
  for (const placement of [processes, containers]) {
    const why = placement === processes ? null : noEngine;
    const skip = why ?? (stage === bunUwebsockets && noBun);
    const start = () => startDeployment(placement, { ...defaults, stage });

    test(`${stage.name} as a ${placement.target}: the room hears a message, its sender too; no other room does`, {
      skip,
    }, async () => {
      await using deployment = await start();
      const url = deployment.nodes[0]!.chatUrl;
      const [alice, bob] = await Person.joinAll(url, ['alice', 'bob']);
      const [carol, dave] = await Person.joinAll(`${url}/tea`, ['carol', 'dave']);
      alice!.say('hello');
      carol!.say('tea?');
      for (const person of [alice, bob])
        assert.deepEqual((await person!.hears(1)).heard, ['{"clientId":"alice","Message":"hello"}']);
      for (const person of [carol, dave])
        assert.deepEqual((await person!.hears(1)).heard, ['{"clientId":"carol","Message":"tea?"}']);
      bob!.ws.send('{"clientId":"bob","Message":"with","more":"fields"}');
      assert.deepEqual((await alice!.hears(2)).heard[1], '{"clientId":"bob","Message":"with"}');
      dave!.ws.send('{"clientId":"dave"}');
      assert.equal((await dave!.closed).code, 1007);
      for (const person of [alice, bob, carol]) await person!.leave();
      assert.deepEqual([alice!.heard.length, carol!.heard.length], [2, 1]);
    });

    test(`${stage.name} as a ${placement.target}: the simulator finds one order and every delivery`, {
      skip,
    }, async () => {
      await using deployment = await start();
      assert.equal(stage.order, 'one for all');
      const result = await simulate(deployment, { order: 'one-for-all' });
      const { audit, orderedPairs, sent } = result;
      assert.deepEqual([sent, audit.expected, audit.delivered], [40, 40 * 20, 40 * 20]);
      const faults = [audit.lost, audit.duplicated, audit.reordered, audit.misrouted, audit.corrupted];
      assert.deepEqual(faults, [0, 0, 0, 0, 0]);
      assert.ok(orderedPairs >= 39 * 20, `${orderedPairs} ordered pairs`);
      const [server] = await deployment.sample();
      assert.ok(server!.cpuSeconds > 0 && server!.rssBytes > 1e6 && server!.fault === null);
    });
  }
}

test('where npm cannot be reached, the experiment skips the peer by name', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lab-peers-'));
  try {
    const main = join(import.meta.dirname, '..', 'main.ts');
    const where = ['--target', 'process', '--results', directory, '--metrics-port', '0'];
    const args = [main, 'run', '014', '--stage', 'bun-uwebsockets', '--loads', '10', ...where];
    const unreachable = { XDG_CACHE_HOME: directory, npm_config_registry: 'http://127.0.0.1:1' };
    const options = { env: { ...process.env, ...unreachable }, encoding: 'utf8' } as const;
    const { stdout } = spawnSync(process.execPath, args, options);
    assert.match(stdout, /^skipped bun-uwebsockets: it needs bun@\S+ of npm: npm error code ECONNREFUSED$/m);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
