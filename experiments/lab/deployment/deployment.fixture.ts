/** Deployments of real programs as tests want them. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import { Person } from '../../../testing/person.ts';
import type {
  Deployment,
  DeploymentRequest,
  Placement,
  SimulatorOptions,
  SimulatorWatch,
} from './deployment.ts';
import { listStages } from './list-stages.ts';
import { startDeployment } from './start.ts';

export const { signal } = new AbortController();
/** One node without limits. */
export const defaults = { settings: {}, nodes: 1, allocation: {}, scrapeHost: '127.0.0.1', signal };
/** Follows a run of the simulator without doing anything. */
export const quiet = { onProgress: () => {}, onScrapeAddress: () => {}, signal };

/** Starts a stage as one node without limits; containers for all unless told otherwise. */
export async function deploy(
  stage: string,
  changes: Partial<DeploymentRequest> = {},
  placement: Placement = { target: 'container', simulator: 'container' },
): Promise<Deployment> {
  const info = (await listStages()).find(({ name }) => name === stage)!;
  return startDeployment(placement, { ...defaults, stage: info, ...changes });
}

/** Clients of each node say something, by each of its URLs, and all of them hear all of it. */
export async function exchange({ nodes }: Deployment): Promise<void> {
  const joins = nodes.flatMap(({ chatUrl, directUrl }, index) => [
    Person.join(chatUrl, `p${index}`),
    Person.join(directUrl, `d${index}`),
  ]);
  const people = await Promise.all(joins);
  for (const person of people) person.say('hello');
  await Promise.all(people.map((person) => person.hears(people.length)));
  await Promise.all(people.map((person) => person.leave()));
}

/** A second of 40 messages to 20 clients each; defaults for the rest. */
export const workload = {
  clients: 20,
  ratePerSecond: 40,
  durationSeconds: 1,
  warmUpSeconds: 0.2,
  limits: ['p99<10s'],
};

/** One run of the simulator with that workload. */
export async function simulate(
  deployment: Deployment,
  options: Partial<SimulatorOptions> = {},
  watch: Partial<SimulatorWatch> = {},
): Promise<LoadtestResult> {
  await using simulator = await deployment.startSimulator(
    { ...workload, ...options },
    { ...quiet, ...watch },
  );
  return await simulator.step({ last: true });
}

/** Asks every 50 ms until it holds; rejects after the deadline. */
export async function until(holds: () => Promise<boolean>, deadlineMs = 20_000): Promise<void> {
  const deadlineAtMs = performance.now() + deadlineMs;
  while (!(await holds())) {
    assert.ok(performance.now() < deadlineAtMs, `it did not come to hold within ${deadlineMs} ms`);
    await sleep(50);
  }
}

export function isReady(internalUrl: string): Promise<boolean> {
  return fetch(`${internalUrl}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}
