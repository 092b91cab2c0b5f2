/** One container of stated CPU and memory, followed from its first line of output to its end. */
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GenericContainer, StartupCheckStrategy, type StartupStatus } from 'testcontainers';
import { readRunDelaySeconds } from '#host/process-tree.ts';
import type { OnLine, Program } from '#host/readiness.ts';
import { allowGone, type Engine } from './container-engine.ts';
import { type ContainerUsage, type EngineStats, usageOf, usageOfProcess } from './container-usage.ts';
import type { NodeSample } from './services/service.ts';

export type ContainerRequest = {
  image: string;
  /** Unique on the engine. */
  name: string;
  /** Of a network of the engine; `host` for this machine's own, `container:<name>` for that container's. */
  networkName: string;
  command: readonly string[];
  environment?: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  /** To publish; none in the network of another container, whose ports were published with it. */
  ports: readonly { container: number; host: number }[];
  /** Address of the host at which they are published. */
  hostIp: string;
  /** Names that the container resolves to the machine of the engine. */
  hostNames?: readonly string[];
  cpus?: number | undefined;
  /** Length of the periods of that quota; left out: the engine's own, of 100 ms. */
  cpuPeriodMs?: number | undefined;
  /** Until `setQuota(true)`: a program that starts compiles, which takes long in a part of a core. */
  startsWithoutQuota?: boolean;
  memoryMb?: number | undefined;
  /** Such as `0` or `0,1`; undefined for any. */
  pinnedCpus?: string | undefined;
  /** Written into it before it starts. */
  files?: readonly { target: string; content: string }[] | undefined;
  onLine: OnLine;
  /** Gives its main process a standard input to write to. */
  takesInput?: boolean;
};

type ContainerEnd = { code: number; killedForMemory: boolean };

/** A started container. Disposing it removes it, whether it runs or not. */
export type RunningContainer = Program & {
  name: string;
  /** Resolves when it ends for the first time. */
  exit: Promise<ContainerEnd>;
  /** Writes to the standard input of its main process; does nothing once that has ended. */
  write(text: string): void;
  /** Sends its main process a signal; does nothing once that has ended. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Lifts its CPU quota, or puts it in force again. Does nothing where it has none. */
  setQuota(inForce: boolean): Promise<void>;
  /** Stops all its processes until `thaw`. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Runs a module of TypeScript in it, and resolves with its output; rejects with it where that fails. */
  runScript(script: string): Promise<string>;
  /** Starts it again after its end, with the same name and host ports. */
  restart(): Promise<void>;
  /** One reading; of the last moment before its end, once it has ended. */
  sample(name: string, role: NodeSample['role']): Promise<NodeSample>;
};

/** Open files of a container: every session is one. Chosen: the most that one process is planned to hold. */
export const openFilesMax = 20_000;
const linesKept = 20;
const engineCpuPeriodMs = 100;
/** Of a main process that ended by SIGKILL. */
const killedCode = 137;
/** Chosen: many times what an engine takes to pass on why it was killed. */
const reasonDelayMs = 500;
/** Of a main process that ended by SIGABRT: Node aborts when its heap is full. */
const abortedCode = 134;

