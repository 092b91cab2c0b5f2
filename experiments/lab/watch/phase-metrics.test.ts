import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Deployment } from '../deployment/deployment.ts';
import { InputError } from '../input-error.ts';
import type { TrialTitle } from '../trial/trial.ts';
import { startPhaseMetrics } from './phase-metrics.fixture.ts';
import { openPhaseMetrics, PhaseMetrics } from './phase-metrics.ts';

const directory = mkdtempSync(join(tmpdir(), 'lab-metrics-'));
after(() => rmSync(directory, { recursive: true }));
const targetsFile = join(directory, 'targets', 'lab.json');

const title: TrialTitle = {
  number: 4,
  variant: '03-cursor',
  stage: '03-cursor',
  purpose: 'search',
  about: '128 messages/s',
};
const target = {
  stage: '03-cursor',
  nodes: [{ name: 'node-1', scrapeAddress: '127.0.0.1:5001' }],
  balancer: null,
  media: null,
  latestUsage: () => [
    { name: 'node-1', role: 'server', cpuSeconds: 1.5, rssBytes: 2e6, throttledSeconds: 0.25 },
    { name: 'simulator', role: 'simulator', cpuSeconds: 3, rssBytes: 4e6, throttledSeconds: null },
  ],
} as unknown as Deployment;

test('one phase is 1 and all others 0, and the trial is named by closed labels', async () => {
  await using metrics = await startPhaseMetrics(targetsFile);
  metrics.phase('warm-up', title);
  metrics.phase('measure', title);
  const text = await (await fetch(`http://127.0.0.1:${metrics.port}/metrics`)).text();
  const samples = text.split('\n').filter((line) => /^lab_phase\{/.test(line));
  assert.deepEqual(
    samples.filter((line) => line.endsWith(' 1')),
    ['lab_phase{phase="measure"} 1'],
  );
  assert.equal(samples.length, 9);
  assert.match(
    text,
    /^lab_trial_info\{experiment="001-ladder",run="20[\d-]{8} [\d:]{8}",variant="03-cursor",stage="03-cursor",purpose="search"\} 4$/m,
  );
});

test('the targets file names lab, servers and simulator while they run, and nothing afterwards', async () => {
  const metrics = await startPhaseMetrics(targetsFile);
  metrics.started(target, '127.0.0.1:5002');
  const entries = JSON.parse(readFileSync(targetsFile, 'utf8')) as unknown[];
  assert.deepEqual(entries, [
    { targets: [`127.0.0.1:${metrics.port}`], labels: { job: 'lab' } },
    { targets: ['127.0.0.1:5001'], labels: { job: 'server', stage: '03-cursor', node: 'node-1' } },
    { targets: ['127.0.0.1:5002'], labels: { job: 'loadtest', stage: '03-cursor' } },
  ]);
  await metrics[Symbol.asyncDispose]();
  assert.equal(readFileSync(targetsFile, 'utf8'), '[]\n');
});

test('a balancer and a media server are scraped beside the servers', async () => {
  await using metrics = await startPhaseMetrics(targetsFile);
  const balancer = { name: 'haproxy', url: 'ws://127.0.0.1:5003/ws', scrapeAddress: '127.0.0.1:5004' };
  const media = { scrapeAddress: '127.0.0.1:5006' } as Deployment['media'];
  metrics.started({ ...target, balancer, media }, null);
  const entries = JSON.parse(readFileSync(targetsFile, 'utf8')) as unknown[];
  assert.deepEqual(entries.slice(2), [
    { targets: ['127.0.0.1:5004'], labels: { job: 'haproxy', stage: '03-cursor' } },
    { targets: ['127.0.0.1:5006'], labels: { job: 'media', stage: '03-cursor', node: 'media' } },
  ]);
});

test('CPU, memory and throttling of every part are exported until the next deployment starts', async () => {
  await using metrics = await startPhaseMetrics(targetsFile);
  const exported = async () => {
    const text = await (await fetch(`http://127.0.0.1:${metrics.port}/metrics`)).text();
    return text.split('\n').filter((line) => line.startsWith('experiment_'));
  };
  assert.deepEqual(await exported(), []);
  metrics.started(target, null);
  const expected = [
    'experiment_container_cpu_seconds_total{node="node-1",role="server"} 1.5',
    'experiment_container_cpu_seconds_total{node="simulator",role="simulator"} 3',
    'experiment_container_memory_bytes{node="node-1",role="server"} 2000000',
    'experiment_container_memory_bytes{node="simulator",role="simulator"} 4000000',
    'experiment_container_throttled_seconds_total{node="node-1",role="server"} 0.25',
  ];
  assert.deepEqual(await exported(), expected);
  // A scrape reads totals: a second one must not add them up.
  assert.deepEqual(await exported(), expected);
  metrics.phase('start', title);
  assert.deepEqual(await exported(), []);
});

test('a port in use is reported, and the targets file of its owner stays', async () => {
  await using metrics = await startPhaseMetrics(targetsFile);
  metrics.started(target, null);
  const before = readFileSync(targetsFile, 'utf8');
  const options = { experiment: 'x', metricsPort: metrics.port, scrapeHost: '127.0.0.1', targetsFile };
  const second = new PhaseMetrics(options);
  assert.match((await second.listen()) ?? '', /EADDRINUSE/);
  await second[Symbol.asyncDispose]();
  assert.equal(readFileSync(targetsFile, 'utf8'), before);
});

test('a targets file that cannot be written is told, and nothing is left that listens', async () => {
  const lines: string[] = [];
  const options = { experiment: 'x', scrapeHost: '127.0.0.1', targetsFile: '/proc/none/lab.json' };
  assert.equal(await openPhaseMetrics(options, (line) => lines.push(line)), null);
  assert.match(lines.join(), /^Prometheus cannot follow this run: .*\/proc\/none/);
  await assert.rejects(openPhaseMetrics({ ...options, metricsPort: 1 }, assert.fail), InputError);
});

test('a targets file that can no longer be written does not end the run', async () => {
  const lost = join(directory, 'lost', 'lab.json');
  const metrics = await startPhaseMetrics(lost);
  rmSync(join(directory, 'lost'), { recursive: true });
  metrics.started(target, null);
  await metrics[Symbol.asyncDispose]();
});
