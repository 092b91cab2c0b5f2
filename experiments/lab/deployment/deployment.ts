/** The system under test and its simulator, as the rest of the lab sees them. */
import type { Direction } from '#host/silent-proxy.ts';
import type { ControlCommand } from '../../../loadtest/result/control.ts';
import type { ProgressEvent } from '../../../loadtest/result/progress.ts';
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import type { Workload } from '../../../loadtest/workload.ts';
import type { StageInfo } from './list-stages.ts';
import type { Pins } from './pinning.ts';
import type {
  DeployedBalancer,
  DeployedMedia,
  DeployedService,
  FaultKind,
  NodeSample,
  Persistence,
} from './services/service.ts';

export type { DeployedBalancer, DeployedMedia, DeployedService, FaultKind, NodeSample, Persistence };

export type TargetKind = 'process' | 'container';

/** Where the servers run, and where the simulator does. Every combination works. */
export type Placement = { target: TargetKind; simulator: TargetKind };

/** Of each server node and of the simulator, in cores and MiB; a field left out asks for no limit. */
export type Allocation = {
  serverCpus?: number;
  serverMemoryMb?: number;
  loadtestCpus?: number;
  loadtestMemoryMb?: number;
  /** Length of the periods in which every CPU quota is enforced; left out: `defaultCpuPeriodMs`. */
  cpuPeriodMs?: number;
};

/**
 * A container that has used up its quota sleeps until the period ends: in 0.5 CPU up to 50 ms of the
 * engine's own 100 ms, and up to 5 ms of these. Measured for 03-cursor at 6,000 messages/s to 1,000 sessions:
 * p99 950 ms with the one, 116 ms with the other.
 */
export const defaultCpuPeriodMs = 10;

export type DeploymentRequest = {
  stage: StageInfo;
  /** The checkout whose server is tested; left out: this one. The simulator is always this one's. */
  serverRoot?: string;
  /** Flags of the server without dashes; the deployment itself sets hosts, ports and services. */
  settings: Readonly<Record<string, string>>;
  /** Server nodes; more than one only where the stage has a role of any number of processes. */
  nodes: number;
  /** So many there may be later, with `addNode`: CPUs are shared out among them. Left out: `nodes`. */
  nodesMax?: number;
  allocation: Allocation;
  /** Puts a load balancer in front of the nodes: the simulator then knows its URL alone. */
  balancer?: boolean;
  /** What Redis keeps on disk, where the stage needs one; left out: nothing. */
  persistence?: Persistence;
  /** Starts the media server of the stage too, with these flags of its own; left out: there are no images. */
  media?: Readonly<Record<string, string>>;
  /** The simulator asks the nodes (`GET /connect`) where each of its connections goes. */
  seated?: boolean;
  /**
   * The name under which Prometheus reaches this machine. Anything but 127.0.0.1 makes internal ports listen
   * on every address, because a Prometheus in a container cannot reach loopback.
   */
  scrapeHost: string;
  /** Puts a network that can be cut between the first node and the services. */
  breakableNetwork?: boolean;
  /** An abort during the start stops all that was started, and rejects with the signal's reason. */
  signal: AbortSignal;
};

/** One server node. */
export type DeployedNode = {
  /** Unique within a deployment, e.g. `node-1`. */
  name: string;
  role: string;
  /** `ws://host:port/ws`, as reached from the lab. */
  chatUrl: string;
  /**
   * The same for many connections from the lab: not through the port that an engine publishes where it can
   * be avoided, because what forwards it takes time, and several file descriptors for each connection.
   */
  directUrl: string;
  /** `http://host:port` of /metrics, /healthz and /readyz, as reached from the lab. */
  internalUrl: string;
  /** `host:port` of the same for Prometheus. */
  scrapeAddress: string;
  /** Sends a signal to its main process; does nothing once that has ended. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Lifts its CPU quota, or puts it in force again. Does nothing where it has none. */
  setQuota(inForce: boolean): Promise<void>;
  /** Stops all its processes, without their knowledge, until `thaw`. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Signals one of its workers, from 0, the oldest first; rejects where there is none. */
  signalWorker(index: number, name: NodeJS.Signals): Promise<void>;
  /** Lets its main process have so many open files more than it has; null: as many as at its start. */
  limitDescriptors(more: number | null): Promise<void>;
  /** Resolves with how it ended, in words. */
  ended: Promise<string>;
};

