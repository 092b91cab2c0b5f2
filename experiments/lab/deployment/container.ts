/**
 * The container target: server nodes, the services they need and the simulator, each in a container of stated CPU and
 * memory on a private network. What is reported as a limit is read from the cgroup of the running server.
 */
import { randomUUID } from 'node:crypto';
import { readMetric } from '../trial/server-metrics.ts';
import { type Box, type BoxRequest, startBox } from './container-box.ts';
import {
  type Engine,
  findEngine,
  labPidLabel,
  removeLabelled,
  sweep,
  targetLabel,
} from './container-engine.ts';
import { ensureImage } from './container-image.ts';
import { runLoadtestBox } from './container-loadtest.ts';
import {
  type NodeSample,
  type ObservedLimits,
  type RunningTarget,
  type ServerNode,
  TargetError,
  type TargetLimits,
  type TargetRequest,
} from './deployment.ts';
import { describePins, type Pins, pinnedServerCores, pinning } from './pinning.ts';

const chatPort = 8080;
const internalPort = 8081;
const redisPort = 6379;
const redisImage = process.env.REDIS_IMAGE ?? 'redis:8';
/** A quarter of a core takes its time to start Node. */
const listenDeadlineMs = 30_000;

/** Everything that the containers of one target have in common. */
type Site = {
  engine: Engine;
  image: string;
  /** Of the network, and the beginning of every container's name. */
  name: string;
  labels: Record<string, string>;
  hostIp: string;
  request: TargetRequest;
};

type BoxNode = ServerNode & { box: Box; role: NodeSample['role'] };

