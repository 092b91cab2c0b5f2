/** The nodes of a deployment: the role of each, how it is started, and how one that may leave is sampled. */
import { StartError } from '#host/readiness.ts';
import { type DeploymentRequest, defaultCpuPeriodMs, type NodeSample } from './deployment.ts';
import { isScalable } from './list-stages.ts';
import type { Pins } from './pinning.ts';
import { serverFlags } from './server-flags.ts';
import type { RunningService } from './services/service.ts';
import type { Site, SiteNode } from './site.ts';

/** How many of the nodes are not there at the start. */
export function laterNodes({ nodes, nodesMax = nodes }: DeploymentRequest): number {
  return nodesMax - nodes;
}

/** Clients connect to processes of this role. Others of a stage, such as `media`, carry no message. */
const chatRole = 'server';

/** One role for each node, those that may come later included. */
export function rolesOf({ stage, nodes: atFirst, nodesMax: nodes = atFirst }: DeploymentRequest): string[] {
  if (nodes > 1 && !isScalable(stage))
    throw new StartError(`${stage.name} runs on one node; ${nodes} were asked for.`);
  return stage.processes
    .filter(({ role }) => role === chatRole)
    .flatMap(({ role, count }) => Array<string>(count === 'any number' ? nodes : 1).fill(role));
}

/** What tells a node the services: their URLs, or those in their place by which it reaches them. */
export function urlsOfServices(
  services: readonly RunningService[],
  inPlace: readonly string[] = [],
): Record<string, string> {
  return Object.fromEntries(
    services.map(({ name, url }, at) => [`CHAT_${name.toUpperCase()}_URL`, inPlace[at] ?? url]),
  );
}

/** `environment`: settings of where its services are, and of secrets. */
export function startNode(
  site: Site,
  { stage, settings, allocation, seated, signal, serverRoot }: DeploymentRequest,
  { index, role }: { index: number; role: string },
  pins: Pins,
  environment: Readonly<Record<string, string>>,
): Promise<SiteNode> {
  const settingFlags = serverFlags(settings, serverRoot);
  if (stage.program && settingFlags.length > 0)
    throw new StartError(
      `${stage.name} is not our server and takes no settings; ${settingFlags[0]} was set.`,
    );
  return site.startNode({
    name: `node-${index + 1}`,
    role,
    flags: stage.program ? [] : ['--stage', stage.name, ...settingFlags],
    peer: stage.program,
    environment,
    isSeated: seated === true,
    cpus: allocation.serverCpus,
    cpuPeriodMs: allocation.cpuPeriodMs ?? defaultCpuPeriodMs,
    memoryMb: allocation.serverMemoryMb,
    pinnedCpus: pins.servers[index],
    signal,
  });
}

/** After its end the node is sampled as it was last: its CPU time stays counted. */
export function withLastSample(node: SiteNode): SiteNode {
  let last: NodeSample | undefined;
  let hasEnded = false;
  void node.ended.then(() => {
    hasEnded = true;
  });
  const sample = async () => {
    if (hasEnded && last) return last;
    const taken = await node.sample().catch((error) => {
      if (last) return last;
      throw error;
    });
    last = { ...taken, fault: null };
    return last;
  };
  return { ...node, sample };
}
