/** One container of stated CPU and memory, followed from its first line to its end. */

import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { GenericContainer, StartupCheckStrategy, type StartupStatus } from 'testcontainers';
import type { Engine } from './container-engine.ts';
import { type BoxUsage, cgroupUsage, type EngineStats, usageOf } from './container-usage.ts';

export type BoxRequest = {
  image: string;
  /** Unique on the engine; other containers of its network reach it by this name. */
  name: string;
  networkName: string;
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  /** Ports to publish, each at a free port of the host. */
  ports: readonly number[];
  /** Address of the host at which they are published. */
  hostIp: string;
  cpus?: number;
  memoryMb?: number;
  /** Such as `0` or `0,1`; undefined for any. */
  pinnedCpus?: string;
  onLine: (line: string, stream: 'stdout' | 'stderr') => void;
};

/** How a container ended. */
export type BoxEnd = { code: number; killedForMemory: boolean };

type Container = ReturnType<Engine['client']['container']['getById']>;

export type Box = {
  name: string;
  hostPort(port: number): number;
  /** Resolves when it ends by itself, by a signal or by the kernel. */
  exit: Promise<BoxEnd>;
  /** The last lines it wrote, for messages. */
  lastLines(): string;
  signal(name: NodeJS.Signals): Promise<void>;
  /** Of its last moment, once it has ended. */
  usage(): Promise<BoxUsage>;
  /** What is no longer as it was started, in words; null while all is well. Asks the engine. */
  fault(): Promise<string | null>;
  /** Removes it before its target does; ends it where it runs. */
  remove(): Promise<void>;
};

/** Open files of a container: every session is one. Chosen: the most that one process is planned to hold. */
const openFilesMax = 20_000;
const keptLines = 20;

/** Creates and starts a container; resolves when its process runs. Who created the labels removes it. */
export async function startBox(engine: Engine, request: BoxRequest): Promise<Box> {
  const lines: string[] = [];
  const onLine: BoxRequest['onLine'] = (line, stream) => {
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
    request.onLine(line, stream);
  };
  const limited = new LimitedContainer(engine, { ...request, onLine });
  const started = await limited.start();
  const container = engine.client.container.getById(started.getId());
  const { Pid: pid, StartedAt: startedAt } = (await container.inspect()).State;
  const usage = usageReader(container, pid);
  return {
    name: request.name,
    hostPort: (port) => started.getMappedPort(port),
    exit: limited.exit,
    lastLines: () => lines.join('\n'),
    signal: async (name) => {
      await container.kill({ signal: name }).catch(allowEnded);
    },
    usage,
    fault: async () => {
      const { State: state } = await container.inspect();
      if (state.OOMKilled) return `was killed for its memory (limit ${request.memoryMb ?? 'none'} MiB)`;
      if (!state.Running) return `exited with code ${state.ExitCode}`;
      return state.StartedAt === startedAt ? null : 'was restarted';
    },
    remove: async () => {
      await container.remove({ force: true, v: true }).catch(allowEnded);
    },
  };
}

/** From the cgroup where it can be seen from here, else from the engine. */
function usageReader(container: Container, pid: number): () => Promise<BoxUsage> {
  const fromCgroup = cgroupUsage(pid, container.id);
  let last: BoxUsage = { cpuSeconds: 0, rssBytes: 0, throttledSeconds: 0, running: true };
  return async () => {
    const now = fromCgroup
      ? fromCgroup()
      : usageOf((await container.stats({ stream: false, 'one-shot': true })) as unknown as EngineStats);
    last = now?.running ? now : { ...last, running: false };
    return last;
  };
}

/** What comes after the end, or after somebody else's removal, is no error. */
function allowEnded(error: { statusCode?: number }): void {
  if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
}

/** testcontainers' extension point for what it has no option for: no swap, pinned CPUs, an address to publish at. */
class LimitedContainer extends GenericContainer {
  readonly #engine: Engine;
  readonly #request: BoxRequest;
  readonly #ended = Promise.withResolvers<BoxEnd>();

  constructor(engine: Engine, request: BoxRequest) {
    super(request.image);
    this.#engine = engine;
    this.#request = request;
    this.withName(request.name)
      .withNetworkMode(request.networkName)
      .withCommand([...request.command])
      .withEnvironment(request.environment)
      .withLabels(request.labels)
      .withExposedPorts(...request.ports)
      .withUlimits({ nofile: { soft: openFilesMax, hard: openFilesMax } })
      .withWaitStrategy(new AsSoonAsItRuns());
  }

  get exit(): Promise<BoxEnd> {
    return this.#ended.promise;
  }

  protected override async beforeContainerCreated(): Promise<void> {
    const { cpus, memoryMb, pinnedCpus, hostIp } = this.#request;
    // A health check would start a node process inside the box that is measured.
    this.createOpts.Healthcheck = { Test: ['NONE'] };
    if (cpus !== undefined) this.hostConfig.NanoCpus = Math.round(cpus * 1e9);
    if (memoryMb !== undefined) {
      this.hostConfig.Memory = memoryMb * 2 ** 20;
      // Memory and swap together: the same figure leaves no swap.
      this.hostConfig.MemorySwap = memoryMb * 2 ** 20;
    }
    if (pinnedCpus !== undefined) this.hostConfig.CpusetCpus = pinnedCpus;
    const published = Object.values(this.hostConfig.PortBindings ?? {}) as { HostIp?: string }[][];
    for (const binding of published.flat()) binding.HostIp = hostIp;
  }

  /** Follows it before it runs, so that neither its first line nor its end can be missed. */
  protected override async containerCreated(id: string): Promise<void> {
    const { dockerode } = this.#engine.client.container;
    const container = dockerode.getContainer(id);
    const output = await container.attach({ stream: true, stdout: true, stderr: true });
    const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
    dockerode.modem.demuxStream(output, streams.stdout, streams.stderr);
    const read = Promise.all(
      (['stdout', 'stderr'] as const).map(async (name) => {
        for await (const line of createInterface({ input: streams[name] })) this.#request.onLine(line, name);
      }),
    );
    output.on('close', () => {
      streams.stdout.end();
      streams.stderr.end();
    });
    const end = async (): Promise<BoxEnd> => {
      const { StatusCode: code } = (await container.wait({ condition: 'next-exit' })) as {
        StatusCode: number;
      };
      await read;
      const { State: state } = await container.inspect();
      return { code, killedForMemory: state.OOMKilled };
    };
    // Removed while it ran, it has no state to tell any more: killed, as far as anybody waits for it.
    this.#ended.resolve(end().catch(() => ({ code: 137, killedForMemory: false })));
  }
}

/** Whoever starts the box knows better than testcontainers when it is ready, and notices when it ends before. */
class AsSoonAsItRuns extends StartupCheckStrategy {
  override async checkStartupState(): Promise<StartupStatus> {
    return 'SUCCESS';
  }
}
