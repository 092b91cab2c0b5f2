/**
 * Where programs of a deployment run: the interface that processes of this machine and containers both
 * implement.
 */
import type { OnLine } from '#host/readiness.ts';
import type { DeployedNode, NodeSample, ObservedLimits, TargetKind } from './deployment.ts';

export type NodeRequest = {
  name: string;
  role: string;
  /** Flags of the server but for hosts and ports, e.g. `['--stage', '03-cursor']`. */
  flags: readonly string[];
  cpus: number | undefined;
  memoryMb: number | undefined;
  /** Such as `0` or `0,1`; undefined for any. */
  pinnedCpus: string | undefined;
  signal: AbortSignal;
};

/** A node with what only the deployment itself needs of it. */
export type SiteNode = DeployedNode & {
  /** The chat URL for a simulator at the same site. */
  siteUrl: string;
  sample(): Promise<NodeSample>;
  observeLimits(): Promise<ObservedLimits>;
};

export type SimulatorRequest = {
  /** Flags of the simulator but for the host of its metrics. */
  flags: readonly string[];
  cpus: number | undefined;
  memoryMb: number | undefined;
  pinnedCpus: string | undefined;
  metricsPort: number | undefined;
  /** True where the nodes run at the other site, and are reached through ports of this machine. */
  nodesAreElsewhere: boolean;
  onLine: OnLine;
};

export type SiteSimulator = AsyncDisposable & {
  /** `host:port` of its metrics for Prometheus; null where none were asked for. */
  scrapeAddress: string | null;
  /**
   * Resolves with the exit code, null where a signal ended it, and with why it was killed where that is
   * known.
   */
  exit: Promise<{ code: number | null; fault: string | null }>;
  signal(name: NodeJS.Signals): Promise<void>;
};

export type Site = {
  kind: TargetKind;
  facts: Readonly<Record<string, string>>;
  /** Resolves once the node listens; rejects with a `StartError`. */
  startNode(request: NodeRequest): Promise<SiteNode>;
  startSimulator(request: SimulatorRequest): Promise<SiteSimulator>;
  /** At which address the lab must listen for nodes to reach it, and the host name that they reach it by. */
  labAddress(): Promise<{ listenHost: string; reachedAs: string }>;
};

/** Internal ports listen on loopback alone, unless Prometheus reaches this machine by another name. */
export function listenHost(scrapeHost: string): string {
  return scrapeHost === '127.0.0.1' ? scrapeHost : '0.0.0.0';
}
