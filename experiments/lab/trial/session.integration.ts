/** A session with real programs: what stays between trials, and what is started anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '../deployment/deployment.ts';
import { listStages } from '../deployment/list-stages.ts';
import { startDeployment } from '../deployment/start.ts';
import { TrialSession } from './session.ts';
import type { TrialRequest } from './trial.ts';

const { signal } = new AbortController();
const stages = await listStages();

/** A session of a stage as processes; `deployments` are those that it has started, `phases` what was seen. */
function open(stage: string) {
  const deployments: Deployment[] = [];
  const phases: string[] = [];
  const setup = {
    name: stage,
    stage: stages.find(({ name }) => name === stage)!,
    settings: {},
    nodes: 1,
    allocation: {},
  };
  const session = new TrialSession(setup, {
    deploy: async (request) => {
      const places = { target: 'process', simulator: 'process' } as const;
      const deployment = await startDeployment(places, { ...request, scrapeHost: '127.0.0.1', signal });
      deployments.push(deployment);
      return deployment;
    },
    simulatorMetricsPort: null,
    signal,
    observer: { phase: (phase) => phases.push(phase), second: () => {}, started: () => {} },
  });
  return { session, deployments, phases };
}

function request(number: number, changes: Partial<TrialRequest> = {}): TrialRequest {
  return {
    number,
    variant: 'any',
    stage: 'any',
    purpose: 'search',
    about: '',
    load: 40,
    seed: number,
    workload: { clients: 10, ratePerSecond: 40 },
    timing: { warmUpSeconds: 0.2, measureSeconds: 1, drainSeconds: 2 },
    limits: ['p99<30s'],
    ...changes,
  };
}

test('trials share a server and its connections; other clients connect anew to the same server', async () => {
  const { session, deployments, phases } = open('03-cursor');
  await using _session = session;
  const first = await session.run(request(1));
  const second = await session.run(request(2, { workload: { clients: 10, ratePerSecond: 20 } }));
  const phase = (trial: typeof first) => trial.phases.map((mark) => mark.phase).join(' ');
  assert.equal(phase(first), 'start verify connect probe warm-up measure drain');
  assert.equal(phase(second), 'warm-up measure drain');
  const delivered = [first, second].map(({ loadtest }) => loadtest?.audit.delivered);
  assert.deepEqual(delivered, [400, 200]);
  assert.equal(second.loadtest?.workload.seed, 2);
  const third = await session.run(request(3, { workload: { clients: 5, ratePerSecond: 20 } }));
  assert.equal(phase(third), 'connect probe warm-up measure drain');
  assert.equal(third.loadtest?.audit.delivered, 100);
  assert.equal(deployments.length, 1);
  assert.equal(await session.recover(request(3)), 0);
  assert.ok(phases.includes('recover'));
});

test('a rate above the one that the simulator was sized for makes it connect anew', async () => {
  const { session } = open('03-cursor');
  await using _session = session;
  const rate = (ratePerSecond: number) => ({ workload: { clients: 10, ratePerSecond } });
  await session.run(request(1, { ...rate(20), rateMax: 60 }));
  const within = await session.run(request(2, rate(60)));
  const above = await session.run(request(3, rate(61)));
  assert.deepEqual([within.phases[0]!.phase, above.phases[0]!.phase], ['warm-up', 'connect']);
});

test('a server that dies fails its trial, and the next trial has a new one', async () => {
  const { session, deployments } = open('03-cursor');
  await using _session = session;
  await session.run(request(1));
  const dying = session.run(
    request(2, { timing: { warmUpSeconds: 0.2, measureSeconds: 2, drainSeconds: 0.2 } }),
  );
  setTimeout(() => void deployments[0]!.nodes[0]!.signal('SIGKILL'), 1200);
  const dead = await dying;
  assert.equal(dead.outcome, 'fail');
  assert.equal(dead.fault, 'node-1 killed by SIGKILL');
  const next = await session.run(request(3));
  assert.deepEqual([next.fault, deployments.length, next.phases[0]!.phase], [null, 2, 'start']);
});

test('a frozen server with workers stands still, and its trial says for how long', async () => {
  const { session } = open('04-cores');
  await using _session = session;
  const timing = { warmUpSeconds: 0.2, measureSeconds: 3, drainSeconds: 2 };
  const trial = await session.run(request(1, { timing, freeze: { atSeconds: 1.2, seconds: 0.5 } }));
  assert.ok(trial.freeze!.seconds >= 0.5 && trial.freeze!.atSeconds >= 1.2, JSON.stringify(trial.freeze));
  assert.equal(trial.loadtest?.audit.lost, 0);
  assert.ok(trial.loadtest.deliveryLatencyMs.max >= 400, String(trial.loadtest.deliveryLatencyMs.max));
});
