/** Starts a deployment: where each part runs, on which CPUs, with which services, and over which network. */
import { StartError } from '#host/readiness.ts';
import type { ContainerSite } from './container.ts';
import {
  type Deployment,
  type DeploymentRequest,
  type Placement,
  TargetError,
  type TargetKind,
} from './deployment.ts';
import { describePins, type Pins, pinnableCpus, pinnedServerCores, pinning } from './pinning.ts';
import { type ProcessPrograms, ProcessSite } from './process.ts';
import type { RunningService } from './services/service.ts';
import { serviceProviders } from './services/services.ts';
import { SilentProxy } from './silent-proxy.ts';
import { runSimulator } from './simulator.ts';
import type { Site, SiteNode } from './site.ts';

/**
 * The target that a run gets: what `--target` asks for, else what the experiment prefers, else containers
 * where an engine answers.
 */
export async function chooseTarget(
  asked: TargetKind | undefined,
  preferred: TargetKind | undefined,
): Promise<TargetKind> {
  return asked ?? preferred ?? ((await engineFault()) === null ? 'container' : 'process');
}

/** Why containers cannot be had here; null where an engine answers. */
export async function engineFault(): Promise<string | null> {
  const { findEngine } = await import('./container-engine.ts');
  const found = await findEngine();
  return found.found ? null : found.why;
}

/**
 * Gets the image that a run in containers needs, so that it is not built in the middle of the first trial.
 * Resolves with why it cannot be had, null where it can.
 */
export async function prepareContainers(
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<string | null> {
  const [{ findEngine }, { ensureImage }] = await Promise.all([
    import('./container-engine.ts'),
    import('./container-image.ts'),
  ]);
  const found = await findEngine();
  if (!found.found) return `no container engine answers: ${found.why}`;
  try {
    await ensureImage(found.engine, signal, (name) => print(`building ${name}, once for these sources …`));
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StartError) return error.message;
    throw error;
  }
}

/**
 * Resolves when every node listens. Rejects with a `TargetError` when one does not. `programs` is for tests.
 */
export async function startDeployment(
  placement: Placement,
  request: DeploymentRequest,
  programs?: ProcessPrograms,
): Promise<Deployment> {
  try {
    return await start(placement, request, programs);
  } catch (error) {
    throw error instanceof StartError ? new TargetError(error.message) : error;
  }
}

async function start(
  placement: Placement,
  request: DeploymentRequest,
  programs: ProcessPrograms | undefined,
): Promise<Deployment> {
  const { stage, allocation, scrapeHost, signal } = request;
  const roles = rolesOf(request);
  await using started = new AsyncDisposableStack();
  const processes = new ProcessSite(scrapeHost, programs);
  const containers = openOnce(started, scrapeHost, signal);
  const siteOf = async (kind: TargetKind): Promise<Site> =>
    kind === 'process' ? processes : (await containers()).prepare();
  const site = await siteOf(placement.target);
  const simulatorSite = await siteOf(placement.simulator);
  const pins = pinning(
    await cpusOf(placement, containers),
    roles.map(() => allocation.serverCpus),
    allocation.loadtestCpus,
  );
  const services: RunningService[] = [];
  for (const name of stage.services)
    services.push(started.use(await provider(name).start({ target: site.kind, containers, signal })));
  const network = request.breakableNetwork ? await breakableNetwork(site, services, started) : null;
  // After the services, because the last is stopped first: nodes must not outlive their services.
  started.use(processes);
  const nodes = await startNodes(site, request, roles, pins, services, network?.urls);
  const observedLimits = await Promise.all(nodes.map((node) => node.observeLimits()));
  const nodesAreElsewhere = simulatorSite !== site;
  const urls = nodes.map(({ chatUrl, siteUrl }) => (nodesAreElsewhere ? chatUrl : siteUrl));
  const simulator = { site: simulatorSite, allocation, pins, nodesAreElsewhere };
  const owned = started.move();
  return {
    target: placement.target,
    stage: stage.name,
    nodes,
    services,
    network,
    observedLimits,
    pinnedServerCores: pinnedServerCores(pins),
    facts: {
      ...simulatorSite.facts,
      ...site.facts,
      'pinned CPUs': describePins(pins),
      ...Object.fromEntries(services.map(({ name, fact }) => [name, fact])),
    },
    sample: () => Promise.all([...nodes, ...services].map((part) => part.sample())),
    runLoadtest: (options, watch) => runSimulator(simulator, { ...options, urls }, watch),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * One after the other, because a start uses all of a core. The first gets its own URLs of the services, if
 * there are any.
 */
async function startNodes(
  site: Site,
  { stage, settings, allocation, signal }: DeploymentRequest,
  roles: readonly string[],
  pins: Pins,
  services: readonly RunningService[],
  urlsOfFirst: readonly string[] | undefined,
): Promise<SiteNode[]> {
  const settingFlags = Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, value]);
  const nodes: SiteNode[] = [];
  for (const [index, role] of roles.entries()) {
    const serviceFlags = services.flatMap(({ name, nodeUrl }, number) => [
      `--${name}-url`,
      (index === 0 ? urlsOfFirst?.[number] : undefined) ?? nodeUrl,
    ]);
    const node = await site.startNode({
      name: `node-${index + 1}`,
      role,
      flags: ['--stage', stage.name, ...settingFlags, ...serviceFlags],
      cpus: allocation.serverCpus,
      memoryMb: allocation.serverMemoryMb,
      pinnedCpus: pins.servers[index],
      signal,
    });
    nodes.push(node);
  }
  return nodes;
}

