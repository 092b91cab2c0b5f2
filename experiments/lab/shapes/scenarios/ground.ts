/**
 * The ground of the scenarios of one stage: a server that stays, its healthy neighbours, and its baseline
 * after warm-up. The neighbours are the users of the simulator: every delivery to them is audited.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadtestResult } from '../../../../loadtest/result/schema.ts';
import type { RunningSimulator, SimulatorWatch } from '../../deployment/deployment.ts';
import { readMetric } from '../../trial/server-metrics.ts';
import { smokeCheck } from '../../trial/smoke-check.ts';
import type { Kept, Neighbours } from './record.ts';

/** Healthy clients of one room and their messages. Chosen: little load, so that a delay is the offence's. */
export const neighbourLoad = { clients: 40, ratePerSecond: 50 };
/** Chosen: a leak of one in ten offenders shows within a few scenarios. */
export const margins = { descriptors: 8, memoryBytes: 256 * 2 ** 20 };

/**
 * Times are shorter than by default, so that offenders get their answers within seconds; and less may wait
 * for one reader, because the kernel alone takes megabytes. The bounds are the defaults.
 */
export const hostileSettings: Readonly<Record<string, string>> = {
  'handshake-timeout': '1500ms',
  'message-timeout': '1500ms',
  'heartbeat-interval': '3s',
  'eviction-grace': '500ms',
  'reconnect-wait-max': '500ms',
  'outbound-size-max': '256KiB',
  'segment-size': '32KiB',
  'segments-behind-max': '8',
};

const warmUpSeconds = 2;
/** Chosen: most offences are over sooner, and 30 messages to 40 people are enough for a p99. */
const stepSeconds = 0.6;
const crossDeadlineMs = 1000;
/** Longest wait until the server has let go of what the offenders left; its timeouts are shorter. */
const settleDeadlineMs = 10_000;

/** What a ground needs of a server: one of the lab's deployments, or one that is given by its URL. */
export type Target = AsyncDisposable & {
  chatUrls: readonly string[];
  /** Of /metrics; empty where they are not known. */
  internalUrls: readonly string[];
  facts: Readonly<Record<string, string>>;
  startSimulator(options: object & { limits: string[] }, watch: SimulatorWatch): Promise<RunningSimulator>;
  /** Resident memory of all nodes; null where it is not known. */
  memoryBytes(): Promise<number | null>;
  /** How a node has ended, in words; null while all run. */
  fault(): Promise<string | null>;
  /** Lets the first node open so many more files, null: as many as before. Null where that is impossible. */
  limitDescriptors: ((more: number | null) => Promise<void>) | null;
};

/** The neighbours' figures of an offence, and the server's memory meanwhile. */
export type Felt = {
  neighbours: Omit<Neighbours, 'p99MsMax'>;
  memoryBytesMax: number | null;
  /** The simulator itself was late, so that a latency above the bound says nothing. */
  isDisturbed: boolean;
};

type Levels = { sessions: number; descriptors: number | null; memoryBytes: number | null };

export class Ground implements AsyncDisposable {
  readonly target: Target;
  readonly #simulator: RunningSimulator;
  readonly #signal: AbortSignal;
  readonly #seed: number;
  #steps = 0;
  #baseline: Levels | null = null;

  private constructor(target: Target, simulator: RunningSimulator, seed: number, signal: AbortSignal) {
    this.target = target;
    this.#simulator = simulator;
    this.#seed = seed;
    this.#signal = signal;
  }

  /** Takes over the target. Rejects where it does not pass messages on; the target is then stopped. */
  static async open(
    target: Target,
    order: 'one-for-all' | 'per-sender',
    seed: number,
    watch: SimulatorWatch,
  ): Promise<Ground> {
    await using started = new AsyncDisposableStack();
    started.use(target);
    await smokeCheck(target.chatUrls, watch.signal);
    const load = { ...neighbourLoad, order, seed, warmUpSeconds: 0, drainSeconds: 3 };
    const simulator = started.use(await target.startSimulator({ ...load, limits: [] }, watch));
    const ground = new Ground(target, simulator, seed, watch.signal);
    await ground.#step(warmUpSeconds);
    // The connections of the check may not have ended yet: the neighbours alone are the baseline.
    const levels = await ground.#readLevels((found) => found.sessions <= neighbourLoad.clients);
    ground.#baseline = levels;
    started.move();
    return ground;
  }

