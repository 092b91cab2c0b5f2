import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '#host/free-ports.ts';
import { Person } from '../../../testing/person.ts';
import { deploymentLabel, findEngine, labPidLabel, removeLabelled, sweep } from './container-engine.ts';
import { ensureImage } from './container-image.ts';
import type { DeploymentRequest, Placement } from './deployment.ts';
import { type ContainerRequest, type RunningContainer, startContainer } from './running-container.ts';
import { listStages } from './stage-table.ts';
import { startDeployment } from './start.ts';

const found = await findEngine();
const engine = found.found ? found.engine : undefined;
const skip = found.found ? false : `no container engine answers: ${found.why}`;
const { signal } = new AbortController();
const main = fileURLToPath(new URL('../../main.ts', import.meta.url));

const stages = await listStages();
const inContainers: Placement = { target: 'container', simulator: 'container' };

function start(stage: string, changes: Partial<DeploymentRequest> = {}, placement: Placement = inContainers) {
  return startDeployment(placement, {
    stage: stages.find(({ name }) => name === stage)!,
    settings: {},
    nodes: 1,
    allocation: {},
    scrapeHost: '127.0.0.1',
    signal,
    ...changes,
  });
}

/** Runs a script in a container of the project's image, and removes it afterwards. */
async function withContainer<T>(
  script: string,
  limits: Pick<ContainerRequest, 'cpus' | 'memoryMb'>,
  use: (container: RunningContainer) => Promise<T>,
): Promise<T> {
  const id = `test-${process.pid}-${performance.now()}`;
  const labels = { [deploymentLabel]: id, [labPidLabel]: String(process.pid) };
  const image = await ensureImage(engine!, signal);
  const container = await startContainer(engine!, {
    image,
    name: id.replace('.', '-'),
    networkName: 'none',
    command: ['-e', script],
    labels,
    ports: [],
    hostIp: '127.0.0.1',
    ...limits,
    onLine: () => {},
  });
  try {
    return await use(container);
  } finally {
    await removeLabelled(engine!, `${deploymentLabel}=${id}`);
  }
}

/** Somebody on each node says something, and everybody on each node hears it. */
async function exchange(urls: readonly string[]): Promise<void> {
  const people = await Promise.all(urls.map((url, index) => Person.join(url, `p${index}`)));
  for (const person of people) person.say('hello');
  await Promise.all(people.map((person) => person.hears(people.length)));
  await Promise.all(people.map((person) => person.leave()));
}

const workload = {
  ...{ clients: 20, ratePerSecond: 40, durationSeconds: 1, warmUpSeconds: 0.2, drainSeconds: 2 },
  ...{ payloadBytes: 128, seed: 1, limits: ['p99<10s'] },
};
const quiet = { onProgress: () => {}, onScrapeAddress: () => {}, signal };

/** Names of the containers and networks of a lab that are on the engine. */
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
  await withContainer(hog, { memoryMb: 96 }, async (container) => {
    assert.deepEqual(await container.exit, { code: 137, killedForMemory: true });
    const { fault, processes } = await container.sample('hog', 'server');
    assert.deepEqual([fault, processes], ['was killed for its memory (limit 96 MiB)', 0]);
  });
});

test('a container that spins gets its quota and no more, and is seen to be throttled', { skip }, async () => {
  await withContainer('for (;;);', { cpus: 0.25 }, async (container) => {
    await sleep(500);
    const [before, startMs] = [await container.sample('spinner', 'server'), performance.now()];
    await sleep(1500);
    const [after, endMs] = [await container.sample('spinner', 'server'), performance.now()];
    const cores = (after.cpuSeconds - before.cpuSeconds) / ((endMs - startMs) / 1000);
    assert.ok(cores < 0.35, `it used ${cores} cores of 0.25`);
    assert.ok(after.throttledSeconds! - before.throttledSeconds! > 0.3, JSON.stringify(after));
    assert.deepEqual([after.processes, after.fault], [1, null]);
  });
});

