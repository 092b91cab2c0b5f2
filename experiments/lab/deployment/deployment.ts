/**
 * The system under test and the instrument beside it, as the lab sees them: the seam between the runner and where
 * things really run. Two implementations: processes of this machine, and containers of stated CPU and memory.
 */
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import type { LoadtestOptions } from './loadtest-options.ts';

/** CPU in cores and memory in MiB; a field left out asks for no limit. */
export type TargetLimits = {
  serverCpus?: number;
  serverMemoryMb?: number;
  loadtestCpus?: number;
  loadtestMemoryMb?: number;
};

/** What a trial asks a target for. */
export type TargetRequest = {
  /** Name in the server's stage table, e.g. `03-cursor`. */
  stage: string;
  /** Flags of the server without their dashes, e.g. `{ 'segment-bytes': '65536' }`. Hosts, ports and services are the target's to set. */
  settings: Readonly<Record<string, string>>;
  /** Server nodes of that stage; more than one only where the stage has a backplane. */
  nodes: number;
  limits: TargetLimits;
  /**
   * The name under which Prometheus reaches this machine. Anything but 127.0.0.1 makes internal ports listen on every
   * address, because a Prometheus in a container cannot reach loopback.
   */
  scrapeHost: string;
  /** Aborting it while the target starts stops what has been started and rejects with the signal's reason. */
  signal: AbortSignal;
};

/** One server node; chat and internal addresses are three views of the same two listeners. */
export type ServerNode = {
  /** Stable within a target, e.g. `node-1`. */
  name: string;
  /** `ws://host:port/ws`, as reached from the lab. */
  chatUrl: string;
  /** `http://host:port` of /metrics, /healthz and /readyz, as reached from the lab. */
  internalUrl: string;
  /** `host:port` of the same for Prometheus. */
  scrapeAddress: string;
};

/** Limits really in force (read from the cgroup or the engine, not copied from the request); null where there is none. */
export type ObservedLimits = { cpuCores: number | null; memoryBytes: number | null };

/** One reading of one node: of the whole process tree where a node has workers. Counters grow from the node's start. */
export type NodeSample = {
  name: string;
  role: 'server' | 'redis' | 'proxy';
  cpuSeconds: number;
  rssBytes: number;
  /** Seconds the scheduler held the node back because its CPU quota was used up; null where no quota can be seen. */
  throttledSeconds: number | null;
  /** Processes counted into this reading; 0 once the node is gone. */
  processes: number;
  /** Why the node is no longer as it was started (`exited with code 134`, `killed for its memory`, `restarted`); null while well. */
  fault: string | null;
};

/** What the simulator says while it runs: its NDJSON lines, one object each. */
export type LoadtestProgress =
  | { event: 'phase'; phase: string; atMs: number }
  | {
      event: 'second';
      phase: string;
      sessionsOpen: number;
      sentPerSecond: number;
      deliveriesPerSecond: number;
      deliveryLatencyMsP99: number;
      lost: number;
    };

/** How the simulator is followed and stopped. */
export type LoadtestWatch = {
  onProgress: (progress: LoadtestProgress) => void;
  /** Called once, where metrics were asked for: `host:port` of the simulator for Prometheus. */
  onScrapeAddress: (address: string) => void;
  /** Aborting interrupts the simulator (SIGINT), so that it may still write a partial result, and kills it after a grace. */
  signal: AbortSignal;
};

/** How one run of the simulator ended. */
export type LoadtestOutcome = {
  /** 0 pass, 1 fail, 2 bad input, 3 void, 130 interrupted; null where a signal ended it. */
  exitCode: number | null;
  /** Null when it ended without writing one. */
  result: LoadtestResult | null;
  /** The last lines it wrote to standard error, for the message when there is no result. */
  errorText: string;
};

/** A started target. Disposing it stops everything that it started and resolves when all of it is gone; it may be called twice. */
export type RunningTarget = AsyncDisposable & {
  kind: TargetKind;
  stage: string;
  servers: readonly ServerNode[];
  /** What the simulator is to connect to, from where the simulator runs: every node, or the one proxy before them. */
  loadtestUrls: readonly string[];
  /** Per server node. */
  observedLimits: readonly ObservedLimits[];
  /** Cores that the server nodes are pinned to, all together; null where the scheduler decides. */
  pinnedServerCores: number | null;
  /** Versions and choices worth keeping in the result, e.g. `{ redis: '7.0.15 (redis-server on PATH)', image: '…' }`. */
  facts: Readonly<Record<string, string>>;
  /** CPU, memory and throttling of every node, now: all servers, then the services beside them. */
  sample(): Promise<NodeSample[]>;
  /** Runs the simulator beside the target to its end. One at a time. `options.urls` is set by the target. */
  runLoadtest(options: Omit<LoadtestOptions, 'urls'>, watch: LoadtestWatch): Promise<LoadtestOutcome>;
};

export type TargetKind = 'process' | 'container';

/** Starts a target; resolves when every node has said that it listens. Rejects with a `TargetError` when one does not. */
export type StartTarget = (request: TargetRequest) => Promise<RunningTarget>;

/** A target that could not be had; the message says what was tried, and what the node itself said last. */
export class TargetError extends Error {}

/**
 * A service that a stage needs beside its nodes (`needs` in the stage table). Found means that `start` is expected to
 * work; where nothing is found, `ways` says how a person gets one, a sentence each.
 */
export type ServiceProvider = {
  name: string;
  find(): Promise<{ found: true; source: string } | { found: false; ways: string[] }>;
  start(signal: AbortSignal): Promise<RunningService>;
};

/** A started service; disposing it stops only what was started for the lab. */
export type RunningService = AsyncDisposable & {
  name: string;
  role: 'redis' | 'proxy';
  url: string;
  /** Version and where it came from. */
  fact: string;
  /** Processes of it on this machine, for CPU and memory; empty where they cannot be seen. */
  pids: readonly number[];
};
