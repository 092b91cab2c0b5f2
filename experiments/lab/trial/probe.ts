/** Asks a server's internal port the same thing a few times a second, as a scraper and a load balancer do, and says how it fared. */
import { once } from 'node:events';
import autocannon from 'autocannon';

/** How one path answered. Times are from request to last byte, milliseconds; all zero where nothing was answered. */
export type ProbeSummary = {
  path: string;
  sent: number;
  /** Answered with 2xx. */
  answered: number;
  /** Other statuses, broken connections, and no answer within the deadline. */
  failed: number;
  /** Of one answer, headers included. */
  bytes: number;
  answerMs: { mean: number; p50: number; p99: number; max: number };
};

/** A running probe; `stop` ends it and waits for no answer that is still owed. */
export type Probe = { stop(): Promise<ProbeSummary> };

/** Longer than any Prometheus that scrapes every second would wait. */
const deadlineSeconds = 5;
/** Of each path; little beside what a scrape every second costs already. */
const probesPerSecond = 2;
/** autocannon looks this often whether it shall stop, milliseconds. */
const checkIntervalMs = 50;
/** A probe is stopped by who started it, not by a clock. */
const endlessSeconds = 86_400;

/** Begins to ask `internalUrl` + `path` over one connection. */
export function startProbe(internalUrl: string, path: string, requestsPerSecond: number): Probe {
  const answersMs: number[] = [];
  let bytes = 0;
  let refused = 0;
  const running = autocannon(
    {
      url: internalUrl + path,
      connections: 1,
      overallRate: requestsPerSecond,
      duration: endlessSeconds,
      timeout: deadlineSeconds,
      sampleInt: checkIntervalMs,
      // Its correction of coordinated omission assumes a closed loop at full speed: at a few requests per second it
      // fills the histogram with values that nobody measured.
      ignoreCoordinatedOmission: true,
    },
    () => {},
  );
  running.on('response', (_client, status, responseBytes, responseMs) => {
    if (status < 200 || status > 299) {
      refused += 1;
      return;
    }
    answersMs.push(responseMs);
    bytes = responseBytes;
  });
  return {
    stop: async () => {
      const ended = once(running, 'done');
      running.stop();
      const [result] = (await ended) as [autocannon.Result];
      const failed = refused + result.errors;
      return {
        path,
        sent: answersMs.length + failed,
        answered: answersMs.length,
        failed,
        bytes,
        answerMs: summarize(answersMs),
      };
    },
  };
}

/** Probes of the paths that scrapers and load balancers ask, told of the phases of a trial: they run while it measures. */
export function measureProbes(internalUrl: string): Disposable & {
  enter(phase: string): void;
  /** Stops what still runs; the summaries, none where the trial never measured. */
  collect(): Promise<ProbeSummary[]>;
} {
  let running: Probe[] = [];
  let summaries: Promise<ProbeSummary[]> = Promise.resolve([]);
  const stop = () => {
    if (running.length > 0) summaries = Promise.all(running.map((probe) => probe.stop()));
    running = [];
    return summaries;
  };
  return {
    enter: (phase) => {
      if (phase === 'measure')
        running = ['/metrics', '/healthz'].map((path) => startProbe(internalUrl, path, probesPerSecond));
      else void stop();
    },
    collect: stop,
    [Symbol.dispose]: () => void stop(),
  };
}

function summarize(valuesMs: readonly number[]): ProbeSummary['answerMs'] {
  if (valuesMs.length === 0) return { mean: 0, p50: 0, p99: 0, max: 0 };
  const sorted = [...valuesMs].sort((one, other) => one - other);
  const round = (value: number) => Number(value.toFixed(2));
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!);
  const mean = round(sorted.reduce((sum, value) => sum + value, 0) / sorted.length);
  return { mean, p50: at(0.5), p99: at(0.99), max: round(sorted.at(-1)!) };
}
