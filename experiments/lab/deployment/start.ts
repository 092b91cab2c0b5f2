/** Starts a deployment: where each part runs, on which CPUs, with which services, and over which network. */
import { StartError } from '#host/readiness.ts';
import { splitUrls } from '#host/secrets.ts';
import { type Direction, SilentProxy } from '#host/silent-proxy.ts';
import type { ContainerSite } from './container.ts';
import { ensureImage } from './container-image.ts';
import {
  type Allocation,
  type Deployment,
  type DeploymentRequest,
  defaultCpuPeriodMs,
  type NodeSample,
  type PartUsage,
  type Placement,
  type TargetKind,
} from './deployment.ts';
import { takesImages } from './list-stages.ts';
import { laterNodes, rolesOf, startNode, urlsOfServices, withLastSample } from './nodes.ts';
import { describePins, launcherOn, type Pins, pinnableCpus, pinnedServerCores, pinning } from './pinning.ts';
import { type ProcessPrograms, ProcessSite, programsOf } from './process.ts';
import { serverFlags } from './server-flags.ts';
import { startBalancer } from './services/haproxy.ts';
import { startMedia } from './services/media.ts';
import type { RunningService, ServiceRequest } from './services/service.ts';
import { startService } from './services/services.ts';
import { startSimulator } from './simulator.ts';
import { listenHost, type Site, type SiteNode } from './site.ts';

/** Chosen: a cluster of Redis is six servers. */
const servicePortsMax = 6;

/** The target asked for, else the one that is preferred, else containers where an engine answers. */
export async function chooseTarget(
  asked: TargetKind | undefined,
  preferred: TargetKind | undefined,
): Promise<TargetKind> {
  return asked ?? preferred ?? ((await engineFault()) === null ? 'container' : 'process');
}

/** Why containers cannot be had here; null where an engine answers. */
export async function engineFault(): Promise<string | null> {
  const found = await findEngine();
  return found.found ? null : found.why;
}

/**
 * Builds the image before the first trial, of this checkout or of that one. Resolves with null, or with the
 * reason why there is none.
 */
export async function prepareContainers(
  signal: AbortSignal,
  print: (line: string) => void,
  root?: string,
): Promise<string | null> {
  const found = await findEngine();
  if (!found.found) return `no container engine answers: ${found.why}`;
  try {
    const onBuild = (name: string) => print(`building ${name}, once for these sources …`);
    await ensureImage(found.engine, signal, onBuild, root);
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StartError) return error.message;
    throw error;
  }
}

