/**
 * Programs in containers of stated CPU and memory. All parts of a deployment share one network namespace, so
 * that they reach each other over its loopback interface: docs/decisions/014. A limit is reported as the
 * cgroup of the running node has it.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { freePorts } from '#host/free-ports.ts';
import { StartError, startUntilReady } from '#host/readiness.ts';
import { addressOf, type Engine, findEngine, labelsOf, removeDeployment, sweep } from './container-engine.ts';
import { ensureImage } from './container-image.ts';
import type { ObservedLimits, PartUsage } from './deployment.ts';
import { differenceOfLimits } from './observed-limits.ts';
import { ensurePeerImage } from './peer-image.ts';
import type { PeerProgram } from './peers.ts';
import {
  type ContainerRequest,
  openFilesMax,
  type RunningContainer,
  startContainer,
} from './running-container.ts';
import type { ServiceContainerRequest } from './services/service.ts';
import type { NodeRequest, SimulatorRequest, Site, SiteNode, SiteSimulator } from './site.ts';
import { listenHost } from './site.ts';

/** By which a container reaches a desktop machine, whose engine runs in a virtual machine. */
const desktopHostName = 'host.docker.internal';
/** Chosen: with a quarter of a core Node takes seconds to start. */
const startDeadlineMs = 30_000;
/**
 * The text of a module of this checkout, with which a script begins: nodes may be of another version, whose
 * modules differ.
 */
const hostModule = (file: string) => readFileSync(new URL(`../../../host/${file}`, import.meta.url), 'utf8');

export class ContainerSite implements Site, AsyncDisposable {
  readonly kind = 'container';
  readonly engine: Engine;
  /** That of the nodes; empty until `prepare`. */
  serverImage = '';
  readonly #scrapeHost: string;
  readonly #signal: AbortSignal;
  readonly #id = randomUUID();
  /** Of the network, and the beginning of every container's name. */
  readonly #name = `chat-lab-${this.#id.slice(0, 8)}`;
  #image = '';
  #simulator: RunningContainer | null = null;
  #gateway: string | undefined;
  /** The network namespace that the parts share; undefined until `share`. */
  #shared: { holder: string; address: string; freePorts: number[]; simulatorPort: number } | undefined;

  private constructor(engine: Engine, scrapeHost: string, signal: AbortSignal) {
    this.engine = engine;
    this.#scrapeHost = scrapeHost;
    this.#signal = signal;
  }

