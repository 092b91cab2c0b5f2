import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, NodeSample } from '../deployment/deployment.ts';
import { Sampler } from './sampler.ts';
import { readMetric, readServerTiming } from './server-metrics.ts';

function sample(name: string, cpuSeconds: number, changes: Partial<NodeSample> = {}): NodeSample {
  const well = { rssBytes: 1e6, throttledSeconds: null, processes: 1, fault: null };
  return { name, role: 'server', cpuSeconds, ...well, ...changes };
}

/** A deployment that answers each sample with the next of these readings, one second apart. */
async function sampled(readings: NodeSample[][]): Promise<Sampler> {
  let atMs = 0;
  let next = 0;
  const target = { nodes: [], sample: async () => readings[next++]! } as unknown as Deployment;
  // The machine is busy with 3 cores all the time, 0.1 of them the lab's.
  const host = () => ({ busySeconds: (atMs / 1000) * 3, labSeconds: (atMs / 1000) * 0.1 });
  const sampler = new Sampler(target, () => atMs, host);
  for (const _ of readings) {
    await sampler.take();
    atMs += 1000;
  }
  return sampler;
}

test('CPU is the growth of the counters, summed over servers and not over services', async () => {
  const redis = (cpuSeconds: number) => sample('redis', cpuSeconds, { role: 'redis' });
  const sampler = await sampled([
    [sample('node-1', 1), sample('node-2', 5), redis(0)],
    [sample('node-1', 1.5), sample('node-2', 5.25), redis(0.5)],
    [sample('node-1', 2), sample('node-2', 5.5, { rssBytes: 3e6 }), redis(1)],
  ]);
  const summary = sampler.summary(0, 2000, 1.3)!;
  assert.equal(summary.cpuCores, 0.75);
  assert.equal(summary.serviceCpuCores, 0.5);
  // 3 − 0.1 (lab) − 0.75 (servers) − 0.5 (Redis) − 0.65 (simulator)
  assert.equal(summary.otherCpuCores, 1);
  assert.equal(summary.rssMaxBytes, 4e6);
  assert.equal(summary.processes, 2);
  assert.equal(summary.throttledShare, null);
  const [, second, third] = sampler.nodeSeries(1000);
  assert.deepEqual(second!.atSeconds, [0, 1]);
  assert.deepEqual(second!.cpuCores, [0.25, 0.25]);
  assert.equal(third!.role, 'redis');
});

test('the cost of a scrape is read from the header, and is unknown without it', () => {
  assert.equal(readServerTiming('cpu;dur=1.25', 'cpu'), 1.25);
  assert.equal(readServerTiming('db;dur=53, cpu;desc="all";dur=2', 'cpu'), 2);
  assert.equal(readServerTiming('cpu', 'cpu'), null);
  assert.equal(readServerTiming(null, 'cpu'), null);
});

test('throttling is a share of time, where a quota is visible', async () => {
  const sampler = await sampled([
    [sample('node-1', 0, { throttledSeconds: 10 })],
    [sample('node-1', 0.25, { throttledSeconds: 10.6 })],
  ]);
  assert.equal(sampler.summary(0, 1000, 0)!.throttledShare, 0.6);
});

test('a node that ended is named with its fault', async () => {
  const sampler = await sampled([
    [sample('node-1', 0)],
    [sample('node-1', 0, { processes: 0, fault: 'exited with code 134', faultKind: 'memory' })],
  ]);
  assert.deepEqual(sampler.fault(), { text: 'node-1 exited with code 134', kind: 'memory' });
});

test('a metric is read by its whole name, and summed over its labels', () => {
  const text = '# HELP a x\na 1\na_total{reason="x"} 2\na_total{reason="y"} 3.5\n';
  assert.equal(readMetric(text, 'a'), 1);
  assert.equal(readMetric(text, 'a_total'), 5.5);
  assert.equal(readMetric(text, 'b'), null);
});
