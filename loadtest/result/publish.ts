/** The end of a run: its verdict for a person, then its result for a program. */
import { paintFor } from '#host/paint.ts';
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
  /** The run was asked for with `--step`: its result has a list of steps. */
  hasSteps: boolean;
  /** The tables may be wider than 80 columns. */
  isWide: boolean;
};

/**
 * Prints the summary, or with `--progress json` the last event, before the file is written: the verdict of a
 * run is known even if its result cannot be kept. Throws a `WriteError` then.
 */
export async function publish(results: readonly LoadtestResult[], publication: Publication): Promise<void> {
  const { style, stream, json, hasSteps, isWide } = publication;
  const result: RunResult = hasSteps ? { stepsSchemaVersion: 1, steps: [...results] } : results[0]!;
  if (style !== 'json') {
    const look = { paint: paintFor(stream), isWide };
    for (const one of results) stream.write(formatSummary(one, look));
    if (hasSteps) stream.write(formatSteps(results, look));
  } else if (json !== '-') {
    const event: ResultEvent = { event: 'result', result };
    stream.write(`${JSON.stringify(event)}\n`);
  }
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
