/** Deployments of real programs as tests want them. */
import { Person } from '../../../testing/person.ts';
import type { Deployment, DeploymentRequest, Placement } from './deployment.ts';
import { listStages } from './stage-table.ts';
import { startDeployment } from './start.ts';

export const { signal } = new AbortController();

/** Starts a stage as one node without limits; containers for all unless told otherwise. */
export async function deploy(
  stage: string,
  changes: Partial<DeploymentRequest> = {},
  placement: Placement = { target: 'container', simulator: 'container' },
): Promise<Deployment> {
  const stages = await listStages();
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

/** A client of each node says something, and all of them hear all of it. */
export async function exchange(urls: readonly string[]): Promise<void> {
  const people = await Promise.all(urls.map((url, index) => Person.join(url, `p${index}`)));
  for (const person of people) person.say('hello');
  await Promise.all(people.map((person) => person.hears(people.length)));
  await Promise.all(people.map((person) => person.leave()));
}

/** A second of 40 messages to 20 clients each. */
export const workload = {
  ...{ clients: 20, ratePerSecond: 40, durationSeconds: 1, warmUpSeconds: 0.2, drainSeconds: 2 },
  ...{ payloadBytes: 128, seed: 1, limits: ['p99<10s'] },
};
