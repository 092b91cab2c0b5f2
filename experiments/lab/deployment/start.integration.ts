/** Nodes and simulator in every combination of places, and the faults that can be injected into them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { freePorts } from '#host/free-ports.ts';
import { childrenOf } from '#host/process-tree.ts';
import { findEngine, labPidLabel, listLabelled } from './container-engine.ts';
import { deploy, exchange, isReady, simulate, until } from './deployment.fixture.ts';
import type { Deployment, TargetKind } from './deployment.ts';
import { parseCpuList, pinnableCpus } from './pinning.ts';
import { engineFault } from './start.ts';

const fault = await engineFault();
const skip = fault !== null && `no container engine answers: ${fault}`;

for (const [target, simulator] of [
  ['container', 'container'],
  ['container', 'process'],
  ['process', 'container'],
] as const)
  test(`a simulator (${simulator}) asks nodes (${target}) where to connect, and is sent there`, {
    skip,
  }, async () => {
    const allocation = { serverCpus: 0.5, loadtestCpus: 1 };
    const changes = { seated: true, allocation: target === 'container' ? allocation : {} };
    await using deployment = await deploy('06-partitioned', changes, { target, simulator });
    const result = await simulate(deployment, { clients: 20, rooms: 5 });
    assert.equal(result.audit.lost, 0);
    assert.equal(result.audit.delivered, 40 * 4);
    assert.equal(result.connections.opened, 20);
    const metrics = await textOf(`${deployment.nodes[0]!.internalUrl}/metrics`);
    assert.match(metrics, /^chat_connect_answers_total\{status="200"\} 20$/m);
  });

test('a simulator in a container of its own limits reaches a process without /connect, and is scraped', {
  skip,
}, async () => {
  const placement = { target: 'process', simulator: 'container' } as const;
  const allocation = { loadtestCpus: 0.75, loadtestMemoryMb: 512 };
  const [metricsPort] = await freePorts(1);
  await using deployment = await deploy('03-cursor', { allocation }, placement);
  const scrapes: Promise<string>[] = [];
  let address = '';
  const result = await simulate(
    deployment,
    { metricsPort: metricsPort! },
    {
      onScrapeAddress: (given) => {
        address = given;
      },
      onProgress: ({ event }) => {
        if (event === 'second') scrapes.push(textOf(`http://${address}/metrics`));
      },
    },
  );
  assert.equal(result.audit.delivered, 40 * 20);
  assert.equal(result.environment.cgroupMemoryBytes, 512 * 2 ** 20);
  assert.equal(address, `127.0.0.1:${metricsPort}`);
  assert.match(deployment.facts.image!, /^chat-scaling-lab:/);
  assert.match((await Promise.all(scrapes))[0]!, /^loadtest_sessions/m);
});

test('a server that dies is named in the next sample, and one that cannot start says why', {
  skip,
}, async () => {
  await using deployment = await deploy('03-cursor');
  await deployment.nodes[0]!.signal('SIGKILL');
  assert.equal(await deployment.nodes[0]!.ended, 'exited with code 137');
  const [node] = await deployment.sample();
  assert.deepEqual([node!.fault, node!.processes], ['exited with code 137', 0]);
  await assert.rejects(
    deploy('03-cursor', { settings: { 'heartbeat-interval': 'soon' } }),
    /exited with code 2[\s\S]*--heartbeat-interval /,
  );
});

for (const target of ['container', 'process'] as const)
  test(`${target}: a node is added, is sampled, and leaves without a fault`, { skip }, async () => {
    const placement = { target, simulator: 'process' } as const;
    await using deployment = await deploy('06-partitioned', { nodesMax: 2, seated: true }, placement);
    const added = await deployment.addNode();
    assert.deepEqual([deployment.nodes.length, added.name], [1, 'node-2']);
    await exchange({ ...deployment, nodes: [...deployment.nodes, added] });
    const seen = async () => (await deployment.sample()).map(({ name, fault }) => `${name} ${fault}`);
    const expected = ['node-1 null', 'node-2 null', 'redis null'];
    assert.deepEqual(await seen(), expected);
    await added.signal('SIGTERM');
    await added.ended;
    assert.deepEqual(await seen(), expected);
    assert.ok((await deployment.sample())[1]!.cpuSeconds > 0, 'its CPU time stays counted');
  });

test('one worker of a node can be killed, and its supervisor starts another', { skip }, async () => {
  await using deployment = await deploy('04-cores', { settings: { workers: '2' } });
  const [node] = deployment.nodes;
  await node!.signalWorker(1, 'SIGKILL');
  const metrics = `${node!.internalUrl}/metrics`;
  await until(async () => /^chat_worker_restarts_total 1$/m.test(await textOf(metrics)));
  await until(async () => /^chat_workers_ready 2$/m.test(await textOf(metrics)));
  await assert.rejects(node!.signalWorker(7, 'SIGKILL'), /There is no worker number 7/);
});

const canPin = pinnableCpus().length >= 2;
const pinned = { serverCpus: 0.5, loadtestCpus: pinnableCpus().length - 1 };

for (const target of ['container', 'process'] as const)
  test(`${target}: nodes share a Redis that can be frozen, killed and restarted, and a network that can be cut`, {
    skip,
  }, async () => {
    const placement = { target, simulator: 'process' } as const;
    const settings = { 'reconnect-wait-max': '0s' };
    const allocation = canPin ? pinned : {};
    const changes = { nodes: 2, breakableNetwork: true, settings, allocation };
    await using deployment = await deploy('05-backplane', changes, placement);
    const { nodes, services, network } = deployment;
    if (canPin) await assertPinned(deployment, target);
    const sampled = (await deployment.sample()).map(({ name, role, fault }) => `${name} ${role} ${fault}`);
    assert.deepEqual(sampled, ['node-1 server null', 'node-2 server null', 'redis redis null']);
    const commands = childrenOf(process.pid).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    assert.doesNotMatch(commands.join(), /redis:\/\//, 'a URL may hold a password');
    const readiness = () => Promise.all(nodes.map(({ internalUrl }) => isReady(internalUrl)));
    const eventually = (expected: readonly boolean[]) =>
      until(async () => String(await readiness()) === String(expected));
    await exchange(deployment);
    network!.cut();
    await eventually([false, true]);
    network!.heal();
    await eventually([true, true]);
    await exchange(deployment);
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
    await exchange(deployment);
    assert.equal((await deployment.sample())[2]!.fault, null);
  });

/** Redis runs on the CPUs of the nodes, and never on those of the simulator. */
async function assertPinned({ facts }: Deployment, target: TargetKind): Promise<void> {
  const [, server, services, simulator] =
    /^server (\S+), services (\S+), simulator (\S+)$/.exec(facts['pinned CPUs']!) ?? [];
  assert.equal(services, server);
  assert.ok(!parseCpuList(simulator!).includes(Number(services)));
  assert.equal(target === 'container' ? await cpusOfContainer('redis') : cpusOfChild('redis'), services);
}

/** The CPUs of the container of this process whose name ends so. */
async function cpusOfContainer(name: string): Promise<string | undefined> {
  const found = await findEngine();
  assert.ok(found.found);
  const { containers } = await listLabelled(found.engine, `${labPidLabel}=${process.pid}`);
  const one = containers.find(({ Names }) => Names[0]!.endsWith(name));
  const { HostConfig } = await found.engine.client.container.dockerode.getContainer(one!.Id).inspect();
  return HostConfig.CpusetCpus;
}

/** The CPUs of the child process whose program has this in its name. */
function cpusOfChild(name: string): string | undefined {
  const read = (pid: number, file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
  const pid = childrenOf(process.pid).find((child) => read(child, 'comm').includes(name));
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(read(pid!, 'status'))?.[1];
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}