/** Creates and starts a container; resolves when its process runs. */
export async function startContainer(engine: Engine, request: ContainerRequest): Promise<RunningContainer> {
  const lines: string[] = [];
  const onLine: OnLine = (line, stream) => {
    lines.push(line);
    if (lines.length > linesKept) lines.shift();
    request.onLine(line, stream);
  };
  const limited = new LimitedContainer(engine, { ...request, onLine });
  const started = await limited.start();
  const container = engine.client.container.getById(started.getId());
  const setQuota = async (inForce: boolean) => {
    const { CpuQuota } = quotaOf(request);
    if (CpuQuota !== undefined) await container.update({ CpuQuota: inForce ? CpuQuota : -1 });
  };
  if (request.startsWithoutQuota) await setQuota(false);
  const sampler = new ContainerSampler(container, request.memoryMb);
  await sampler.begin();
  return {
    name: request.name,
    exit: limited.ended.promise,
    ended: limited.ended.promise.then(({ code, killedForMemory }) =>
      killedForMemory ? 'was killed for its memory' : `exited with code ${code}`,
    ),
    lastLines: () => lines.join('\n'),
    write: (text) => limited.write(text),
    setQuota,
    freeze: () => container.pause(),
    thaw: () => container.unpause(),
    signal: (name) => {
      limited.wasSignalled = true;
      return container.kill({ signal: name }).catch(allowGone);
    },
    runScript: async (script) => {
      const { output, exitCode } = await started.exec([
        'node',
        '--input-type=module-typescript',
        '--eval',
        script,
      ]);
      if (exitCode !== 0) throw new Error(`A script in ${request.name} failed: ${output}`);
      return output;
    },
    restart: async () => {
      await container.start();
      await sampler.begin();
    },
    sample: (name, role) => sampler.sample(name, role),
    [Symbol.asyncDispose]: () => container.remove({ force: true, v: true }).catch(allowGone),
  };
}

/** In microseconds, as the engine takes it; empty without a quota. */
function quotaOf({ cpus, cpuPeriodMs = engineCpuPeriodMs }: ContainerRequest) {
  if (cpus === undefined) return {};
  return { CpuPeriod: cpuPeriodMs * 1000, CpuQuota: Math.round(cpus * cpuPeriodMs * 1000) };
}

const noUsage: ContainerUsage = { cpuSeconds: 0, rssBytes: 0, throttledSeconds: 0, running: true };

/** Reads the usage of a container, and why it no longer runs as it was started. */
class ContainerSampler {
  readonly #container: ReturnType<Engine['client']['container']['getById']>;
  readonly #memoryMb: number | undefined;
  #startedAt = '';
  #readCgroup: (() => ContainerUsage | undefined) | null = null;
  #last = noUsage;
  /** Of its main process on this machine; null where the engine runs on another. */
  #pid: number | null = null;

  constructor(container: ReturnType<Engine['client']['container']['getById']>, memoryMb: number | undefined) {
    this.#container = container;
    this.#memoryMb = memoryMb;
  }

  /** Takes the container as it is now for the one that was started. */
  async begin(): Promise<void> {
    const { Pid: pid, StartedAt: startedAt } = (await this.#container.inspect()).State;
    this.#startedAt = startedAt;
    this.#last = noUsage;
    const readCgroup = () => usageOfProcess(pid, this.#container.id);
    this.#readCgroup = readCgroup() === undefined ? null : readCgroup;
    this.#pid = this.#readCgroup === null ? null : pid;
  }

  async sample(name: string, role: NodeSample['role']): Promise<NodeSample> {
    const now = this.#readCgroup === null ? await this.#askEngine() : this.#readCgroup();
    const before = this.#last;
    const runs = now?.running === true;
    if (runs) this.#last = now;
    const { running: _, ...usage } = this.#last;
    // The engine takes its time to answer why: it is asked only after an end, or where counters began anew.
    const fault = runs && now.cpuSeconds >= before.cpuSeconds ? { fault: null } : await this.#fault();
    const runDelaySeconds = this.#pid === null ? undefined : (readRunDelaySeconds(this.#pid) ?? undefined);
    return { name, role, ...usage, runDelaySeconds, processes: runs ? 1 : 0, ...fault };
  }

  async #askEngine(): Promise<ContainerUsage> {
    const stats = await this.#container.stats({ stream: false, 'one-shot': true });
    return usageOf(stats as unknown as EngineStats);
  }

  async #fault(): Promise<Pick<NodeSample, 'fault' | 'faultKind'>> {
    const { OOMKilled, Running, ExitCode: code, StartedAt } = (await this.#container.inspect()).State;
    const limit = `limit ${this.#memoryMb ?? 'none'} MiB`;
    if (OOMKilled) return { fault: `was killed for its memory (${limit})`, faultKind: 'memory' };
    const faultKind = code === abortedCode ? 'memory' : 'exit';
    if (!Running) return { fault: `exited with code ${code}`, faultKind };
    return StartedAt === this.#startedAt ? { fault: null } : { fault: 'was restarted', faultKind: 'restart' };
  }
}

/** Adds the options that testcontainers lacks: no swap, pinned CPUs, an address to publish at. */
class LimitedContainer extends GenericContainer {
  /** Whether the lab has sent it a signal. */
  wasSignalled = false;
  readonly ended = Promise.withResolvers<ContainerEnd>();
  #input: NodeJS.ReadWriteStream | undefined;
  readonly #engine: Engine;
  readonly #request: ContainerRequest;