/** Resolves when every node listens; rejects with a `StartError` when one does not. Tests give `programs`. */
export async function startDeployment(
  placement: Placement,
  request: DeploymentRequest,
  programs: ProcessPrograms = programsOf(request.serverRoot),
): Promise<Deployment> {
  const { stage, allocation, scrapeHost, signal } = request;
  const roles = rolesOf(request);
  await using started = new AsyncDisposableStack();
  const processes = new ProcessSite(scrapeHost, programs);
  let opened: Promise<ContainerSite> | undefined;
  const containers = () => {
    opened ??= import('./container.ts').then(async (container) =>
      started.use(await container.ContainerSite.open(scrapeHost, signal)),
    );
    return opened;
  };
  const siteOf = async (kind: TargetKind): Promise<Site> =>
    kind === 'process' ? processes : (await containers()).prepare(request.serverRoot);
  const site = await siteOf(placement.target);
  if (placement.target === 'container') await (await containers()).share(portsOf(stage, roles.length));
  const simulatorSite = await siteOf(placement.simulator);
  const nodesAreElsewhere = simulatorSite !== site;
  const inContainers = placement.target === 'container' && placement.simulator === 'container';
  // The engine numbers the CPUs of its own machine; with a process among the parts, they are this one's.
  const cpus = inContainers ? [...Array((await containers()).engine.cpus).keys()] : pinnableCpus();
  const nodeCpus = roles.map(() => allocation.serverCpus);
  const pins = pinning(cpus, nodeCpus, allocation.loadtestCpus);
  const services: RunningService[] = [];
  const forServices = requestOfServices(site.kind, containers, pins, request);
  const forOurs = { ...forServices, metricsHost: listenHost(scrapeHost) };
  for (const name of stage.services) services.push(started.use(await startService(name, forServices)));
  const network = request.breakableNetwork ? await breakableNetwork(site, services, started) : null;
  const flags = mediaFlags(request);
  const media = flags && started.use(await startMedia({ ...forOurs, program: programs.server, flags }));
  // After the services, because the last is stopped first: nodes must not outlive their services.
  started.use(processes);
  const begin = (index: number) => {
    const urls = urlsOfServices(services, index === 0 ? network?.urls : []);
    return startNode(site, request, { index, role: roles[index]! }, pins, { ...urls, ...media?.environment });
  };
  const nodes: SiteNode[] = [];
  // One after the other, because a start uses all of a core.
  for (let index = 0; index < roles.length - laterNodes(request); index++) nodes.push(await begin(index));
  const later: SiteNode[] = [];
  const addNode = async () => {
    const node = await begin(nodes.length + later.length);
    later.push(withLastSample(node));
    return node;
  };
  const observedLimits = await Promise.all(nodes.map((node) => node.observeLimits()));
  const balancer = request.balancer ? started.use(await balance(nodes, forOurs)) : null;
  // The simulator connects to the balancer alone where there is one.
  const urls = balancer === null ? nodes.map(({ chatUrl }) => chatUrl) : [balancer.url];
  const entries = request.seated ? { urls, connectUrls: urls.map(connectUrl) } : { urls };
  const beside = [...services, media, balancer].filter((part) => part !== null);
  const place = { ...simulatorLimits(allocation, pins), nodesAreElsewhere };
  const owned = started.move();
  return {
    target: placement.target,
    stage: stage.name,
    nodes,
    addNode,
    services,
    balancer: balancer && { ...balancer, scrapeAddress: `${scrapeHost}:${balancer.metricsPort}` },
    media: media && { ...media, scrapeAddress: `${scrapeHost}:${new URL(media.internalUrl).port}` },
    network,
    observedLimits,
    pinnedServerCores: pinnedServerCores(pins),
    pins,
    facts: {
      ...simulatorSite.facts,
      ...site.facts,
      ...quotaFact(site.kind, allocation),
      'pinned CPUs': describePins(pins, beside.length > 0),
      ...(stage.program && { packages: stage.program.packages.join(', ') || 'those of the project' }),
      ...Object.fromEntries(beside.map(({ name, fact }) => [name, fact])),
    },
    ...readingsOf(() => [...nodes, ...later, ...beside], simulatorSite),
    simulatorCpuSeconds: async () => (await simulatorSite.simulatorUsage())?.cpuSeconds ?? null,
    startSimulator: (options, watch) =>
      startSimulator(simulatorSite, place, { ...options, ...entries }, watch),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Services run beside the nodes, on the CPUs that the simulator leaves. */
function requestOfServices(
  target: TargetKind,
  containers: () => Promise<ContainerSite>,
  { services: pinnedCpus }: Pins,
  { persistence = 'none', signal }: DeploymentRequest,
): ServiceRequest {
  return {
    target,
    containers: async () => {
      const site = await containers();
      return {
        serverImage: site.serverImage,
        takePorts: (count) => site.takePorts(count),
        startService: (service) => site.startService({ ...service, pinnedCpus }),
      };
    },
    persistence,
    launcher: launcherOn(pinnedCpus),
    signal,
  };
}

/** The flags of the media server; null where none was asked for. */
function mediaFlags({ stage, media, serverRoot }: DeploymentRequest): string[] | null {
  if (media === undefined) return null;
  if (!takesImages(stage)) throw new StartError(`${stage.name} has no media server; one was asked for.`);
  return ['--stage', stage.name, '--role', 'media', ...serverFlags(media, serverRoot)];
}

/** Ports that containers can need: two of each node, of the balancer and of the media server. */
function portsOf({ services }: DeploymentRequest['stage'], nodes: number): number {
  return 2 * nodes + 4 + services.length * servicePortsMax;
}

/** `http://host:port` of the same listener. */
function connectUrl(chatUrl: string): string {
  return `http://${new URL(chatUrl).host}`;
}

function simulatorLimits(
  { loadtestCpus: cpus, loadtestMemoryMb: memoryMb, cpuPeriodMs = defaultCpuPeriodMs }: Allocation,
  { simulator: pinnedCpus }: Pins,
) {
  return { cpus, memoryMb, cpuPeriodMs, pinnedCpus };
}

/** The simulator is read at the same moments, and apart: it is no part of the system under test. */
function readingsOf(
  parts: () => readonly { sample(): Promise<NodeSample> }[],
  simulatorSite: Site,
): Pick<Deployment, 'sample' | 'latestUsage'> {
  let latest: PartUsage[] = [];
  const sample = async () => {
    const read = Promise.all(parts().map((part) => part.sample()));
    const [samples, simulator] = await Promise.all([read, simulatorSite.simulatorUsage()]);
    latest = simulator === null ? samples : [...samples, simulator];
    return samples;
  };
  return { sample, latestUsage: () => latest };
}

/** Where nodes are processes, the quota that they ought to have and do not. */
function quotaFact(kind: TargetKind, { serverCpus }: Allocation): Readonly<Record<string, string>> {
  if (kind === 'container' || serverCpus === undefined) return {};
  const without = `none: a process cannot have one; in a container each node would have ${serverCpus} CPU`;
  return { 'CPU quota': without };
}

/** Puts a load balancer in front of these nodes. */
function balance(nodes: readonly SiteNode[], request: ServiceRequest & { metricsHost: string }) {
  const balanced = nodes.map(({ name, chatUrl, internalUrl }) => ({
    name,
    address: new URL(chatUrl).host,
    readinessPort: Number(new URL(internalUrl).port),
  }));
  return startBalancer({ ...request, nodes: balanced });
}

/** Imports the client of the engine only where it is asked for, because that takes a while. */
async function findEngine() {
  const engine = await import('./container-engine.ts');
  return engine.findEngine();
}

/** A proxy before each service, and the URLs by which the first node reaches the services through them. */
async function breakableNetwork(
  site: Site,
  services: readonly RunningService[],
  started: AsyncDisposableStack,
) {
  // Nodes of a cluster tell their own addresses, which lead past any proxy.
  if (services.length === 0 || services.some(({ url }) => splitUrls(url).length > 1)) return null;
  const { listenHost, reachedAs } = await site.labAddress();
  const proxies: SilentProxy[] = [];
  const urls: string[] = [];
  for (const { url } of services) {
    const through = new URL(url);
    const destination = { host: through.hostname, port: Number(through.port) };
    const proxy = started.use(await SilentProxy.listen(listenHost, [destination]));
    through.hostname = reachedAs;
    through.port = String(proxy.port);
    proxies.push(proxy);
    urls.push(through.href);
  }
  return {
    urls,
    cut: (direction?: Direction) => {
      for (const proxy of proxies) proxy.cut(direction);
    },
    heal: () => {
      for (const proxy of proxies) proxy.heal();
    },
  };
}
