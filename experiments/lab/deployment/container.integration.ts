import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { verifyExchange } from '../trial/smoke-check.ts';
import { startContainerTarget } from './container.ts';
import { type BoxRequest, startBox } from './container-box.ts';
import { findEngine, labPidLabel, removeLabelled, sweep, targetLabel } from './container-engine.ts';
import { ensureImage } from './container-image.ts';
import type { TargetRequest } from './deployment.ts';

const found = await findEngine();
const engine = found.found ? found.engine : undefined;
const skip = found.found ? false : `no container engine answers: ${found.why}`;
const { signal } = new AbortController();
const main = fileURLToPath(new URL('../../main.ts', import.meta.url));

const request = (changes: Partial<TargetRequest>): TargetRequest => ({
  stage: '03-cursor',
  settings: {},
  nodes: 1,
  limits: {},
  scrapeHost: '127.0.0.1',
  signal,
  ...changes,
});

/** Runs a script in a box of the project's image, and removes it afterwards. */
async function withBox<T>(
  script: string,
  limits: Pick<BoxRequest, 'cpus' | 'memoryMb'>,
  use: (box: Awaited<ReturnType<typeof startBox>>) => Promise<T>,
): Promise<T> {
  const id = `test-${process.pid}-${performance.now()}`;
  const labels = { [targetLabel]: id, [labPidLabel]: String(process.pid) };
  const image = await ensureImage(engine!, signal);
  const box = await startBox(engine!, {
    image,
    name: id.replace('.', '-'),
    networkName: 'none',
    command: ['-e', script],
    environment: {},
    labels,
    ports: [],
    hostIp: '127.0.0.1',
    ...limits,
    onLine: () => {},
  });
  try {
    return await use(box);
  } finally {
    await removeLabelled(engine!, `${targetLabel}=${id}`);
  }
}

/** What of a lab is on the engine: names of its containers and networks. */
async function leftOf(pid: number): Promise<string[]> {
  const { dockerode } = engine!.client.container;
  const filters = { label: [`${labPidLabel}=${pid}`] };
  const containers = await dockerode.listContainers({ all: true, filters });
  const networks = await dockerode.listNetworks({ filters });
  return [...containers.map(({ Names }) => Names[0]!), ...networks.map(({ Name }) => Name)];
}

async function volumes(): Promise<number> {
  return (await engine!.client.container.dockerode.listVolumes()).Volumes.length;
}

test('a container that allocates beyond its memory is killed, and the reason is named', {
  skip,
}, async () => {
  const hog =
    'const kept = []; setInterval(() => kept.push(Buffer.alloc(8 << 20, 1)), 1); console.log("started")';
  await withBox(hog, { memoryMb: 96 }, async (box) => {
    assert.deepEqual(await box.exit, { code: 137, killedForMemory: true });
    assert.equal(await box.fault(), 'was killed for its memory (limit 96 MiB)');
  });
});

test('a container that spins gets its quota and no more, and is seen to be throttled', { skip }, async () => {
  await withBox('for (;;);', { cpus: 0.25 }, async (box) => {
    await sleep(500);
    const [before, startMs] = [await box.usage(), performance.now()];
    await sleep(1500);
    const [after, endMs] = [await box.usage(), performance.now()];
    const cores = (after.cpuSeconds - before.cpuSeconds) / ((endMs - startMs) / 1000);
    assert.ok(cores < 0.35, `it used ${cores} cores of 0.25`);
    assert.ok(after.throttledSeconds - before.throttledSeconds > 0.3, JSON.stringify(after));
    assert.equal(after.running, true);
    assert.equal(await box.fault(), null);
  });
});

