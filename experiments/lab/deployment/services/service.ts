/** A service that stages need beside their nodes, as the deployment starts it. One file each, for both sites. */
import type { ContainerSite } from '../container.ts';
import type { DeployedService, NodeSample, TargetKind } from '../deployment.ts';

/** For whom a service is started. */
export type ServiceRequest = {
  /** Where the nodes run that must reach it. */
  target: TargetKind;
  /** Opened at the first call. Rejects with a `TargetError` where no container engine answers. */
  containers(): Promise<ContainerSite>;
  signal: AbortSignal;
};

export type ServiceProvider = {
  /** As stages name it in `services`. */
  name: string;
  /** Whether `start` is expected to work, and from which source; else the ways to get one, a sentence each. */
  find(target?: TargetKind): Promise<{ found: true; source: string } | { found: false; ways: string[] }>;
  start(request: ServiceRequest): Promise<RunningService>;
};

/** A started service; disposing it stops only what was started here. */
export type RunningService = DeployedService &
  AsyncDisposable & {
    /** As reached from the lab. */
    url: string;
    /** As reached from the nodes. */
    nodeUrl: string;
    /** Version and source. */
    fact: string;
    sample(): Promise<NodeSample>;
  };
