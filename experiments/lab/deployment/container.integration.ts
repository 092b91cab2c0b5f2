import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from '#host/free-ports.ts';
import {
  findEngine,
  labelsOf,
  labPidLabel,
  listLabelled,
  removeDeployment,
  sweep,
} from './container-engine.ts';
import { ensureImage } from './container-image.ts';
import { deploy, exchange, signal, simulate, until } from './deployment.fixture.ts';
import { type ContainerRequest, type RunningContainer, startContainer } from './running-container.ts';

const found = await findEngine();
const engine = found.found ? found.engine : undefined;
const skip = found.found ? false : `no container engine answers: ${found.why}`;
const main = fileURLToPath(new URL('../../main.ts', import.meta.url));

/** Runs a script in a container of the project's image, and removes it afterwards. */
async function withContainer<T>(
  script: string,
  limits: Pick<ContainerRequest, 'cpus' | 'cpuPeriodMs' | 'memoryMb'>,
  use: (container: RunningContainer) => Promise<T>,
): Promise<T> {
  const id = `test-${process.pid}-${performance.now()}`;
  const container = await startContainer(engine!, {
    image: await ensureImage(engine!, signal),
    name: id.replace('.', '-'),
    networkName: 'none',
    command: ['-e', script],
    labels: labelsOf(id),
    ports: [],
    hostIp: '127.0.0.1',
    ...limits,
    onLine: () => {},
  });
  try {
    return await use(container);
  } finally {
    await removeDeployment(engine!, id);
  }
}

/** Names of the containers and networks of a lab that are on the engine. */
async function leftOf(pid: number): Promise<string[]> {
  const { containers, networks } = await listLabelled(engine!, `${labPidLabel}=${pid}`);
  return [...containers.map(({ Names }) => Names[0]!), ...networks.map(({ Name }) => Name)];
}

/** Names of the volumes in the containers of a lab. */
async function volumesOf(pid: number): Promise<string[]> {
  const { containers } = await listLabelled(engine!, `${labPidLabel}=${pid}`);
  return containers.flatMap(({ Mounts }) => Mounts.flatMap(({ Name }) => Name ?? []));
}

test('a container that allocates beyond its memory is killed, and the reason is named', {
  skip,
}, async () => {
  const hog = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(8 << 20, 1)), 1)';
  await withContainer(hog, { memoryMb: 96 }, async (container) => {
    assert.deepEqual(await container.exit, { code: 137, killedForMemory: true });
    const { fault, faultKind, processes } = await container.sample('hog', 'server');
    const named = ['was killed for its memory (limit 96 MiB)', 'memory', 0];
    assert.deepEqual([fault, faultKind, processes], named);
  });
});

test('a container that spins gets its quota and no more, and is seen to be throttled', { skip }, async () => {
  await withContainer('for (;;);', { cpus: 0.25 }, async (container) => {
    const [before, startMs] = [await container.sample('spinner', 'server'), performance.now()];
    let [after, endMs] = [before, startMs];
    await until(async () => {
      [after, endMs] = [await container.sample('spinner', 'server'), performance.now()];
      return after.throttledSeconds! - before.throttledSeconds! > 0.9;
    });
    const cores = (after.cpuSeconds - before.cpuSeconds) / ((endMs - startMs) / 1000);
    assert.ok(cores < 0.35, `it used ${cores} cores of 0.25`);
    assert.deepEqual([after.processes, after.fault], [1, null]);
  });
});

test('a quota is enforced in periods of the length that was asked for', { skip }, async () => {
  const count = `import { readCgroup } from '/app/host/cgroup.ts';
    const before = [readCgroup().cpuPeriodsTotal, performance.now()];
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const periods = readCgroup().cpuPeriodsTotal - before[0];
    console.log(Math.round(((performance.now() - before[1]) / periods) * 10) / 10);`;
  for (const cpuPeriodMs of [10, 100])
    await withContainer('for (;;);', { cpus: 0.25, cpuPeriodMs }, async (container) => {
      const seenMs = Number(await container.runScript(count));
      // A period at either end is cut off, and some are missing where others take the CPU.
      assert.ok(seenMs > 0.75 * cpuPeriodMs && seenMs < 2 * cpuPeriodMs, `${seenMs} ms of ${cpuPeriodMs} ms`);
    });
});

test('a deployment runs within limits that its server sees, and leaves nothing', { skip }, async () => {
  const allocation = { serverCpus: 0.5, serverMemoryMb: 256, loadtestCpus: 0.75, loadtestMemoryMb: 512 };
  const events: string[] = [];
  {
    const [metricsPort] = await freePorts(1);
    await using deployment = await deploy('03-cursor', { allocation });
    const inForce = { cpuCores: 0.5, memoryBytes: 256 * 2 ** 20, cpuPeriodMs: 10 };
    assert.deepEqual(deployment.observedLimits, [inForce]);
    await exchange(deployment);
    const result = await simulate(
      deployment,
      { metricsPort: metricsPort! },
      {
        onProgress: (progress) => events.push(progress.event),
        onScrapeAddress: (address) => events.push(address.replace(/:\d+$/, '')),
      },
    );
    const faultless = { lost: 0, duplicated: 0, reordered: 0, misrouted: 0, corrupted: 0 };
    assert.deepEqual(result.audit, { expected: 800, delivered: 800, ...faultless });
    assert.equal(result.environment.cgroupCpuCores, 0.75);
    assert.equal(result.environment.cgroupMemoryBytes, 512 * 2 ** 20);
    assert.ok(events.includes('127.0.0.1') && events.includes('phase') && events.includes('second'));
    const [node] = await deployment.sample();
    assert.ok(node!.cpuSeconds > 0 && node!.rssBytes > 2 ** 20 && node!.throttledSeconds !== null);
  }
  assert.deepEqual(await leftOf(process.pid), []);
});

test('Ctrl-C in a trial in containers leaves no container, network or volume', { skip }, async () => {
  await withExperiment(async (lab) => {
    // Images of Redis declare one.
    const volumes = await volumesOf(lab.pid!);
    lab.kill('SIGINT');
    const [code] = (await once(lab, 'exit')) as [number | null];
    assert.equal(code, 130);
    assert.deepEqual(await leftOf(lab.pid!), []);
    const { Volumes } = await engine!.client.container.dockerode.listVolumes();
    assert.deepEqual(
      Volumes.filter(({ Name }) => volumes.includes(Name)),
      [],
    );
  });
});

test('the containers and networks of a killed lab are removed by the next one', { skip }, async () => {
  await withExperiment(async (lab) => {
    lab.kill('SIGKILL');
    await once(lab, 'exit');
    // Whoever starts containers meanwhile may have been quicker.
    await sweep(engine!);
    assert.deepEqual(await leftOf(lab.pid!), []);
  });
});

/** Starts an experiment in containers, and hands it over once both server and simulator are there. */
async function withExperiment(use: (lab: ChildProcess) => Promise<void>): Promise<void> {
  const results = mkdtempSync(join(tmpdir(), 'chat-ctrl-c-'));
  const args = ['run', 'ladder', '--stage', '05-backplane', '--target', 'container', '--results', results];
  const lab = spawn(process.execPath, [main, ...args, '--measure-seconds', '60'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await until(async () => {
      assert.equal(lab.exitCode, null, 'the trial did not start');
      return (await leftOf(lab.pid!)).some((name) => name.endsWith('-simulator'));
    }, 30_000);
    await use(lab);
  } finally {
    lab.kill('SIGKILL');
    rmSync(results, { recursive: true, force: true });
  }
}