test('a deployment runs within limits that its server sees, and leaves nothing', { skip }, async () => {
  const allocation = { serverCpus: 0.5, serverMemoryMb: 256, loadtestCpus: 0.75, loadtestMemoryMb: 512 };
  const events: string[] = [];
  {
    await using deployment = await start('03-cursor', { allocation });
    assert.deepEqual(deployment.observedLimits, [{ cpuCores: 0.5, memoryBytes: 256 * 2 ** 20 }]);
    await exchange(deployment.nodes.map(({ chatUrl }) => chatUrl));
    const outcome = await deployment.runLoadtest(
      { ...workload, metricsPort: 9464 },
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
    const [node] = await deployment.sample();
    assert.ok(node!.cpuSeconds > 0 && node!.rssBytes > 2 ** 20 && node!.throttledSeconds !== null);
  }
  assert.deepEqual(await leftOf(process.pid), []);
});

test('a simulator beside the lab reaches nodes in containers', { skip }, async () => {
  const placement = { target: 'container', simulator: 'process' } as const;
  const allocation = { serverCpus: 0.5, loadtestCpus: 1 };
  await using deployment = await start('03-cursor', { allocation }, placement);
  const { result, errorText } = await deployment.runLoadtest(workload, quiet);
  assert.equal(result?.audit.delivered, 40 * 20, errorText);
  assert.match(result.workload.urls[0]!, /^ws:\/\/127\.0\.0\.1:/);
});

test('a simulator in a container reaches nodes beside the lab, and is scraped there', { skip }, async () => {
  const placement = { target: 'process', simulator: 'container' } as const;
  const allocation = { loadtestCpus: 0.75, loadtestMemoryMb: 512 };
  const [metricsPort] = await freePorts(1);
  await using deployment = await start('03-cursor', { allocation }, placement);
  const scrapes: Promise<string>[] = [];
  let address = '';
  const { result, errorText } = await deployment.runLoadtest(
    { ...workload, metricsPort: metricsPort! },
    {
      onScrapeAddress: (given) => {
        address = given;
      },
      onProgress: ({ event }) => {
        if (event === 'second')
          scrapes.push(fetch(`http://${address}/metrics`).then((response) => response.text()));
      },
      signal,
    },
  );
  assert.equal(result?.audit.delivered, 40 * 20, errorText);
  assert.equal(result.environment.cgroupMemoryBytes, 512 * 2 ** 20);
  assert.equal(address, `127.0.0.1:${metricsPort}`);
  assert.match((await Promise.all(scrapes))[0]!, /^loadtest_sessions/m);
});

test('a server that dies is named in the next sample, and one that cannot start says why', {
  skip,
}, async () => {
  await using deployment = await start('03-cursor');
  await deployment.nodes[0]!.signal('SIGKILL');
  assert.equal(await deployment.nodes[0]!.ended, 'exited with code 137');
  const [node] = await deployment.sample();
  assert.deepEqual([node!.fault, node!.processes], ['exited with code 137', 0]);
  await assert.rejects(
    start('03-cursor', { settings: { 'heartbeat-interval-ms': 'soon' } }),
    /exited with code 2[\s\S]*heartbeat-interval-ms/,
  );
});

test('one worker of a node can be killed, and its supervisor starts another', { skip }, async () => {
  await using deployment = await start('04-cores', { settings: { workers: '2' } });
  const [node] = deployment.nodes;
  await node!.signalWorker(1, 'SIGKILL');
  const metrics = async () => (await fetch(`${node!.internalUrl}/metrics`)).text();
  await until(async () => /^chat_worker_restarts_total 1$/m.test(await metrics()));
  await until(async () => /^chat_workers_ready 2$/m.test(await metrics()));
  await assert.rejects(node!.signalWorker(7, 'SIGKILL'), /There is no worker number 7/);
});

for (const target of ['container', 'process'] as const)
  test(`${target}: nodes share a Redis that can be frozen, killed and restarted, and a network that can be cut`, {
    skip,
  }, async () => {
    const placement = { target, simulator: 'process' } as const;
    const changes = { nodes: 2, breakableNetwork: true, settings: { 'reconnect-wait-ms-max': '0' } };
    await using deployment = await start('05-backplane', changes, placement);
    const { nodes, services, network } = deployment;
    assert.deepEqual(
      (await deployment.sample()).map(({ name, role, fault }) => [name, role, fault]),
      [
        ['node-1', 'server', null],
        ['node-2', 'server', null],
        ['redis', 'redis', null],
      ],
    );
    const talk = () => exchange(nodes.map(({ chatUrl }) => chatUrl));
    const readiness = () => Promise.all(nodes.map(({ internalUrl }) => isReady(internalUrl)));
    const eventually = (expected: readonly boolean[]) =>
      until(async () => String(await readiness()) === String(expected));
    await talk();
    network!.cut();
    await eventually([false, true]);
    network!.heal();
    await eventually([true, true]);
    await talk();
    const [redis] = services;
    await redis!.signal('SIGSTOP');
    await eventually([false, false]);
    await redis!.signal('SIGCONT');
    await eventually([true, true]);
    await redis!.signal('SIGKILL');
    await eventually([false, false]);
    assert.match((await deployment.sample())[2]!.fault!, /exited with code 137|killed by SIGKILL/);
    await redis!.restart();
    await eventually([true, true]);
    await talk();
    assert.equal((await deployment.sample())[2]!.fault, null);
  });

/** Asks every 50 ms until it holds; rejects after 20 seconds. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadlineAtMs = performance.now() + 20_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadlineAtMs, 'it never came to hold');
    await sleep(50);
  }
}

function isReady(internalUrl: string): Promise<boolean> {
  return fetch(`${internalUrl}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}

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
