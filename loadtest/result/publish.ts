/** The end of a run: its verdict for a person, then its result for a program. */
import { WriteError, writeWhole } from '#host/whole-file.ts';
import type { ProgressStyle, ResultEvent } from './progress.ts';
import type { LoadtestResult, RunResult } from './schema.ts';
import { formatSteps, formatSummary } from './summary.ts';

export type Publication = {
  style: ProgressStyle;
  /** Where the progress went; the summary follows it there. */
  stream: NodeJS.WritableStream;
  /** Path of the result file; `-` is standard output. */
  json: string | undefined;
  /** Path of the report, and its text; undefined: none. */
  report: { path: string; html: string } | undefined;
  /** The run was asked for with `--step`: its result has a list of steps. */
  hasSteps: boolean;
};

/**
 * Prints the summary, or with `--progress json` the last event, before the file is written: the verdict of a
 * run is known even if its result cannot be kept. Throws a `WriteError` then.
 */
export async function publish(results: readonly LoadtestResult[], publication: Publication): Promise<void> {
  const { style, stream, json, report, hasSteps } = publication;
  const result: RunResult = hasSteps ? { stepsSchemaVersion: 1, steps: [...results] } : results[0]!;
  if (style !== 'json') {
    for (const one of results) stream.write(formatSummary(one));
    if (hasSteps) stream.write(formatSteps(results));
  } else if (json !== '-') {
    const event: ResultEvent = { event: 'result', result };
    stream.write(`${JSON.stringify(event)}\n`);
  }
  if (report !== undefined) writeWhole(report.path, report.html);
  if (json === undefined) return;
  const text = `${JSON.stringify(result)}\n`;
  if (json === '-') await print(text);
  else writeWhole(json, text);
}

/** Resolves when standard output has taken the text. Rejects with a `WriteError`. */
function print(text: string): Promise<void> {
  return new Promise((done, fail) => {
    process.stdout.write(text, (error) => (error ? fail(new WriteError('standard output', error)) : done()));
  });
}
