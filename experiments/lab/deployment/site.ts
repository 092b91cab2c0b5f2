/** Where programs of a deployment run: processes of this machine and containers both implement this. */
import type { OnLine } from '#host/readiness.ts';

import type { DeployedNode, NodeSample, ObservedLimits, PartUsage, TargetKind } from './deployment.ts';
import type { PeerProgram } from './peers.ts';

/** What server nodes and the simulator have in common; undefined stands for no limit and for any CPU. */
type ProgramRequest = {
  /** But for those that the site sets: hosts and ports. */
  flags: readonly string[];
  cpus: number | undefined;
  /** Of the quota of CPU. */
  cpuPeriodMs: number;
  memoryMb: number | undefined;
  /** Such as `0` or `0,1`. */
  pinnedCpus: string | undefined;
};

export type NodeRequest = ProgramRequest & {
  name: string;
  role: string;
  /** A server of others in place of ours. */
  peer: PeerProgram | undefined;
  /** Settings that may hold a secret: every user of a machine sees the arguments of its processes. */
  environment: Readonly<Record<string, string>>;
  /** It tells clients its address. */
  isSeated: boolean;
  signal: AbortSignal;
};

/** A node with what only the deployment itself needs of it. */
export type SiteNode = DeployedNode & {
  sample(): Promise<NodeSample>;
  observeLimits(): Promise<ObservedLimits>;
};

export type SimulatorRequest = ProgramRequest & {
  metricsPort: number | undefined;
  /** True where the nodes run at the other site, and are reached through ports of this machine. */
  nodesAreElsewhere: boolean;
  onLine: OnLine;
};

export type SiteSimulator = AsyncDisposable & {
  /** `host:port` of its metrics for Prometheus; null where none were asked for. */
  scrapeAddress: string | null;
  /** The exit code, null where a signal ended it, and why it was killed where that is known. */
  exit: Promise<{ code: number | null; fault: string | null }>;
  /** Writes to its standard input; does nothing once it has ended. */
  write(text: string): void;
  signal(name: NodeJS.Signals): Promise<void>;
};

export type Site = {
  kind: TargetKind;
  facts: Readonly<Record<string, string>>;
  /** Resolves once the node listens; rejects with a `StartError`. */
  startNode(request: NodeRequest): Promise<SiteNode>;
  startSimulator(request: SimulatorRequest): Promise<SiteSimulator>;
  /** Usage of the simulator that runs; null while none does. */
  simulatorUsage(): Promise<PartUsage | null>;
  /** At which address the lab must listen for nodes to reach it, and the host name that they reach it by. */
  labAddress(): Promise<{ listenHost: string; reachedAs: string }>;
};

/** Internal ports listen on loopback alone, unless Prometheus reaches this machine by another name. */
export function listenHost(scrapeHost: string): string {
  return scrapeHost === '127.0.0.1' ? scrapeHost : '0.0.0.0';
}