  /** Makes the network; also removes the containers of labs that were killed. */
  static async open(scrapeHost: string, signal: AbortSignal): Promise<ContainerSite> {
    const found = await findEngine();
    if (!found.found) throw new StartError(`No container engine answers: ${found.why}`);
    await sweep(found.engine);
    const site = new ContainerSite(found.engine, scrapeHost, signal);
    const network = await found.engine.client.network.create({
      Name: site.#name,
      Driver: 'bridge',
      Labels: labelsOf(site.#id),
    });
    const { IPAM: addresses } = (await network.inspect()) as { IPAM?: { Config?: { Gateway?: string }[] } };
    site.#gateway = addresses?.Config?.[0]?.Gateway?.split('/')[0];
    return site;
  }

  /**
   * Gets the image of nodes and simulator, which may take a build; with `serverRoot` the nodes have one of
   * their own. A service alone needs none.
   */
  async prepare(serverRoot?: string): Promise<this> {
    const imageOf = (root?: string) => ensureImage(this.engine, this.#signal, undefined, root);
    this.#image = await imageOf();
    this.serverImage = serverRoot === undefined ? this.#image : await imageOf(serverRoot);
    return this;
  }

  get facts(): Readonly<Record<string, string>> {
    const facts = { engine: this.engine.fact, image: this.#image };
    return this.serverImage === this.#image ? facts : { ...facts, 'server image': this.serverImage };
  }

  /**
   * Starts the container that holds the network namespace for all that is started after it, with so many
   * ports. A port has the same number there and on this machine. Call after `prepare`.
   */
  async share(ports: number): Promise<void> {
    const [simulatorPort, ...others] = await freePorts(ports + 1);
    const place = this.#place('network');
    await startContainer(this.engine, {
      ...place,
      image: this.#image,
      command: ['-e', 'setInterval(() => {}, 2 ** 30)'],
      ports: publishedAs([simulatorPort!, ...others]),
      onLine: () => {},
    });
    const isHere = (await this.labAddress()).listenHost === this.#gateway;
    const inside = await addressOf(this.engine, place.name, this.#name);
    const address = isHere && inside !== '' ? inside : '127.0.0.1';
    this.#shared = { holder: place.name, address, freePorts: others, simulatorPort: simulatorPort! };
  }

  /** Ports at which parts can listen, and this machine reaches them at the same ones. */
  async takePorts(count: number): Promise<number[]> {
    if (this.#shared === undefined) return freePorts(count);
    const taken = this.#shared.freePorts.splice(0, count);
    if (taken.length < count) throw new Error('The deployment has more parts than ports were opened for.');
    return taken;
  }

  async startNode(request: NodeRequest): Promise<SiteNode> {
    const { name, role, flags, peer, isSeated, signal, environment, ...limits } = request;
    const [chatPort, internalPort] = await this.takePorts(2);
    const seats = isSeated ? ['--public-url', `ws://127.0.0.1:${chatPort}`] : [];
    const ours = { image: this.serverImage, command: ['server/main.ts', ...flags, ...seats] };
    const ports = { CHAT_PORT: String(chatPort), CHAT_INTERNAL_PORT: String(internalPort) };
    const container = await this.#startUntil('"event":"listening"', signal, {
      ...this.#place(name),
      ...limits,
      ...(peer === undefined ? ours : await this.#programOf(peer, signal)),
      environment: { ...environment, ...ports },
      ports: [],
      startsWithoutQuota: true,
    });
    await container.setQuota(true);
    return {
      name,
      role,
      chatUrl: `ws://127.0.0.1:${chatPort}/ws`,
      directUrl: `ws://${this.#shared?.address ?? '127.0.0.1'}:${chatPort}/ws`,
      internalUrl: `http://127.0.0.1:${internalPort}`,
      scrapeAddress: `${this.#scrapeHost}:${internalPort}`,
      ended: container.ended,
      signal: (signalName) => container.signal(signalName),
      setQuota: async (inForce) => {
        await container.setQuota(inForce);
        if (inForce) await observeLimits(container, limits);
      },
      freeze: () => container.freeze(),
      thaw: () => container.thaw(),
      signalWorker: (index, signalName) => signalWorker(container, index, signalName),
      limitDescriptors: (more) => limitDescriptors(container, more),
      sample: () => container.sample(name, 'server'),
      observeLimits: () => observeLimits(container, limits),
    };
  }

  async startService({
    readyText,
    signal,
    ports,
    ...request
  }: ServiceContainerRequest & Pick<ContainerRequest, 'pinnedCpus'>): Promise<RunningContainer> {
    const published = this.#shared === undefined ? publishedAs(ports) : [];
    return this.#startUntil(readyText, signal, {
      ...request,
      ports: published,
      ...this.#place(request.name),
    });
  }

  async startSimulator({
    flags,
    metricsPort,
    nodesAreElsewhere,
    ...request
  }: SimulatorRequest): Promise<SiteSimulator> {
    const place = this.#place('simulator');
    const port = metricsPort && (this.#shared?.simulatorPort ?? metricsPort);
    const metrics = port === undefined ? [] : ['--metrics-port', String(port)];
    const metricsHost = nodesAreElsewhere ? place.hostIp : '0.0.0.0';
    const container = await startContainer(this.engine, {
      ...place,
      ...request,
      ...(nodesAreElsewhere && { networkName: 'host' }),
      image: this.#image,
      command: ['loadtest/main.ts', ...flags, ...metrics, '--metrics-host', metricsHost],
      ports: [],
      takesInput: true,
    });
    this.#simulator = container;
    void container.exit.then(() => {
      if (this.#simulator === container) this.#simulator = null;
    });
    return {
      scrapeAddress: port === undefined ? null : `${this.#scrapeHost}:${port}`,
      exit: container.exit.then(({ code, killedForMemory }) => ({
        // 128 and more is the end by a signal, except 130: the simulator's own code for an interruption.
        code: code >= 128 && code !== 130 ? null : code,
        fault: killedForMemory ? `It was killed for its memory (limit ${request.memoryMb} MiB).` : null,
      })),
      write: container.write,
      signal: (name) => container.signal(name),
      [Symbol.asyncDispose]: () => container[Symbol.asyncDispose](),
    };
  }

  async simulatorUsage(): Promise<PartUsage | null> {
    // One that was removed can no longer be asked.
    const sample = await this.#simulator?.sample('simulator', 'server').catch(() => null);
    return sample == null || sample.processes === 0 ? null : { ...sample, role: 'simulator' };
  }

  async labAddress() {
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const gateway = this.#gateway;
    return gateway !== undefined && addresses.some(({ address }) => address === gateway)
      ? { listenHost: gateway, reachedAs: gateway }
      : { listenHost: '127.0.0.1', reachedAs: desktopHostName };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return removeDeployment(this.engine, this.#id);
  }

  async #programOf(peer: PeerProgram, signal: AbortSignal) {
    const image = await ensurePeerImage(this.engine, this.#image, peer, signal);
    return { image, command: [`experiments/${peer.files[0]}`] };
  }

  /** The fields that do not depend on the program. */
  #place(name: string) {
    const place = {
      name: `${this.#name}-${name}`,
      labels: labelsOf(this.#id),
      hostIp: listenHost(this.#scrapeHost),
    };
    if (this.#shared !== undefined) return { ...place, networkName: `container:${this.#shared.holder}` };
    return { ...place, networkName: this.#name, hostNames: [desktopHostName] };
  }

  async #startUntil(
    readyText: string,
    signal: AbortSignal,
    request: Omit<ContainerRequest, 'onLine'>,
  ): Promise<RunningContainer> {
    const readLine = (line: string) => line.includes(readyText) || undefined;
    const { program } = await startUntilReady(
      (onLine) => startContainer(this.engine, { ...request, onLine }),
      { name: request.name, readLine, deadlineMs: startDeadlineMs, signal },
    );
    return program;
  }
}

/** The same number in the container and on this machine. */
function publishedAs(ports: readonly number[]): ContainerRequest['ports'] {
  return ports.map((port) => ({ container: port, host: port }));
}

/** In a container the main process is number 1, and the workers are its children. */
async function signalWorker(container: RunningContainer, index: number, name: NodeJS.Signals): Promise<void> {
  await container.runScript(
    `${hostModule('process-tree.ts')}
     const pid = childrenOf(1)[${index}];
     if (pid === undefined) throw new Error('There is no worker number ${index}.');
     process.kill(pid, '${name}');`,
  );
}

/** The soft limit of process number 1 alone: the hard one stays, so that it can be lifted again. */
async function limitDescriptors(container: RunningContainer, more: number | null): Promise<void> {
  await container.runScript(
    `import { execFileSync } from 'node:child_process';
     import { readdirSync } from 'node:fs';
     const soft = ${more} === null ? ${openFilesMax} : readdirSync('/proc/1/fd').length + ${more};
     execFileSync('prlimit', ['--pid', '1', '--nofile=' + soft + ':']);`,
  );
}

/** Rejects where a limit that was asked for is not in force: the trial would measure something else. */
async function observeLimits(
  container: RunningContainer,
  asked: Pick<NodeRequest, 'cpus' | 'cpuPeriodMs' | 'memoryMb'>,
): Promise<ObservedLimits> {
  const output = await container.runScript(
    `${hostModule('cgroup.ts')}
     const cgroup = readCgroup() ?? {};
     const { cpuLimitCores: cpuCores = null, memoryLimitBytes: memoryBytes = null } = cgroup;
     console.log(JSON.stringify({ cpuCores, memoryBytes, cpuPeriodMs: cgroup.cpuPeriodMs ?? null }));`,
  );
  const limits = JSON.parse(output) as ObservedLimits;
  const difference = differenceOfLimits(asked, limits);
  if (difference !== null) throw new StartError(difference);
  return limits;
}