/** One role for each node. */
function rolesOf({ stage, nodes }: DeploymentRequest): string[] {
  if (nodes > 1 && !stage.processes.some(({ count }) => count === 'any number'))
    throw new TargetError(`${stage.name} runs on one node; ${nodes} were asked for.`);
  return stage.processes.flatMap(({ role, count }) =>
    Array<string>(count === 'any number' ? nodes : 1).fill(role),
  );
}

/** Containers are opened at most once for each deployment, and only where a part of it needs them. */
function openOnce(started: AsyncDisposableStack, scrapeHost: string, signal: AbortSignal) {
  let opened: Promise<ContainerSite> | undefined;
  return () => {
    opened ??= import('./container.ts').then(async (container) =>
      started.use(await container.ContainerSite.open(scrapeHost, signal)),
    );
    return opened;
  };
}

/**
 * CPUs that parts may be pinned to. The engine numbers those of its own machine; with a process among them,
 * they are this one's.
 */
async function cpusOf(placement: Placement, containers: () => Promise<ContainerSite>): Promise<number[]> {
  if (placement.target === 'process' || placement.simulator === 'process') return pinnableCpus();
  return Array.from({ length: (await containers()).engine.cpus }, (_, cpu) => cpu);
}

function provider(name: string) {
  const found = serviceProviders.find((candidate) => candidate.name === name);
  if (found === undefined) throw new TargetError(`This lab does not know how to provide ${name}.`);
  return found;
}

/** A proxy before each service, and the URLs by which the first node reaches the services through them. */
async function breakableNetwork(
  site: Site,
  services: readonly RunningService[],
  started: AsyncDisposableStack,
) {
  if (services.length === 0) return null;
  const { listenHost, reachedAs } = await site.labAddress();
  const proxies: SilentProxy[] = [];
  const urls: string[] = [];
  for (const { url } of services) {
    const { hostname, port } = new URL(url);
    const proxy = started.use(await SilentProxy.listen(listenHost, [{ host: hostname, port: Number(port) }]));
    const through = new URL(url);
    through.hostname = reachedAs;
    through.port = String(proxy.port);
    proxies.push(proxy);
    urls.push(through.href);
  }
  return {
    urls,
    cut: () => {
      for (const proxy of proxies) proxy.cut();
    },
    heal: () => {
      for (const proxy of proxies) proxy.heal();
    },
  };
}
