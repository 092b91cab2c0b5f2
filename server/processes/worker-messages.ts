/** The messages between supervisor and workers, over the channel that `fork` gives them. */
import type { AddressInfo } from 'node:net';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { WorkerPlace } from '../backplane/mesh-publisher.ts';
import type { DrainOutcome } from '../gateway/drain.ts';
import type { Config } from '../stages/stage.ts';

/** All metrics of one process at one moment, in the form that prom-client sums. */
export type MetricsSnapshot = MetricObjectWithValues<MetricValue<string>>[];

export type ToWorker =
  /** The first message. */
  | { kind: 'start'; stage: string; config: Config; place: WorkerPlace; live: readonly number[] }
  /** The numbers of the workers that listen; sent whenever it changes. */
  | { kind: 'live'; workers: readonly number[] }
  /** Answered by `metrics` with the same number. */
  | { kind: 'scrape'; number: number }
  /** Refuse newcomers from now on. */
  | { kind: 'stop-admitting' }
  /** Answered by `drained`, after which the worker exits. */
  | { kind: 'drain'; deadlineMs: number };

export type FromWorker =
  | { kind: 'listening'; chat: AddressInfo }
  | { kind: 'failed'; message: string; code: string | undefined }
  /** Sent a few times per second: it is the worker's sign of life too. */
  | { kind: 'status'; ready: boolean; sessions: number }
  | { kind: 'metrics'; number: number; snapshot: MetricsSnapshot }
  | { kind: 'drained'; outcome: DrainOutcome };
