/** Progress of a run on the terminal: one redrawn line, or plain lines where the output is no terminal. */
import { type Paint, unpainted } from '#host/paint.ts';
import { besideName } from '#host/wrapped.ts';
import type { SimulatorProgress } from '../deployment/deployment.ts';
import { formatClock, formatMagnitude, formatMs, formatNumber } from '../report/format.ts';
import type { TrialTitle } from '../trial/trial.ts';
import { Pace, type PaceOptions } from './pace.ts';

type LiveOptions = PaceOptions & {
  write: (text: string) => void;
  /** Redraw the last line; otherwise only whole lines are written. */
  terminal: boolean;
  columns: () => number;
  experiment: string;
  /** Colours the outcome of a trial; left out: none. */
  paint?: Paint;
};

const outcome = /(?<= )(pass|fail|void|undetermined|interrupted)(?= |$)/m;
const redrawPeriodMs = 250;

/** Draws until it is disposed. */
export class LiveView implements Disposable {
  readonly #options: LiveOptions;
  readonly #pace: Pace;
  #title: TrialTitle | null = null;
  #phase = '';
  #second: Extract<SimulatorProgress, { event: 'second' }> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#pace = new Pace(options);
    if (options.terminal) this.#timer = setInterval(() => this.#draw(), redrawPeriodMs);
  }

  phase(phase: string, title: TrialTitle): void {
    if (phase === 'start') this.#second = null;
    this.#phase = phase;
    this.#title = title;
    this.#draw();
  }

  second(progress: Extract<SimulatorProgress, { event: 'second' }>): void {
    this.#second = progress;
    this.#draw();
  }

  trialEnded(line: string): void {
    this.#pace.trialEnded();
    this.#write(line);
  }

  variantEnded(line: string | null): void {
    this.#pace.variantEnded();
    if (line !== null) this.#write(line);
  }

  /** Writes a whole line; on a terminal the redrawn one stays below it. */
  #write(line: string): void {
    const { terminal, columns, paint = unpainted } = this.#options;
    const text = terminal ? indented(line, columns()) : line;
    const painted = text.replace(outcome, (word) => paint(word));
    this.#options.write(terminal ? `\r\x1b[2K${painted}\n` : `${painted}\n`);
    this.#draw();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#options.terminal) this.#options.write('\r\x1b[2K');
    this.#title = null;
  }

  #draw(): void {
    if (!this.#options.terminal || this.#title === null) return;
    const text = this.#text(this.#title).slice(0, this.#options.columns() - 1);
    this.#options.write(`\r\x1b[2K${text}`);
  }

  #text(title: TrialTitle): string {
    const { experiment } = this.#options;
    const { elapsedSeconds, leftSeconds } = this.#pace.clock();
    const parts = [
      `${formatClock(elapsedSeconds)}, about ${formatClock(leftSeconds)} left`,
      `${experiment} ${title.variant}`,
      `trial ${title.number}`,
      title.about,
      this.#phase,
    ];
    if (this.#second !== null) {
      const { deliveriesPerSecond, deliveryLatencyMsP99, lost } = this.#second;
      parts.push(
        `${formatMagnitude(deliveriesPerSecond)} deliveries/s`,
        `p99 ${formatMs(deliveryLatencyMsP99)}`,
      );
      if (lost > 0) parts.push(`lost ${formatNumber(lost)}`);
    }
    return parts.join(' · ');
  }
}

/** A line that fits the terminal: its other lines are indented as far as the name of the variant is wide. */
function indented(line: string, columns: number): string {
  const [name = ''] = /^.+?(?: {2}|: )/.exec(line) ?? [];
  return besideName(name, line.slice(name.length), columns);
}
