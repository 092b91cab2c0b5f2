/** The end of a run: its verdict for a person, then its results for programs. */
import { paintFor } from '#host/paint.ts';
import { WriteError, writeWhole } from '#host/whole-file.ts';
import { type BaselineRow, compareWithBaseline, stepsOf } from './baseline.ts';
import { appendSummary } from './ci-files.ts';
import { casesOfSteps, summaryOfSteps } from './ci-report.ts';
import { junitXml } from './junit-xml.ts';
import type { ProgressStyle, ResultEvent } from './progress.ts';
import type { LoadtestResult, RunResult } from './schema.ts';
import { formatBaseline, formatSteps, formatSummary, stepHeading } from './summary.ts';

export type Publication = {
  style: ProgressStyle;
  /** Where the progress went; the summary follows it there. */
  stream: NodeJS.WritableStream;
  /** Path of the result file; `-` is standard output. */
  json: string | undefined;
  /** Path of the report, and its text; undefined: none. */
  report: { path: string; html: string } | undefined;
  /** Paths of a file to append Markdown to, and of one for JUnit XML. */
  summary: string | undefined;
  junit: string | undefined;
  baseline: RunResult | undefined;
  margin: number;
  /** The run was asked for with `--step`: its result has a list of steps. */
  hasSteps: boolean;
  /** The tables may be wider than 80 columns. */
  isWide: boolean;
};

/**
 * Prints the summary, or with `--progress json` the last event, before files are written: the verdict of a
 * run is known even if its result cannot be kept. Returns whether a figure is worse than in the baseline.
 * Throws a `WriteError` where a file cannot be written.
 */
export async function publish(
  results: readonly LoadtestResult[],
  publication: Publication,
): Promise<{ isWorse: boolean }> {
  const { style, stream, json, report, summary, junit, baseline, margin, hasSteps, isWide } = publication;
  const result: RunResult = hasSteps ? { stepsSchemaVersion: 1, steps: [...results] } : results[0]!;
  const before = baseline === undefined ? [] : stepsOf(baseline);
  const steps = results.map((one, index) => ({ result: one, rows: rowsOf(before[index], one, margin) }));
  if (style !== 'json') {
    const look = { paint: paintFor(stream), isWide };
    for (const [index, { result: one, rows }] of steps.entries()) {
      if (hasSteps) stream.write(stepHeading(index + 1, steps.length, one));
      stream.write(formatSummary(one, look) + formatBaseline(rows, look, margin));
    }
    if (hasSteps) stream.write(formatSteps(results, look));
  } else if (json !== '-') {
    const event: ResultEvent = { event: 'result', result };
    stream.write(`${JSON.stringify(event)}\n`);
  }
  if (report !== undefined) writeWhole(report.path, report.html);
  const text = `${JSON.stringify(result)}\n`;
  if (json === '-') await print(text);
  else if (json !== undefined) writeWhole(json, text);
  if (summary !== undefined) appendSummary(summary, summaryOfSteps(steps));
  const seconds = results.reduce((sum, { workload }) => sum + workload.durationSeconds, 0);
  if (junit !== undefined) writeWhole(junit, junitXml('loadtest', seconds, casesOfSteps(steps)));
  return { isWorse: steps.some(({ rows }) => rows.some(({ verdict }) => verdict === 'worse')) };
}

/** A void or interrupted step has figures that say nothing. */
function rowsOf(before: LoadtestResult | undefined, now: LoadtestResult, margin: number): BaselineRow[] {
  const isJudged = ['pass', 'fail'].includes(now.verdict) && !now.interrupted;
  return before === undefined || !isJudged ? [] : compareWithBaseline(before, now, margin);
}

/** Resolves when standard output has taken the text. Rejects with a `WriteError`. */
function print(text: string): Promise<void> {
  return new Promise((done, fail) => {
    process.stdout.write(text, (error) => (error ? fail(new WriteError('standard output', error)) : done()));
  });
}