  /** The neighbours talk, in short steps, until the offence is over; the sum of what they felt. */
  async talkUntil(offence: Promise<unknown>): Promise<Felt> {
    let over = false;
    const done = offence.finally(() => {
      over = true;
    });
    done.catch(() => {});
    const results: LoadtestResult[] = [];
    let memoryBytesMax: number | null = null;
    do {
      results.push(await this.#step(stepSeconds));
      const memoryBytes = await this.target.memoryBytes();
      if (memoryBytes !== null) memoryBytesMax = Math.max(memoryBytes, memoryBytesMax ?? 0);
    } while (!over && !this.#signal.aborted);
    await done;
    const total = (count: (result: LoadtestResult) => number) =>
      results.reduce((sum, result) => sum + count(result), 0);
    const neighbours = {
      sent: total(({ sent }) => sent),
      lost: total(({ audit }) => audit.lost),
      duplicated: total(({ audit }) => audit.duplicated),
      reordered: total(({ audit }) => audit.reordered),
      misrouted: total(({ audit }) => audit.misrouted),
      corrupted: total(({ audit }) => audit.corrupted),
      closed: total(({ connections }) => sumOf(connections.closedEarly)),
      closes: sumBy(results.map(({ connections }) => connections.closedEarly)),
      p99Ms: Math.max(...results.map(({ deliveryLatencyMs }) => deliveryLatencyMs.p99)),
    };
    // Sending late only adds to a latency, so that a bound that held has held.
    const isDisturbed = results.some(({ verdict }) => verdict === 'void');
    return { neighbours, memoryBytesMax, isDisturbed };
  }

  /** Waits until newcomers exchange a message through the first and the last node; null: not in a second. */
  async crossed(): Promise<number | null> {
    const beganMs = performance.now();
    return smokeCheck(this.target.chatUrls, this.#signal, crossDeadlineMs).then(
      () => performance.now() - beganMs,
      () => null,
    );
  }

  /** Waits until the server is back at its baseline, for a while, and says how much more it has. */
  async kept(): Promise<Kept | null> {
    const baseline = this.#baseline;
    if (baseline === null) return null;
    const over = (now: number | null, before: number | null) =>
      now === null || before === null ? null : now - before;
    const keptOf = (levels: Levels): Kept => ({
      sessions: levels.sessions - baseline.sessions,
      descriptors: over(levels.descriptors, baseline.descriptors),
      memoryBytes: over(levels.memoryBytes, baseline.memoryBytes),
    });
    const levels = await this.#readLevels((found) => faultsOfKept(keptOf(found)).length === 0);
    return levels === null ? null : keptOf(levels);
  }

  /** The sum of a metric with its labels over all nodes; null where it is not known. */
  async metric(name: string): Promise<number | null> {
    const texts = await this.#scrape();
    const escaped = name.replaceAll(/[{}]/g, '\\$&');
    const values = texts.map((text) => Number(new RegExp(`^${escaped} (\\S+)$`, 'm').exec(text)?.[1] ?? 0));
    return texts.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#simulator[Symbol.asyncDispose]();
    await this.target[Symbol.asyncDispose]();
  }

  /** Neighbours whose connection has ended connect again before it. */
  #step(durationSeconds: number): Promise<LoadtestResult> {
    const seed = (this.#seed + this.#steps++) % 2 ** 32;
    return this.#simulator.step({ durationSeconds, seed, reconnect: true });
  }

  async #readLevels(isEnough: (levels: Levels) => boolean): Promise<Levels | null> {
    const deadlineAtMs = performance.now() + settleDeadlineMs;
    for (;;) {
      const texts = await this.#scrape();
      if (texts.length === 0) return null;
      const sum = (metric: string) =>
        texts.reduce((total, text) => total + (readMetric(text, metric) ?? 0), 0);
      const levels: Levels = {
        sessions: sum('chat_sessions'),
        descriptors: sum('process_open_fds') || null,
        memoryBytes: await this.target.memoryBytes(),
      };
      if (isEnough(levels) || performance.now() > deadlineAtMs) return levels;
      await sleep(100, undefined, { signal: this.#signal });
    }
  }

  async #scrape(): Promise<string[]> {
    const answers = this.target.internalUrls.map(async (url) =>
      (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(settleDeadlineMs) })).text(),
    );
    return Promise.all(answers);
  }
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function sumBy(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [code, count] of all.flatMap((counts) => Object.entries(counts)))
    sums[code] = (sums[code] ?? 0) + count;
  return sums;
}

/** What the server ought to have let go of, a clause each. */
export function faultsOfKept({ sessions, descriptors, memoryBytes }: Kept): string[] {
  const faults: string[] = [];
  if (sessions !== null && sessions !== 0) faults.push(`${sessions} sessions more than before`);
  if (descriptors !== null && descriptors > margins.descriptors)
    faults.push(`${descriptors} descriptors more than before; ${margins.descriptors} is the margin`);
  if (memoryBytes !== null && memoryBytes > margins.memoryBytes) {
    const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
    faults.push(
      `${mebibytes(memoryBytes)} MiB more than at the start; ${mebibytes(margins.memoryBytes)} is the margin`,
    );
  }
  return faults;
}
