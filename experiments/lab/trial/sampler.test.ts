import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { HostReading } from '#host/cpu.ts';
import { disturbanceOf } from '../analysis/disturbance.ts';
import type { Deployment, NodeSample } from '../deployment/deployment.ts';
import type { ServerSummary } from '../records/schema.ts';
import { Sampler } from './sampler.ts';
import { readMetric, readServerTiming } from './server-metrics.ts';

function sample(name: string, cpuSeconds: number, changes: Partial<NodeSample> = {}): NodeSample {
  const well = { rssBytes: 1e6, throttledSeconds: null, processes: 1, fault: null };
  return { name, role: 'server', cpuSeconds, ...well, ...changes };
}

/** Four CPUs, of which 3 are busy all the time, 0.1 of them with the lab. */
function busyHost(atSeconds: number): HostReading {
  const cpu = (number: number, idleShare: number) => ({
    ...{ cpu: number, idleSeconds: atSeconds * idleShare },
    ...{ stealSeconds: 0, interruptSeconds: 0, softirqThreadSeconds: 0 },
  });
  const cpus = [cpu(0, 0.1), cpu(1, 0.1), cpu(2, 0.4), cpu(3, 0.4)];
  return { atSeconds, labSeconds: atSeconds * 0.1, cpus, interruptsApart: false };
}

/** A deployment that answers each sample with the next of these readings, one second apart. */
async function sampled(readings: NodeSample[][]): Promise<Sampler> {
  let atMs = 0;
  let next = 0;
  const target = { nodes: [], sample: async () => readings[next++]! } as unknown as Deployment;
  const sampler = new Sampler(
    target,
    () => atMs,
    () => busyHost(atMs / 1000),
  );
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

/** Two servers, a Redis and a simulator on `busyHost`, which use all that is busy but for 0.05 cores. */
async function quiet(changes: Partial<Deployment>): Promise<ServerSummary> {
  let atMs = 0;
  const seconds = () => atMs / 1000;
  const target = {
    nodes: [],
    sample: async () => [
      sample('node-1', 0.8 * seconds(), { runDelaySeconds: 5 + 0.25 * seconds() }),
      sample('node-2', 0.7 * seconds(), { runDelaySeconds: 0.5 * seconds() }),
      sample('redis', 0.1 * seconds(), { role: 'redis', runDelaySeconds: 9 * seconds() }),
    ],
    simulatorCpuSeconds: async () => 1.25 * seconds(),
    ...changes,
  } as unknown as Deployment;
  const sampler = new Sampler(
    target,
    () => atMs,
    () => busyHost(seconds()),
  );
  for (; atMs <= 2000; atMs += 1000) await sampler.take();
  return sampler.summary(0, 2000, 0)!;
}

test('a machine busy with the trial alone is not disturbed; with a simulator less it is', async () => {
  const summary = await quiet({});
  assert.deepEqual([summary.otherCpuCores, summary.labCpuCores, summary.runDelayCores], [0.05, 0.1, 0.75]);
  assert.equal(disturbanceOf(summary), null);
  assert.equal(summary.besideServerCpuCores, null);
  const unseen = await quiet({ simulatorCpuSeconds: async () => null });
  assert.equal(unseen.otherCpuCores, 1.3);
  assert.match(disturbanceOf(unseen)!, /other processes used 1\.30 cores/);
});

test('on pinned CPUs all that the pinned part did not use was beside it', async () => {
  const pins = { servers: ['0,1', '0,1'], services: undefined, simulator: '2,3' };
  const summary = await quiet({ pins });
  // CPUs 0 and 1 are busy with 0.9 cores each, of which the servers used 1.5; 2 and 3 with 0.6 each.
  assert.deepEqual([summary.besideServerCpuCores, summary.besideSimulatorCpuCores], [0.3, 0]);
});

test('a trial among others on the same servers has its own window of readings', async () => {
  const cpu = [0, 0.5, 1, 1.1, 1.2, 2.2];
  const sampler = await sampled(cpu.map((cpuSeconds) => [sample('node-1', cpuSeconds)]));
  assert.equal(sampler.summary(0, 2000, 0)!.cpuCores, 0.5);
  assert.equal(sampler.summary(2000, 4000, 0)!.cpuCores, 0.1);
  // The first value of a window needs the reading before it.
  assert.deepEqual(sampler.nodeSeries(2000, 2000, 4000)[0]!.atSeconds, [0, 1, 2]);
  assert.deepEqual(sampler.nodeSeries(2000, 2000, 4000)[0]!.cpuCores, [0.5, 0.1, 0.1]);
});

test('forgotten readings are those of earlier trials, and never that of the idle server', async () => {
  const rss = [1e6, 5e6, 6e6, 7e6];
  const sampler = await sampled(rss.map((rssBytes) => [sample('node-1', 0, { rssBytes })]));
  sampler.forget(2000);
  assert.equal(sampler.summary(0, 1500, 0), null);
  assert.deepEqual(sampler.nodeSeries(0)[0]!.rssBytes, [6e6, 7e6]);
  const { rssIdleBytes, rssMaxBytes } = sampler.summary(2000, 3000, 0)!;
  assert.deepEqual([rssIdleBytes, rssMaxBytes], [1e6, 7e6]);
});

test('counters count within the window', async () => {
  let evictions = 0;
  const server = createServer((_request, response) => {
    response.end(`chat_evictions_total{reason="slow"} ${evictions}\nchat_sessions 9\n`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const internalUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    let atMs = 0;
    const nodes = [{ name: 'node-1', internalUrl }];
    const target = { nodes, sample: async () => [sample('node-1', 0)] } as unknown as Deployment;
    const sampler = new Sampler(
      target,
      () => atMs,
      () => busyHost(0),
    );
    for (const [at, count] of [
      [0, 3],
      [1000, 4],
      [2000, 9],
      [3000, 9],
    ] as const) {
      atMs = at;
      evictions = count;
      await sampler.take();
      await sampler.scrape();
    }
    const evictionsIn = (fromMs: number, toMs: number) => sampler.summary(fromMs, toMs, 0)!.evictions;
    assert.deepEqual([evictionsIn(0, 1000), evictionsIn(1000, 2000), evictionsIn(2000, 3000)], [1, 5, 0]);
    const [series] = sampler.metricsSeries(1000, 1000, 2000);
    assert.deepEqual(
      [series!.atSeconds, series!.evictions],
      [
        [0, 1],
        [4, 9],
      ],
    );
    sampler.forget(2000);
    assert.equal(evictionsIn(2000, 3000), 0);
    assert.deepEqual(sampler.metricsSeries(0)[0]!.atSeconds, [1, 2, 3]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
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
