/**
 * Programs in containers of stated CPU and memory, on a private network. A limit is reported as the cgroup of
 * the running node has it.
 */
import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { StartError, startUntilReady } from '#host/readiness.ts';
import {
  deploymentLabel,
  type Engine,
  findEngine,
  labPidLabel,
  removeLabelled,
  sweep,
} from './container-engine.ts';
import { ensureImage } from './container-image.ts';
import type { ObservedLimits } from './deployment.ts';
import { type ContainerRequest, type RunningContainer, startContainer } from './running-container.ts';
import type { ServiceContainerRequest } from './services/service.ts';
import {
  listenHost,
  type NodeRequest,
  type SimulatorRequest,
  type Site,
  type SiteNode,
  type SiteSimulator,
} from './site.ts';

const chatPort = 8080;
const internalPort = 8081;
/** By which a container reaches a desktop machine, whose engine runs in a virtual machine. */
const desktopHostName = 'host.docker.internal';
/** Chosen: with a quarter of a core Node takes seconds to start. */
const startDeadlineMs = 30_000;
const modules = '/app/host';

type Own = 'name' | 'networkName' | 'labels' | 'hostIp' | 'hostNames' | 'onLine';

export class ContainerSite implements Site, AsyncDisposable {
  readonly kind = 'container';
  readonly engine: Engine;
  readonly #scrapeHost: string;
  readonly #signal: AbortSignal;
  /** Of the network, and the beginning of every container's name. */
  readonly #name: string;
  readonly #labels: Readonly<Record<string, string>>;
  #image = '';
  #gateway: string | undefined;

