/** What a person sees while an experiment runs: one redrawn line on a terminal, plain lines elsewhere. */

import type { LoadtestProgress } from '../deployment/deployment.ts';
import type { TrialRecord, VariantRecord } from '../records/schema.ts';
import { formatBytes, formatClock, formatMagnitude, formatMs, formatNumber } from '../report/format.ts';
import type { TrialRequest } from '../trial/trial.ts';

export type LiveOptions = {
  write: (text: string) => void;
  /** Redraw the last line; otherwise only whole lines are written. */
  terminal: boolean;
  columns: () => number;
  experiment: string;
  unit: string;
  /** First guess; corrected by the pace of the trials as they end. */
  trialsExpected: number;
  secondsPerTrial: number;
  now: () => number;
};

const redrawPeriodMs = 250;
/** Enough to disturb a trial. Chosen, not measured. */
const noticedCores = 0.2;

/** Draws until it is disposed. */
export class LiveView implements Disposable {
  readonly #options: LiveOptions;
  readonly #startedMs: number;
  #trialsDone = 0;
  #request: TrialRequest | null = null;
  #phase = '';
  #second: Extract<LoadtestProgress, { event: 'second' }> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#startedMs = options.now();
    if (options.terminal) this.#timer = setInterval(() => this.#draw(), redrawPeriodMs);
  }

  phase(phase: string, request: TrialRequest): void {
    if (phase === 'start') this.#second = null;
    this.#phase = phase;
    this.#request = request;
    this.#draw();
  }

  second(progress: Extract<LoadtestProgress, { event: 'second' }>): void {
    this.#second = progress;
    this.#draw();
  }

  trialEnded(trial: TrialRecord): void {
    this.#trialsDone += 1;
    this.line(trialLine(trial, this.#options.unit));
  }

  variantEnded(variant: VariantRecord): void {
    const { answer, error } = variant;
    if (error !== null) this.line(`${variant.name}: no trial possible: ${error}`);
    else if (answer !== null) this.line(answerLine(variant, this.#options.unit));
  }

  /** A whole line; on a terminal the redrawn one stays below it. */
  line(text: string): void {
    this.#options.write(this.#options.terminal ? `\r\x1b[2K${text}\n` : `${text}\n`);
    this.#draw();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#options.terminal) this.#options.write('\r\x1b[2K');
    this.#request = null;
  }

  #draw(): void {
    if (!this.#options.terminal || this.#request === null) return;
    const text = this.#text(this.#request).slice(0, this.#options.columns() - 1);
    this.#options.write(`\r\x1b[2K${text}`);
  }

  #text(request: TrialRequest): string {
    const { experiment, unit, trialsExpected, secondsPerTrial, now } = this.#options;
    const elapsedSeconds = (now() - this.#startedMs) / 1000;
    const pace = this.#trialsDone === 0 ? secondsPerTrial : elapsedSeconds / this.#trialsDone;
    const total = Math.max(elapsedSeconds, pace * Math.max(trialsExpected, this.#trialsDone + 1));
    const second = this.#second;
    const parts = [
      `${formatClock(elapsedSeconds)}/~${formatClock(total)}`,
      `${experiment} ${request.variant.name}`,
      `trial ${request.number}`,
      `${formatNumber(request.load)} ${unit}`,
      this.#phase,
    ];
    if (second !== null) {
      parts.push(
        `${formatMagnitude(second.deliveriesPerSecond)} deliveries/s`,
        `p99 ${formatMs(second.deliveryLatencyMsP99)}`,
      );
      if (second.lost > 0) parts.push(`lost ${formatNumber(second.lost)}`);
    }
    return parts.join(' · ');
  }
}

function trialLine(trial: TrialRecord, unit: string): string {
  const { loadtest, server } = trial;
  const head = `${trial.variant}  trial ${String(trial.number).padStart(2)}  ${formatNumber(trial.load).padStart(7)} ${unit}`;
  const outcome = trial.purpose === 'confirm' && trial.outcome === 'passed' ? 'confirmed' : trial.outcome;
  const parts = [`${head}  ${outcome.padEnd(9)}`];
  if (loadtest !== null) {
    parts.push(`p99 ${formatMs(loadtest.deliveryLatencyMs.p99).padStart(7)}`);
    parts.push(`${formatMagnitude(loadtest.deliveriesPerSecond).padStart(6)} deliveries/s`);
  }
  if (server !== null) parts.push(`CPU ${server.cpuCores.toFixed(2)}`, formatBytes(server.rssMaxBytes));
  if (server !== null && server.otherCpuCores >= noticedCores) {
    parts.push(`others used ${server.otherCpuCores.toFixed(2)} cores`);
  }
  if (trial.outcome === 'void') parts.push(trial.reasons[0]?.split('\n')[0] ?? '');
  return parts.join('  ');
}

function answerLine(variant: VariantRecord, unit: string): string {
  const answer = variant.answer!;
  if (answer.capacity === null) {
    const passed =
      answer.passedOnce === null ? '' : `; ${formatNumber(answer.passedOnce)} ${unit} passed, unconfirmed`;
    return `${variant.name}: no load was confirmed in ${answer.trials} trials (${answer.end})${passed}`;
  }
  const bound = variant.bound === null ? '' : `; bound by ${variant.bound.name}`;
  return `${variant.name}: ${formatNumber(answer.capacity)} ${unit}, confirmed ${answer.confirmations} times${bound}`;
}
