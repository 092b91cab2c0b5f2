/** The page of a load test: its state and its report from the results of the steps. Pure. */
import { unpainted } from '#host/paint.ts';
import type { Second, Series } from '../record/series.ts';
import { parseLimit, upperBoundOf } from '../result/limits.ts';
import type { LoadtestResult } from '../result/schema.ts';
import { formatSummary } from '../result/summary.ts';
import { escapeHtml, pageDocument } from './document.ts';
import type { LiveEnd } from './live-page.ts';
import type { PageSeconds, PageState, PageTrial } from './state.ts';
import { numberText } from './text.ts';

/** Of the steps of a load test, which differ in nothing but their load. */
const variant = 'load test';
export const rateUnit = 'messages/s';

/** The state before the first step. */
export function newState(urls: readonly string[], limits: readonly string[]): PageState {
  return {
    title: `load test of ${urls[0] ?? ''}`,
    question: `Load test of ${urls.join(', ')}`,
    unit: rateUnit,
    limitMs: limitMsOf(limits),
    variants: [{ name: variant, colour: 'var(--line-1)' }],
    trials: [],
    clock: null,
    isEnded: false,
  };
}

/** What a step is called before it has a result; `number` counts from 1. */
export function stepTitle(number: number, ratePerSecond: number) {
  const about = `${numberText(ratePerSecond)} ${rateUnit}`;
  return { number, variant, load: ratePerSecond, about, purpose: 'step' };
}

/** A step that has ended. */
export function stepTrial(number: number, result: LoadtestResult): PageTrial {
  const { warmUpSeconds, durationSeconds } = result.workload;
  const measuredSeconds = result.abortedAfterSeconds ?? durationSeconds;
  return {
    ...stepTitle(number, result.workload.ratePerSecond),
    outcome: result.interrupted ? 'interrupted' : result.verdict === 'undetermined' ? 'void' : result.verdict,
    reasons: result.reasons,
    p99Ms: result.deliveryLatencyMs.p99,
    deliveriesPerSecond: result.deliveriesPerSecond,
    estimate: null,
    phases: [
      { phase: 'warm-up', atSeconds: -warmUpSeconds },
      { phase: 'measure', atSeconds: 0 },
      { phase: 'drain', atSeconds: measuredSeconds },
    ],
    seconds: secondsOf(result.series),
    nodes: [],
  };
}

/** The columns that a page shows; null where the result keeps no series. */
export function secondsOf(series: Series): PageSeconds | null {
  if (series.atSeconds.length === 0) return null;
  return {
    atSeconds: series.atSeconds,
    deliveries: series.deliveriesPerSecond,
    p50: series.deliveryLatencyMsP50,
    p99: series.deliveryLatencyMsP99,
    max: series.deliveryLatencyMsMax,
    counts: series.deliveryLatencyCounts ?? [],
    simulatorCores: series.instrumentCpuCores,
  };
}

/** One second of those columns. */
export function pageSecond(second: Second) {
  const { sent: _, scheduleLagMsP99: __, sessionsOpen: ___, ...shown } = second;
  return shown;
}

/** The p99 that a limit such as `p99<250ms` or `p99<=1s` bounds, in milliseconds; null without one. */
export function limitMsOf(expressions: readonly string[]): number | null {
  // Others may be limits of the lab alone, or of before their units.
  const own = expressions.filter((expression) => /^\s*p99\s*</.test(expression));
  return upperBoundOf('p99', own.map(parseLimit)) ?? null;
}

/** The report of all steps, as a live page becomes it. */
export function resultPage(results: readonly LoadtestResult[]): LiveEnd {
  const first = results[0]!;
  const state = newState(
    first.workload.urls,
    first.limits.map(({ expression }) => expression),
  );
  const trials = results.map((result, index) => stepTrial(index + 1, result));
  const worst = ['void', 'undetermined', 'fail', 'pass'].find((verdict) =>
    results.some((result) => result.verdict === verdict),
  );
  const verdict = results.some(({ interrupted }) => interrupted) ? 'interrupted' : worst;
  const { environment, startedAt } = first;
  const kicker = `${startedAt.slice(0, 16).replace('T', ' ')} UTC · ${environment.platform} · ${environment.cpuModel}`;
  const before = `<header>
<p class="kicker">${escapeHtml(kicker)}</p>
<h1>${escapeHtml(state.question)}</h1>
<p class="answer">${escapeHtml(`Verdict: ${verdict ?? 'none'}${ofSteps(results)}`)}</p>
</header>`;
  return {
    state: { ...state, trials, isEnded: true },
    title: state.title,
    before,
    after: figuresOf(results),
  };
}

/** How many steps ended in which way, where there were several. */
function ofSteps(results: readonly LoadtestResult[]): string {
  if (results.length === 1) return '';
  const counts = Object.entries(Object.groupBy(results, ({ verdict }) => verdict));
  return `. Of ${results.length} steps: ${counts.map(([verdict, all]) => `${all.length} ${verdict}`).join(', ')}`;
}

/** The same as a file. */
export function resultDocument(results: readonly LoadtestResult[]): string {
  return pageDocument({ ...resultPage(results), style: '' });
}

/** The summary of each step, as the terminal shows it. */
function figuresOf(results: readonly LoadtestResult[]): string {
  const sections = results.map((result, index) => {
    const title = results.length === 1 ? 'Figures' : `Figures of step ${index + 1}`;
    const text = figures(result);
    return results.length === 1
      ? `<section>\n<h2>${title}</h2>\n${text}\n</section>`
      : `<details>\n<summary>${title}</summary>\n${text}\n</details>`;
  });
  return results.length === 1
    ? sections.join('')
    : `<section>\n<h2>Figures</h2>\n${sections.join('\n')}\n</section>`;
}

/** A line without a name goes on with the one above it. */
function figures(result: LoadtestResult): string {
  const rows: [string, string[]][] = [];
  for (const line of formatSummary(result, { paint: unpainted, isWide: true }).trimEnd().split('\n')) {
    const [name, text] = [line.slice(0, 18).trim(), line.slice(18)];
    if (name === '' && rows.length > 0) rows.at(-1)![1].push(text);
    else rows.push([name, [text]]);
  }
  const items = rows.map(
    ([name, texts]) => `<dt>${escapeHtml(name)}</dt><dd>${texts.map(escapeHtml).join('<br>')}</dd>`,
  );
  return `<dl>${items.join('')}</dl>`;
}
