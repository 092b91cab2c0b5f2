/** Two nodes behind HAProxy: a simulator that knows the balancer alone, and one that is missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Person } from '../../../testing/person.ts';
import { deploy, exchange, simulate } from './deployment.fixture.ts';
import { findServices } from './services/services.ts';
import { engineFault } from './start.ts';

const fault = await engineFault();
const noEngine = fault !== null && `no container engine answers: ${fault}`;
const onPath = (await findServices('process', ['haproxy', 'redis'])).values();
const missing = onPath.find(({ found }) => !found);
const missingWays = missing?.found === false ? missing.ways.join(' ') : false;
const allocation = { serverCpus: 0.2, loadtestCpus: 1 };

for (const simulator of ['container', 'process'] as const)
  test(`containers: a simulator as a ${simulator} reaches two nodes through the balancer alone`, {
    skip: noEngine,
  }, async () => {
    await using deployment = await deploy(
      '05-backplane',
      { nodes: 2, balancer: true, allocation },
      { target: 'container', simulator },
    );
    await balances(deployment);
    const result = await simulate(deployment);
    assert.equal(result.audit.delivered, 40 * 20);
    const { urls } = result.workload;
    assert.deepEqual([urls.length, new URL(urls[0]!).pathname], [1, '/ws']);
    assert.match(deployment.facts.haproxy!, /^HAProxy \d\S* \(container haproxy:/);
    assert.match(deployment.facts['pinned CPUs']!, /^server \d.*, services \d.*, simulator \d|^none$/);
  });

test('processes: haproxy on PATH runs in front of the nodes', { skip: missingWays }, async () => {
  const place = { target: 'process', simulator: 'process' } as const;
  await using deployment = await deploy('05-backplane', { nodes: 2, balancer: true, allocation }, place);
  await balances(deployment);
  const result = await simulate(deployment);
  assert.equal(result.audit.delivered, 40 * 20);
  assert.deepEqual(result.workload.urls, [deployment.balancer!.url]);
  assert.match(deployment.facts.haproxy!, /^HAProxy \d\S* \(haproxy on PATH\)$/);
});

/** Two clients of the balancer sit on different nodes and hear each other; its own CPU is sampled. */
async function balances(deployment: Awaited<ReturnType<typeof deploy>>): Promise<void> {
  const { balancer, nodes } = deployment;
  await exchange(deployment);
  const people = [await Person.join(balancer!.url, 'alice'), await Person.join(balancer!.url, 'bob')];
  for (const { internalUrl } of nodes) {
    const text = await (await fetch(`${internalUrl}/metrics`)).text();
    assert.match(text, /^chat_sessions 1$/m, 'least connections: one each');
  }
  people[0]!.say('across');
  for (const person of people)
    assert.deepEqual((await person.hears(1)).messages, [{ clientId: 'alice', Message: 'across' }]);
  await Promise.all(people.map((person) => person.leave()));
  const samples = await deployment.sample();
  assert.deepEqual(
    samples.map(({ name, role, fault }) => [name, role, fault]),
    [
      ['node-1', 'server', null],
      ['node-2', 'server', null],
      ['redis', 'redis', null],
      ['haproxy', 'proxy', null],
    ],
  );
  assert.ok(samples.at(-1)!.cpuSeconds > 0);
  const exported = await (await fetch(`http://${balancer!.scrapeAddress}/metrics`)).text();
  assert.match(exported, /^haproxy_server_current_sessions\{proxy="nodes",server="node-2"\} \d+$/m);
}