  private constructor(engine: Engine, scrapeHost: string, signal: AbortSignal) {
    const id = randomUUID();
    this.engine = engine;
    this.#scrapeHost = scrapeHost;
    this.#signal = signal;
    this.#name = `chat-lab-${id.slice(0, 8)}`;
    this.#labels = { [deploymentLabel]: id, [labPidLabel]: String(process.pid) };
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
      Labels: site.#labels,
    });
    const { IPAM: addresses } = (await network.inspect()) as { IPAM?: { Config?: { Gateway?: string }[] } };
    site.#gateway = addresses?.Config?.[0]?.Gateway?.split('/')[0];
    return site;
  }

  /** Gets the image of nodes and simulator, which may take a build. A service alone does without. */
  async prepare(): Promise<this> {
    this.#image = await ensureImage(this.engine, this.#signal);
    return this;
  }

  get facts(): Readonly<Record<string, string>> {
    return { engine: this.engine.fact, image: this.#image };
  }

  async startNode(request: NodeRequest): Promise<SiteNode> {
    const { name, role } = request;
    const container = await this.#startUntil('"event":"listening"', request.signal, {
      ...this.#place(name),
      image: this.#image,
      command: ['server/main.ts', ...request.flags],
      ports: [chatPort, internalPort],
      cpus: request.cpus,
      memoryMb: request.memoryMb,
      pinnedCpus: request.pinnedCpus,
    });
    return {
      name,
      role,
      chatUrl: `ws://127.0.0.1:${container.hostPort(chatPort)}/ws`,
      siteUrl: `ws://${container.name}:${chatPort}/ws`,
      internalUrl: `http://127.0.0.1:${container.hostPort(internalPort)}`,
      scrapeAddress: `${this.#scrapeHost}:${container.hostPort(internalPort)}`,
      ended: container.ended,
      signal: (signalName) => container.signal(signalName),
      signalWorker: (index, signalName) => signalWorker(container, index, signalName),
      sample: () => container.sample(name, 'server'),
      observeLimits: async () => {
        const limits = await observeLimits(container);
        checkLimits(request, limits);
        return limits;
      },
    };
  }

  async startService({ readyText, signal, ...request }: ServiceContainerRequest): Promise<RunningContainer> {
    return this.#startUntil(readyText, signal, { ...request, ...this.#place(request.name) });
  }

  async startSimulator(request: SimulatorRequest): Promise<SiteSimulator> {
    const { flags, metricsPort, nodesAreElsewhere, memoryMb } = request;
    const onHost = nodesAreElsewhere ? { networkName: 'host' } : {};
    const metricsHost = nodesAreElsewhere ? listenHost(this.#scrapeHost) : '0.0.0.0';
    const container = await startContainer(this.engine, {
      ...this.#place('simulator'),
      ...onHost,
      image: this.#image,
      command: ['loadtest/main.ts', ...flags, '--metrics-host', metricsHost],
      ports: metricsPort === undefined || nodesAreElsewhere ? [] : [metricsPort],
      cpus: request.cpus,
      memoryMb,
      pinnedCpus: request.pinnedCpus,
      onLine: request.onLine,
    });
    const scrapePort = (port: number) => (nodesAreElsewhere ? port : container.hostPort(port));
    return {
      scrapeAddress: metricsPort === undefined ? null : `${this.#scrapeHost}:${scrapePort(metricsPort)}`,
      exit: container.exit.then(({ code, killedForMemory }) => ({
        // 128 and more is the end by a signal, except 130, which the simulator itself uses for an
        // interruption.
        code: code >= 128 && code !== 130 ? null : code,
        fault: killedForMemory ? `It was killed for its memory (limit ${memoryMb} MiB).` : null,
      })),
      signal: (name) => container.signal(name),
      [Symbol.asyncDispose]: () => container[Symbol.asyncDispose](),
    };
  }

  async labAddress() {
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const gateway = this.#gateway;
    return gateway !== undefined && addresses.some(({ address }) => address === gateway)
      ? { listenHost: gateway, reachedAs: gateway }
      : { listenHost: '127.0.0.1', reachedAs: desktopHostName };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeLabelled(this.engine, `${deploymentLabel}=${this.#labels[deploymentLabel]}`);
  }

  #place(name: string): Omit<Pick<ContainerRequest, Own>, 'onLine'> {
    return {
      name: `${this.#name}-${name}`,
      networkName: this.#name,
      labels: this.#labels,
      hostIp: listenHost(this.#scrapeHost),
      hostNames: [desktopHostName],
    };
  }

  async #startUntil(
    readyText: string,
    signal: AbortSignal,
    request: Omit<ContainerRequest, 'onLine'>,
  ): Promise<RunningContainer> {
    const { program } = await startUntilReady(
      (onLine) => startContainer(this.engine, { ...request, onLine }),
      {
        name: request.name,
        readLine: (line) => line.includes(readyText) || undefined,
        deadlineMs: startDeadlineMs,
        signal,
      },
    );
    return program;
  }
}

/** In a container the main process is number 1, and the workers are its children. */
async function signalWorker(container: RunningContainer, index: number, name: NodeJS.Signals): Promise<void> {
  await container.runScript(
    `import { childrenOf } from '${modules}/process-tree.ts';
     const pid = childrenOf(1)[${index}];
     if (pid === undefined) throw new Error('There is no worker number ${index}.');
     process.kill(pid, '${name}');`,
  );
}

async function observeLimits(container: RunningContainer): Promise<ObservedLimits> {
  const output = await container.runScript(
    `import { readCgroup } from '${modules}/cgroup.ts';
     const { cpuLimitCores: cpuCores = null, memoryLimitBytes: memoryBytes = null } = readCgroup() ?? {};
     console.log(JSON.stringify({ cpuCores, memoryBytes }));`,
  );
  return JSON.parse(output) as ObservedLimits;
}

/** Throws where a limit that was asked for is not in force: the trial would measure something else. */
function checkLimits({ cpus, memoryMb }: NodeRequest, { cpuCores, memoryBytes }: ObservedLimits): void {
  if (cpus !== undefined && Math.abs((cpuCores ?? 0) - cpus) > 0.01)
    throw new StartError(
      `The CPU limit is not in force: asked for ${cpus} cores, the cgroup has ${cpuCores}.`,
    );
  if (memoryMb !== undefined && memoryBytes !== memoryMb * 2 ** 20)
    throw new StartError(
      `The memory limit is not in force: asked for ${memoryMb} MiB, the cgroup has ${memoryBytes} bytes.`,
    );
}
