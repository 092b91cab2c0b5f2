import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trialFixture } from '../records/run.fixture.ts';
import type { ServerSummary } from '../records/schema.ts';
import { disturbanceOf } from './disturbance.ts';

function judged(changes: Partial<ServerSummary>): string | null {
  return disturbanceOf({ ...trialFixture(1, 100, 10).server!, ...changes });
}

test('a tenth of a core is allowed, to other processes and the hypervisor together', () => {
  assert.equal(judged({ otherCpuCores: 0.1 }), null);
  assert.match(judged({ otherCpuCores: 0.11 })!, /other processes used 0\.11 cores/);
  assert.equal(judged({ otherCpuCores: 0.06, stealCpuCores: 0.04 }), null);
  assert.match(judged({ otherCpuCores: 0.06, stealCpuCores: 0.05 })!, /hypervisor took 0\.05/);
});

test('the lab disturbs with what it uses above its ordinary share', () => {
  assert.equal(judged({ otherCpuCores: 0.05, labCpuCores: 0.15 }), null);
  assert.match(judged({ otherCpuCores: 0.05, labCpuCores: 0.16 })!, /the lab used 0\.16/);
});

test('where server and simulator are pinned, only what was used on their CPUs disturbs', () => {
  const elsewhere = { otherCpuCores: 0.9, besideServerCpuCores: 0.03, besideSimulatorCpuCores: 0.05 };
  assert.equal(judged(elsewhere), null);
  assert.match(judged({ ...elsewhere, besideServerCpuCores: 0.2 })!, /beside the server on its CPUs 0\.20/);
  // A service of the trial may use those CPUs too: it is not one of the other processes.
  assert.equal(judged({ ...elsewhere, otherCpuCores: 0.02, besideServerCpuCores: 0.4 }), null);
});

test('nothing is said where the machine cannot be seen, and of old results', () => {
  assert.equal(judged({ otherCpuCores: null, labCpuCores: 0.5 }), null);
  assert.equal(judged({ otherCpuCores: 0 }), null);
});
