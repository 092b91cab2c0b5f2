/** What supervisor and workers say to each other over the channel that `fork` gives them. */
import type { AddressInfo } from 'node:net';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { Config } from '../settings.ts';

/** All metrics of one process at one moment, as prom-client adds them up. */
export type MetricsSnapshot = MetricObjectWithValues<MetricValue<string>>[];

export type DrainOutcome = { closedSessions: number; cutSessions: number };

export type ToWorker =
  /** The first message: what to run, with the settings and the place in `config`. */
  | { kind: 'start'; stage: string; config: Config }
  /** Answered by `metrics` with the same number. */
  | { kind: 'scrape'; number: number }
  /** No newcomers from now on. */
  | { kind: 'close-door' }
  /** Answered by `drained`, after which the worker exits. */
  | { kind: 'drain'; deadlineMs: number };

export type FromWorker =
  | { kind: 'listening'; chat: AddressInfo }
  | { kind: 'failed'; message: string; code: string | undefined }
  /** Sent whenever it has changed, and looked at a few times per second. */
  | { kind: 'status'; ready: boolean; sessions: number }
  | { kind: 'metrics'; number: number; snapshot: MetricsSnapshot }
  | ({ kind: 'drained' } & DrainOutcome);
