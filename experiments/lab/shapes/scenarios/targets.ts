/** The servers that scenarios run against: a deployment of the lab, or a server that is given by its URL. */
import type { Deployment } from '../../deployment/deployment.ts';
import { ProcessSite } from '../../deployment/process.ts';
import { startSimulator } from '../../deployment/simulator.ts';
import type { Target } from './ground.ts';

/** Disposing it stops the deployment. */
export function deployedTarget(deployment: Deployment): Target {
  const { nodes, facts } = deployment;
  const [first] = nodes;
  return {
    chatUrls: nodes.map(({ directUrl }) => directUrl),
    internalUrls: nodes.map(({ internalUrl }) => internalUrl),
    facts,
    startSimulator: (options, watch) => deployment.startSimulator(options, watch),
    memoryBytes: async () => {
      const samples = await deployment.sample();
      return samples.filter(({ role }) => role === 'server').reduce((sum, { rssBytes }) => sum + rssBytes, 0);
    },
    fault: async () => (await deployment.sample()).find(({ fault }) => fault !== null)?.fault ?? null,
    limitDescriptors: (max) => first!.limitDescriptors(max),
    [Symbol.asyncDispose]: () => deployment[Symbol.asyncDispose](),
  };
}

/** A server that the lab has not started: nothing is known of it but what its clients see. */
export function givenTarget(url: string): Target {
  const site = new ProcessSite('127.0.0.1');
  const place = { cpus: undefined, cpuPeriodMs: 100, memoryMb: undefined, pinnedCpus: undefined };
  return {
    chatUrls: [url],
    internalUrls: [],
    facts: { server: url },
    startSimulator: (options, watch) =>
      startSimulator(site, { ...place, nodesAreElsewhere: false }, { ...options, urls: [url] }, watch),
    memoryBytes: async () => null,
    fault: async () => null,
    limitDescriptors: null,
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  };
}