test('a target runs within limits that its server sees, and leaves nothing', { skip }, async () => {
  const limits = { serverCpus: 0.5, serverMemoryMb: 256, loadtestCpus: 0.75, loadtestMemoryMb: 512 };
  const events: string[] = [];
  {
    await using target = await startContainerTarget(request({ limits }), []);
    assert.deepEqual(target.observedLimits, [{ cpuCores: 0.5, memoryBytes: 256 * 2 ** 20 }]);
    await verifyExchange(
      target.servers.map((server) => server.chatUrl),
      signal,
    );
    const options = { clients: 20, ratePerSecond: 40, durationSeconds: 1, warmUpSeconds: 0.2 };
    const outcome = await target.runLoadtest(
      { ...options, drainSeconds: 2, payloadBytes: 128, seed: 1, limits: ['p99<10s'], metricsPort: 9464 },
      {
        onProgress: (progress) => events.push(progress.event),
        onScrapeAddress: (address) => events.push(address.replace(/:\d+$/, '')),
        signal,
      },
    );
    assert.deepEqual(outcome.result?.audit, {
      expected: 40 * 20,
      delivered: 40 * 20,
      lost: 0,
      duplicated: 0,
      reordered: 0,
      misrouted: 0,
      corrupted: 0,
    });
    assert.equal(outcome.result.environment.cgroupCpuCores, 0.75);
    assert.equal(outcome.result.environment.cgroupMemoryBytes, 512 * 2 ** 20);
    assert.ok(events.includes('127.0.0.1') && events.includes('phase') && events.includes('second'));
    const [node] = await target.sample();
    assert.ok(node!.cpuSeconds > 0 && node!.rssBytes > 2 ** 20 && node!.throttledSeconds !== null);
  }
  assert.deepEqual(await leftOf(process.pid), []);
});

test('a server that dies is named in the next sample, and one that cannot start says why', {
  skip,
}, async () => {
  await using target = await startContainerTarget(request({}), []);
  const { dockerode } = engine!.client.container;
  const [container] = await dockerode.listContainers({
    filters: { label: [`${labPidLabel}=${process.pid}`] },
  });
  await dockerode.getContainer(container!.Id).kill();
  const [node] = await target.sample();
  assert.deepEqual([node!.fault, node!.processes], ['exited with code 137', 0]);
  await assert.rejects(
    startContainerTarget(request({ settings: { 'heartbeat-interval-ms': 'soon' } }), []),
    /ended with code 2[\s\S]*heartbeat-interval-ms/,
  );
});

test('nodes of a stage find the Redis that they need beside them, and each other through it', {
  skip,
}, async () => {
  await using target = await startContainerTarget(request({ stage: '05-backplane', nodes: 2 }), ['redis']);
  await verifyExchange(
    target.servers.map((server) => server.chatUrl),
    signal,
  );
  const samples = await target.sample();
  assert.deepEqual(
    samples.map(({ name, role, fault }) => [name, role, fault]),
    [
      ['node-1', 'server', null],
      ['node-2', 'server', null],
      ['redis', 'redis', null],
    ],
  );
});

test('Ctrl-C in a trial in containers leaves no container, network or volume', { skip }, async () => {
  const before = await volumes();
  await withExperiment(async (lab) => {
    lab.kill('SIGINT');
    const [code] = (await once(lab, 'exit')) as [number | null];
    assert.equal(code, 130);
    assert.deepEqual(await leftOf(lab.pid!), []);
    assert.equal(await volumes(), before);
  });
});

test('what a killed lab left behind is removed by the next', { skip }, async () => {
  await withExperiment(async (lab) => {
    lab.kill('SIGKILL');
    await once(lab, 'exit');
    assert.notDeepEqual(await leftOf(lab.pid!), []);
    await sweep(engine!);
    assert.deepEqual(await leftOf(lab.pid!), []);
  });
});

/** Starts an experiment in containers, and hands it over once both server and simulator are there. */
async function withExperiment(use: (lab: ChildProcess) => Promise<void>): Promise<void> {
  const results = mkdtempSync(join(tmpdir(), 'chat-ctrl-c-'));
  const args = ['run', 'ladder', '--stage', '03-cursor', '--target', 'container', '--results', results];
  const lab = spawn(process.execPath, [main, ...args, '--measure-seconds', '60'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    const deadlineAtMs = performance.now() + 30_000;
    while ((await leftOf(lab.pid!)).length < 3) {
      assert.ok(performance.now() < deadlineAtMs && lab.exitCode === null, 'the trial did not start');
      await sleep(200);
    }
    await use(lab);
  } finally {
    lab.kill('SIGKILL');
    rmSync(results, { recursive: true, force: true });
  }
}
