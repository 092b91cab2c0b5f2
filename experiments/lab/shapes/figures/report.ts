/** The report of a run of figures: a sentence and a row for each variant. Pure. */
import { medianOf } from '../../analysis/statistics.ts';
import { formatCount, formatMs, formatNumber, formatTrials, roundFigures } from '../../report/format.ts';
import { codeCaveats, interruptionNote } from '../../report/notes.ts';
import { detail, left, type ReportContent, right, tableOf } from '../../report/table.ts';
import { factRows, machineRows } from '../../report/trials.ts';
import type { FigureDefinition, FigureRun, FigureTrial } from './record.ts';

/** One row for each variant: the median of its trials. */
export function reportFigures(run: FigureRun): ReportContent {
  const { figures, procedure, repetitions, limits, variants, target } = run.record;
  const rows = variants.map(({ name, error }) => ({ name, error, trials: trialsOf(run, name) }));
  const columns = figures.map((definition) => {
    const column = right<(typeof rows)[number]>(definition.title, ({ trials }) =>
      trials.length === 0 ? null : figureText(definition, typicalOf(trials, definition)),
    );
    return definition.isDetail ? detail(column) : column;
  });
  return {
    answer: [
      [...interruptionNote(run), limitsAnswer(run)].join(' '),
      ...rows.map(({ name, error, trials }) => sentenceOf(name, error, trials, figures)),
    ],
    summary: tableOf(rows, [
      left('variant', ({ name }) => name),
      left('outcome', ({ trials }) => worstOf(trials)),
      ...columns,
      detail(right('trials', ({ trials }) => String(trials.length))),
    ]),
    method: [
      ...procedure,
      `Each variant was tried ${repetitions === 1 ? 'once, so the spread is unknown' : `${repetitions} times; the table shows medians`}, each time on a fresh deployment.`,
      ...(limits.length === 0 ? [] : [`Limits: ${limits.join(', ')}.`]),
    ],
    environment: [...machineRows(run), ...factRows(run)],
    caveats: [
      'The clients are the lab’s own, in its process; they, the nodes and the services share one machine and its loopback network.',
      ...(target === 'process' ? ['No limit of CPU or memory was in force.'] : []),
      ...codeCaveats(run),
      ...run.record.notes,
    ],
    trials: tableOf(run.trials, [
      right('#', ({ number }) => String(number)),
      left('variant', ({ variant }) => variant),
      left('outcome', ({ outcome }) => outcome),
      ...figures.map((definition) =>
        right<FigureTrial>(definition.title, (trial) =>
          figureText(definition, trial.figures[definition.key] ?? null),
        ),
      ),
      left('remark', ({ reasons }) => roundFigures(reasons.join('; '))),
    ]),
  };
}

/** A figure with its unit; a dash where it is not known. */
export function figureText({ kind }: FigureDefinition, value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (kind === 'ms') return formatMs(value);
  if (kind === 'µs') return `${formatNumber(value)} µs`;
  if (kind === 'times') return `× ${formatNumber(value)}`;
  return kind === 'count' ? formatCount(value) : formatNumber(value);
}

/** The median of the trials that know the figure; null where none does. */
export function typicalOf(trials: readonly FigureTrial[], { key }: FigureDefinition): number | null {
  const known = trials.flatMap(({ figures }) => figures[key] ?? []);
  return known.length === 0 ? null : medianOf(known);
}

function trialsOf({ trials }: FigureRun, name: string): FigureTrial[] {
  return trials.filter(({ variant }) => variant === name);
}

function limitsAnswer({ trials, record }: FigureRun): string {
  if (trials.length === 0) return 'No trial gave a result.';
  if (record.limits.length === 0) return `${formatTrials(trials.length)} gave figures.`;
  const broken = [...new Set(trials.filter(({ outcome }) => outcome === 'fail').map((one) => one.variant))];
  if (broken.length === 0) return `The limits held in all of ${formatTrials(trials.length)}.`;
  return `The limits broke in ${broken.length} of ${record.variants.length} variants: ${broken.join('; ')}.`;
}

function sentenceOf(
  name: string,
  error: string | null,
  trials: readonly FigureTrial[],
  definitions: readonly FigureDefinition[],
): string {
  if (error !== null) return `${name} could not be tried: ${error}`;
  const parts = definitions.flatMap((definition) => {
    const value = typicalOf(trials, definition);
    if (definition.words === undefined || value === null) return [];
    return definition.words.replace('{}', figureText(definition, value));
  });
  return parts.length === 0 ? `${name}: no figures.` : `${name}: ${parts.join(', ')}.`;
}

function worstOf(trials: readonly FigureTrial[]): string | null {
  if (trials.length === 0) return null;
  return trials.find(({ outcome }) => outcome !== 'pass')?.outcome ?? 'pass';
}
