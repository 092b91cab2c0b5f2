/** Times the answers of a server's internal port, which it asks as a scraper and a load balancer do. */
import { once } from 'node:events';
import autocannon from 'autocannon';
import { meanOf } from '../analysis/statistics.ts';
import type { ProbeSummary } from '../records/schema.ts';

/** Longer than a Prometheus that scrapes every second waits. */
const deadlineSeconds = 5;
/** Of each path; adds little to the cost of a scrape every second. Chosen, not measured. */
const requestsPerSecond = 2;
/** How often autocannon checks whether it must stop. */
const checkIntervalMs = 50;
/** The caller ends the requests: the duration never does. */
const endlessSeconds = 86_400;

/**
 * Begins to request `internalUrl` + `path` over one connection. The function that is returned ends that,
 * without waiting for outstanding answers.
 */
export function startTiming(
  internalUrl: string,
  path: string,
  perSecond: number,
): () => Promise<ProbeSummary> {
  const answersMs: number[] = [];
  let bytes = 0;
  let refused = 0;
  const running = autocannon(
    {
      url: internalUrl + path,
      connections: 1,
      overallRate: perSecond,
      duration: endlessSeconds,
      timeout: deadlineSeconds,
      sampleInt: checkIntervalMs,
      // The correction of coordinated omission assumes a closed loop at full speed: at a few requests per
      // second it fills the histogram with values that were never measured.
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
  return async () => {
    const ended = once(running, 'done');
    running.stop();
    const [result] = (await ended) as [autocannon.Result];
    const answered = answersMs.length;
    const failed = refused + result.errors;
    return { path, sent: answered + failed, answered, failed, bytes, answerMs: summarize(answersMs) };
  };
}

/** Times /metrics and /healthz during the measure phase of a trial. */
export function timeInternalPort(internalUrl: string): Disposable & {
  enter(phase: string): void;
  /** Stops the requests and returns a summary for each path; none where there was no measure phase. */
  collect(): Promise<ProbeSummary[]>;
} {
  let running: ReturnType<typeof startTiming>[] = [];
  let summaries: Promise<ProbeSummary[]> = Promise.resolve([]);
  const stop = () => {
    if (running.length > 0) summaries = Promise.all(running.map((end) => end()));
    running = [];
    return summaries;
  };
  return {
    enter: (phase) => {
      if (phase === 'measure')
        running = ['/metrics', '/healthz'].map((path) => startTiming(internalUrl, path, requestsPerSecond));
      else void stop();
    },
    collect: stop,
    [Symbol.dispose]: () => void stop(),
  };
}

function summarize(valuesMs: readonly number[]): ProbeSummary['answerMs'] {
  if (valuesMs.length === 0) return { mean: 0, p50: 0, p99: 0, max: 0 };
  const sorted = valuesMs.toSorted((one, other) => one - other);
  const round = (value: number) => Number(value.toFixed(2));
  const at = (share: number) => round(sorted[Math.floor(share * sorted.length)]!);
  return { mean: round(meanOf(sorted)), p50: at(0.5), p99: at(0.99), max: round(sorted.at(-1)!) };
}
