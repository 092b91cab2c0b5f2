/** A service that stages need in addition to their nodes, and how it is started for both kinds of target. */

/** `memory`: it ran out of memory; `exit`: it ended in another way; `restart`: it was started again. */
export type FaultKind = 'memory' | 'exit' | 'restart';

/** One reading of one node or service, with all its processes. Counters grow from its start. */
export type NodeSample = {
  name: string;
  role: 'server' | 'redis' | 'proxy' | 'media';
  cpuSeconds: number;
  rssBytes: number;
  /** Time for which a used-up CPU quota held it back; null where no quota can be seen. */
  throttledSeconds: number | null;
  /** Time for which its threads were ready and waited for a CPU; absent where that cannot be seen. */
  runDelaySeconds?: number;
  /** Processes counted into this reading; 0 once it has ended. */
  processes: number;
  /** E.g. `exited with code 137` or `was restarted`; null while it runs as it was started. */
  fault: string | null;
  /** Of a fault; absent without one, and where it is not known. */
  faultKind?: FaultKind;
};

/**
 * How Redis keeps what it acknowledges: `none`, in memory only; `everysec` and `always`, in its append-only
 * file, which it writes before it answers, and syncs to the disk once a second, or before it answers.
 * https://redis.io/docs/latest/operate/oss_and_stack/management/persistence
 */
export type Persistence = 'none' | 'everysec' | 'always';

export type DeployedService = {
  /** As stages name it in `services`, e.g. `redis`. */
  name: string;
  role: 'redis';
  /** As reached from the lab and from the nodes; of a cluster, the URLs of its nodes, with commas. */
  url: string;
  /** False where the lab was only given it (REDIS_URL): it must not be frozen, killed or stopped. */
  owned: boolean;
  /** Of a cluster: to the primary through which most bytes have come. */
  signal(name: NodeJS.Signals): Promise<void>;
  /**
   * After SIGKILL: starts it again at the same address, with what it has kept on disk: nothing, unless the
   * deployment asked for `persistence`. Resolves when it, or its cluster, works.
   */
  restart(): Promise<void>;
};

/** A load balancer in front of the nodes. */
export type DeployedBalancer = {
  name: string;
  /** `ws://host:port/ws`, as reached from the lab. */
  url: string;
};

/** The media server of the stage, which keeps the images of people. */
export type DeployedMedia = {
  name: string;
  /** `http://host:port` of the images, as reached from the lab. */
  url: string;
  /** `http://host:port` of /metrics. */
  internalUrl: string;
  signal(name: NodeJS.Signals): Promise<void>;
  /** After SIGKILL: starts it again at the same addresses, with its directory. Resolves when it is ready. */
  restart(): Promise<void>;
  /** Files of uploads that have no name yet: those under way, and those that a kill has left behind. */
  quarantined(): Promise<number>;
};

/** A started service; disposing it stops it only where the lab started it. */
export type RunningService = DeployedService &
  AsyncDisposable & {
    /** Version and source. */
    fact: string;
    sample(): Promise<NodeSample>;
  };

/** A container that a service asks for. */
export type ServiceContainerRequest = {
  name: string;
  image: string;
  command: readonly string[];
  /** May hold a secret. */
  environment?: Readonly<Record<string, string>>;
  /** At which it listens, of those taken from the site. */
  ports: readonly number[];
  /** Written into it before it starts. */
  files?: readonly { target: string; content: string }[];
  /** Part of the line of output that says that it is ready. */
  readyText: string;
  signal: AbortSignal;
};

/** A started container, as far as a service uses it. */
export type ServiceContainer = AsyncDisposable & {
  signal(name: NodeJS.Signals): Promise<void>;
  restart(): Promise<void>;
  /** Runs a module of TypeScript in it, where its image has our runtime; resolves with its output. */
  runScript(script: string): Promise<string>;
  sample(name: string, role: NodeSample['role']): Promise<NodeSample>;
};

export type ServiceContainers = {
  /** That of the nodes. */
  serverImage: string;
  /** Ports at which containers can listen, and this machine and the nodes reach them at the same ones. */
  takePorts(count: number): Promise<number[]>;
  startService(request: ServiceContainerRequest): Promise<ServiceContainer>;
};

export type ServiceRequest = {
  /** Where the nodes run. */
  target: 'process' | 'container';
  /** Resolves with the means to start containers; rejects with a `StartError` where no engine answers. */
  containers(): Promise<ServiceContainers>;
  persistence: Persistence;
  /** Precedes the command line of a process, so that it runs on the CPUs of services; may be empty. */
  launcher: readonly string[];
  signal: AbortSignal;
};

/** Looks for something that a deployment needs beside its nodes. */
export type ServiceFinder = {
  /** Of a service as stages name it in `services`. */
  name: string;
  /** Whether `start` is expected to work, and from which source; else ways to get one, a sentence each. */
  find(
    target?: ServiceRequest['target'],
  ): Promise<{ found: true; source: string } | { found: false; ways: string[] }>;
};

export type ServiceProvider = ServiceFinder & {
  /** Rejects with a `StartError`. */
  start(request: ServiceRequest): Promise<RunningService>;
};