  constructor(engine: Engine, request: ContainerRequest) {
    super(request.image);
    this.#engine = engine;
    this.#request = request;
    const hostNames = request.hostNames ?? [];
    this.withName(request.name)
      .withNetworkMode(request.networkName)
      .withCommand([...request.command])
      .withEnvironment(request.environment ?? {})
      .withLabels(request.labels)
      .withExposedPorts(...request.ports)
      // Readable by every user: an image may run its program as another than root.
      .withCopyContentToContainer((request.files ?? []).map((file) => ({ ...file, mode: 0o644 })))
      .withExtraHosts(hostNames.map((host) => ({ host, ipAddress: 'host-gateway' })))
      .withUlimits({ nofile: { soft: openFilesMax, hard: openFilesMax } })
      .withWaitStrategy(new AsSoonAsItRuns());
  }

  write(text: string): void {
    this.#input?.write(text);
  }

  protected override async beforeContainerCreated(): Promise<void> {
    const { memoryMb, pinnedCpus, hostIp } = this.#request;
    // A health check would start a Node process inside the container that is measured.
    this.createOpts.Healthcheck = { Test: ['NONE'] };
    this.createOpts.OpenStdin = this.#request.takesInput === true;
    Object.assign(this.hostConfig, quotaOf(this.#request));
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
    const takesInput = this.#request.takesInput === true;
    const attached = { stream: true, stdin: takesInput, stdout: true, stderr: true };
    const output = await container.attach({ ...attached, hijack: takesInput });
    // A container that is removed breaks the stream: how it ended is told by `ended`.
    output.on('error', () => {});
    if (takesInput) this.#input = output;
    const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
    dockerode.modem.demuxStream(output, streams.stdout, streams.stderr);
    const follow = async (name: 'stdout' | 'stderr') => {
      for await (const line of createInterface({ input: streams[name] })) this.#request.onLine(line, name);
    };
    const read = Promise.all([follow('stdout'), follow('stderr')]);
    output.on('close', () => {
      streams.stdout.end();
      streams.stderr.end();
    });
    const end = async (): Promise<ContainerEnd> => {
      const { StatusCode: code } = (await container.wait({ condition: 'next-exit' })) as {
        StatusCode: number;
      };
      await read;
      const isForMemory = async () => (await container.inspect()).State.OOMKilled;
      let killedForMemory = await isForMemory();
      // The engine may learn of the end first, and of its reason a moment later.
      if (code === killedCode && !killedForMemory && !this.wasSignalled) {
        await sleep(reasonDelayMs);
        killedForMemory = await isForMemory();
      }
      return { code, killedForMemory };
    };
    // A container that is removed while it runs can no longer be asked: it counts as killed.
    this.ended.resolve(end().catch(() => ({ code: killedCode, killedForMemory: false })));
  }
}

/** testcontainers must not judge its readiness: `startUntilReady` does. */
class AsSoonAsItRuns extends StartupCheckStrategy {
  override async checkStartupState(): Promise<StartupStatus> {
    return 'SUCCESS';
  }
}
