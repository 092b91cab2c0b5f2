/** A process that has nothing to do with a trial is found in its figures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '#host/child-process.ts';
import { readTreeUsage } from '#host/process-tree.ts';
import { disturbanceOf } from '../analysis/disturbance.ts';
import { deploy } from '../deployment/deployment.fixture.ts';
import { Sampler } from './sampler.ts';

const skip = process.platform !== 'linux' && 'there is no /proc';
/** Of CPU time, so that it burns as much beside others: 20 ms of every 100. */
const burner = `
  const idle = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const startMs = process.cpuUsage().user / 1000;
    while (process.cpuUsage().user / 1000 - startMs < 20);
    Atomics.wait(idle, 0, 0, 80);
  }`;

test('a process with a duty cycle of 20 % beside a trial is seen with what it used, and makes it void', {
  skip,
}, async () => {
  await using deployment = await deploy('03-cursor', {}, { target: 'process', simulator: 'process' });
  const sampler = new Sampler(deployment, () => performance.now());
  await using child = await startChild({ command: process.execPath, args: ['--eval', burner], onLine() {} });
  await sampler.start();
  const [fromMs, burntBefore] = [performance.now(), readTreeUsage(child.pid).cpuSeconds];
  await sampler.take();
  await sleep(2500);
  await sampler.take();
  const [toMs, burntAfter] = [performance.now(), readTreeUsage(child.pid).cpuSeconds];
  sampler.stop();
  const summary = sampler.summary(fromMs, toMs, 0)!;
  const burntCores = (burntAfter - burntBefore) / ((toMs - fromMs) / 1000);
  // Whatever else runs on this machine can only add to it. Two counters of 10 ms are compared.
  assert.ok(burntCores > 0.05, `${burntCores}`);
  assert.ok(summary.otherCpuCores! > burntCores - 0.03, `${burntCores} of ${JSON.stringify(summary)}`);
  assert.match(disturbanceOf(summary)!, /other processes used 0\.[1-9]|other processes used [1-9]/);
  // The idle server and the lab have figures of their own.
  const { cpuCores, labCpuCores = 0, runDelayCores } = summary;
  assert.ok(labCpuCores > 0 && cpuCores < 0.2 && runDelayCores !== undefined, JSON.stringify(summary));
});