/** Limits really in force (read from the cgroup, not copied from the request); null where there is none. */
export type ObservedLimits = {
  cpuCores: number | null;
  memoryBytes: number | null;
  /** Of the CPU quota; absent in old results. */
  cpuPeriodMs?: number | null;
};

/** A start of the simulator. Its own defaults hold for quantities of the workload that are left out. */
export type SimulatorOptions = Partial<Workload> & {
  /** Such as `p99<250ms` and `lost=0`. */
  limits: readonly string[];
  /** p99 of its schedule lag above which a step is void; left out: its own default. */
  lagLimitMs?: number;
  metricsPort?: number;
};

export type SimulatorProgress = Extract<ProgressEvent, { event: 'phase' | 'second' }>;

/** How a run of the simulator is followed and stopped. */
export type SimulatorWatch = {
  onProgress: (progress: SimulatorProgress) => void;
  /** Called once, where metrics were asked for: `host:port` of the simulator for Prometheus. */
  onScrapeAddress: (address: string) => void;
  /** An abort sends SIGINT, so that a partial result may still be written, and SIGKILL after a grace. */
  signal: AbortSignal;
};

/** One step on the connections that are open; quantities that are left out are those of the start. */
export type SimulatorStep = Omit<Extract<ControlCommand, { command: 'step' }>, 'command'>;

/** A simulator with all its users connected and probed. Disposing it closes them in order. */
export type RunningSimulator = AsyncDisposable & {
  /** One at a time. Rejects with a `SimulatorError` where it refuses the step, or ends before its result. */
  step(step: SimulatorStep): Promise<LoadtestResult>;
};

/** Usage of one part of a deployment at its newest reading; counters grow from the start of the part. */
export type PartUsage = Pick<NodeSample, 'name' | 'cpuSeconds' | 'rssBytes' | 'throttledSeconds'> & {
  role: NodeSample['role'] | 'simulator';
};

/** Disposing it stops all that it started and resolves when that is gone; it may be done twice. */
export type Deployment = AsyncDisposable & {
  target: TargetKind;
  /** Name of the stage. */
  stage: string;
  /** Those of the start. */
  nodes: readonly DeployedNode[];
  /**
   * Starts one more, up to `nodesMax`. It is in `sample` from then on, as it was last after it has ended: a
   * node that was told to leave is no failure.
   */
  addNode(): Promise<DeployedNode>;
  services: readonly DeployedService[];
  /** Null unless it was asked for. */
  balancer: (DeployedBalancer & { scrapeAddress: string }) | null;
  /** Null unless it was asked for. */
  media: (DeployedMedia & { scrapeAddress: string }) | null;
  /** Between the first node and the services; null unless it was asked for, and the services
   * are such that it can be cut. */
  network: { cut(direction?: Direction): void; heal(): void } | null;
  /** Per node. */
  observedLimits: readonly ObservedLimits[];
  /** Cores that the nodes are pinned to, all together; null where the scheduler decides. */
  pinnedServerCores: number | null;
  /** Of each node and of the simulator. */
  pins?: Pins;
  /** Versions and choices for the result, e.g. `{ redis: 'Redis 7.0.15 (redis-server on PATH)' }`. */
  facts: Readonly<Record<string, string>>;
  /** CPU, memory and throttling now: of all nodes, then of the services, then of the balancer. */
  sample(): Promise<NodeSample[]>;
  /** Of the last `sample` that was taken, and of the simulator where it ran then; empty before the first. */
  latestUsage(): readonly PartUsage[];
  /** Starts the simulator, against all nodes or their balancer. One at a time. */
  startSimulator(options: Omit<SimulatorOptions, 'urls'>, watch: SimulatorWatch): Promise<RunningSimulator>;
  /** CPU time of the simulator that runs, since its start; null while none does, or where it is not seen. */
  simulatorCpuSeconds?(): Promise<number | null>;
};