/** Starts the nodes of a stage, and the services it needs, in containers. */
export async function startContainerTarget(
  request: TargetRequest,
  needs: readonly string[],
): Promise<RunningTarget> {
  const found = await findEngine();
  if (!found.found) throw new TargetError(`No container engine answers: ${found.why}`);
  const { engine } = found;
  await sweep(engine);
  await using started = new AsyncDisposableStack();
  const image = await ensureImage(engine, request.signal);
  const site = makeSite(engine, image, request);
  started.defer(() => removeLabelled(engine, `${targetLabel}=${site.labels[targetLabel]}`));
  await engine.client.network.create({ Name: site.name, Driver: 'bridge', Labels: site.labels });
  const { limits } = request;
  const cpus = Array.from({ length: engine.cpus }, (_, cpu) => cpu);
  const pins = pinning(cpus, Array(request.nodes).fill(limits.serverCpus), limits.loadtestCpus);
  const services: BoxNode[] = [];
  for (const need of needs) services.push(await startService(site, need));
  const nodes: BoxNode[] = [];
  for (let index = 0; index < request.nodes; index++)
    nodes.push(await startNode(site, `node-${index + 1}`, needs, pins.servers[index]));
  const observedLimits = await Promise.all(nodes.map((node) => observeLimits(node.internalUrl)));
  checkLimits(limits, observedLimits);
  const sample = sampler();
  const loadtestUrls = nodes.map(({ box }) => `ws://${box.name}:${chatPort}/ws`);
  const owned = started.move();
  return {
    kind: 'container',
    stage: request.stage,
    servers: nodes,
    loadtestUrls,
    observedLimits,
    pinnedServerCores: pinnedServerCores(pins),
    facts: factsOf(site, pins, services),
    sample: () => Promise.all([...nodes, ...services].map(sample)),
    runLoadtest: (options, watch) =>
      runLoadtestBox(
        engine,
        {
          ...placeOf(site, 'simulator'),
          image,
          cpus: quotaOfSimulator(limits.loadtestCpus, pins),
          memoryMb: limits.loadtestMemoryMb,
          pinnedCpus: pins.simulator,
        },
        { ...options, urls: loadtestUrls },
        request.scrapeHost,
        watch,
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function makeSite(engine: Engine, image: string, request: TargetRequest): Site {
  const id = randomUUID();
  const name = `chat-lab-${id.slice(0, 8)}`;
  return {
    engine,
    image,
    name,
    labels: { [targetLabel]: id, [labPidLabel]: String(process.pid) },
    hostIp: request.scrapeHost === '127.0.0.1' ? '127.0.0.1' : '0.0.0.0',
    request,
  };
}

function placeOf(site: Site, name: string) {
  const { labels, hostIp } = site;
  return { name: `${site.name}-${name}`, networkName: site.name, labels, hostIp };
}

async function startNode(
  site: Site,
  name: string,
  needs: readonly string[],
  pinnedCpus: string | undefined,
): Promise<BoxNode> {
  const { stage, settings, limits, scrapeHost } = site.request;
  const flags = Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, value]);
  const services = needs.flatMap((need) => [`--${need}-url`, `${need}://${site.name}-${need}:${redisPort}`]);
  const box = await startUntil(site, '"event":"listening"', {
    ...placeOf(site, name),
    image: site.image,
    command: ['server/main.ts', '--stage', stage, ...flags, ...services],
    environment: {},
    ports: [chatPort, internalPort],
    cpus: limits.serverCpus,
    memoryMb: limits.serverMemoryMb,
    pinnedCpus,
  });
  return {
    name,
    box,
    role: 'server',
    chatUrl: `ws://127.0.0.1:${box.hostPort(chatPort)}/ws`,
    internalUrl: `http://127.0.0.1:${box.hostPort(internalPort)}`,
    scrapeAddress: `${scrapeHost}:${box.hostPort(internalPort)}`,
  };
}

async function startService(site: Site, need: string): Promise<BoxNode> {
  if (need !== 'redis')
    throw new TargetError(`This lab does not know how to provide ${need} in a container.`);
  const box = await startUntil(site, 'Ready to accept connections', {
    ...placeOf(site, need),
    image: redisImage,
    command: ['--save', '', '--appendonly', 'no'],
    environment: {},
    ports: [],
  });
  return { name: need, box, role: 'redis', chatUrl: '', internalUrl: '', scrapeAddress: '' };
}

/** Starts a box and resolves when it has written the text; rejects when it ends before, or the signal is aborted. */
async function startUntil(site: Site, text: string, request: Omit<BoxRequest, 'onLine'>): Promise<Box> {
  const { signal } = site.request;
  signal.throwIfAborted();
  const said = Promise.withResolvers<void>();
  // Whoever loses the race must not become an unhandled rejection.
  said.promise.catch(() => {});
  const box = await startBox(site.engine, {
    ...request,
    onLine: (line) => {
      if (line.includes(text)) said.resolve();
    },
  });
  const refuse = (why: string) =>
    said.reject(new TargetError(`${request.name} ${why}. It said:\n${box.lastLines()}`));
  void box.exit.then(({ code, killedForMemory }) =>
    refuse(killedForMemory ? 'was killed for its memory while it started' : `ended with code ${code}`),
  );
  const timer = setTimeout(
    () => refuse(`was not ready within ${listenDeadlineMs / 1000} s`),
    listenDeadlineMs,
  );
  const abort = () => said.reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    if (signal.aborted) abort();
    await said.promise;
    return box;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/**
 * Whole CPUs that are its own are limit enough: a quota on top of them throttles the instrument for the odd millisecond
 * that the kernel books late, and each of those would void a trial.
 */
function quotaOfSimulator(cores: number | undefined, pins: Pins): number | undefined {
  return pins.simulator !== undefined && Number.isInteger(cores) ? undefined : cores;
}

/** What the server itself reads in its cgroup; 0 is how it says that there is no limit. */
async function observeLimits(internalUrl: string): Promise<ObservedLimits> {
  const text = await (await fetch(`${internalUrl}/metrics`)).text();
  return {
    cpuCores: readMetric(text, 'chat_cgroup_cpu_limit_cores') || null,
    memoryBytes: readMetric(text, 'chat_cgroup_memory_limit_bytes') || null,
  };
}

/** Throws where a limit that was asked for is not in force: what follows would be measured in another box. */
function checkLimits(asked: TargetLimits, observed: readonly ObservedLimits[]): void {
  const { serverCpus: cpus, serverMemoryMb: memoryMb } = asked;
  for (const { cpuCores, memoryBytes } of observed) {
    if (cpus !== undefined && Math.abs((cpuCores ?? 0) - cpus) > 0.01)
      throw new TargetError(
        `The CPU limit is not in force: asked for ${cpus} cores, the cgroup has ${cpuCores}.`,
      );
    if (memoryMb !== undefined && memoryBytes !== memoryMb * 2 ** 20)
      throw new TargetError(
        `The memory limit is not in force: asked for ${memoryMb} MiB, the cgroup has ${memoryBytes} bytes.`,
      );
  }
}

/** A container that runs and whose counters have grown is as it was started: only else is the engine asked. */
function sampler(): (node: BoxNode) => Promise<NodeSample> {
  const cpuSecondsBefore = new Map<string, number>();
  return async ({ name, role, box }) => {
    const { cpuSeconds, rssBytes, throttledSeconds, running } = await box.usage();
    const unchanged = running && cpuSeconds >= (cpuSecondsBefore.get(name) ?? 0);
    cpuSecondsBefore.set(name, cpuSeconds);
    const fault = unchanged ? null : await box.fault();
    return { name, role, cpuSeconds, rssBytes, throttledSeconds, processes: running ? 1 : 0, fault };
  };
}

function factsOf(site: Site, pins: Pins, services: readonly BoxNode[]) {
  return {
    engine: site.engine.fact,
    image: site.image,
    'pinned CPUs': describePins(pins),
    ...Object.fromEntries(services.map((service) => [service.name, `container ${redisImage}`])),
  };
}
