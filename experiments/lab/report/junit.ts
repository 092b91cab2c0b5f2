/** A run and a comparison as test cases, for JUnit XML. Pure. */
import { outstandingMs } from '../../../loadtest/record/histogram.ts';
import type { JunitCase } from '../../../loadtest/result/junit-xml.ts';
import { capacityFindings, fixedFindings } from '../analysis/finding.ts';
import type { Judgement } from '../analysis/judge.ts';
import type { LoadRun, Run, TrialHeader, TrialRecord } from '../records/schema.ts';
import { figureText, ratioText, verdictText } from './comparison.ts';
import { formatNumber } from './format.ts';

/** A case for each variant and limit; at fixed loads, for each load too. */
export function casesOfRun(run: Run): JunitCase[] {
  const { experiment, variants, skipped } = run.record;
  const classOf = (variant: string) => `${experiment}.${variant}`;
  const notRun = [
    ...skipped.map(({ name, reason }) => ({ name, message: reason, outcome: 'skipped' as const })),
    ...variants.flatMap(({ name, error }) =>
      error === null ? [] : { name, message: error, outcome: 'error' as const },
    ),
  ].map(({ name, ...rest }) => ({ classname: classOf(name), name: 'is measured', ...rest }));
  const ran = variants.filter(({ error }) => error === null).map(({ name }) => name);
  return [
    ...notRun,
    ...groupsOf(run)
      .filter(({ variant }) => ran.includes(variant))
      .flatMap(({ variant, about, trials }) =>
        casesOfTrials(trials, run.record.limits, about).map((one) => ({
          classname: classOf(variant),
          ...one,
        })),
      ),
  ];
}

/** A case for each row that decides; only `worse` fails. */
export function casesOfComparison(experiment: string, rows: readonly Judgement[]): JunitCase[] {
  return rows
    .filter(({ decides }) => decides)
    .map((row) => ({
      classname: `${experiment}.${row.variant}`,
      name: `${row.metric} against the baseline`,
      outcome: row.verdict === 'worse' ? 'failed' : row.isVoid ? 'error' : 'passed',
      message: [
        `${verdictText(row)}: ${figureText(row, 'a') ?? 'none'} → ${figureText(row, 'b') ?? 'none'}`,
        ...(row.ratio === null ? [] : [`b ÷ a ${formatNumber(row.ratio.middle)} (${ratioText(row)})`]),
      ].join(', '),
    }));
}

type Group = { variant: string; about: string; trials: readonly TrialHeader[] };

/** The trials that are judged together: those of a capacity search stand for its answer. */
function groupsOf(run: Run): Group[] {
  const { shape, variants } = run.record;
  if (shape === 'capacity')
    return capacityFindings(run as LoadRun).map(({ variant: { name }, typical }) => {
      const tried = run.trials.filter(({ variant }) => variant === name) as TrialRecord[];
      const lowest = tried.toSorted((one, other) => one.load - other.load).slice(0, 1);
      return { variant: name, about: '', trials: typical === null ? lowest : [typical] };
    });
  if (shape === 'fixed-load')
    return fixedFindings(run as LoadRun).map(({ variant, load, trials }) => {
      return { variant: variant.name, about: ` at ${formatNumber(load)}`, trials };
    });
  return variants.map(({ name }) => {
    return { variant: name, about: '', trials: run.trials.filter(({ variant }) => variant === name) };
  });
}

/** A case for each limit, and one for what no limit explains. */
function casesOfTrials(
  trials: readonly TrialHeader[],
  limits: readonly string[],
  about: string,
): Omit<JunitCase, 'classname'>[] {
  const judged = trials.filter(({ outcome }) => outcome === 'pass' || outcome === 'fail');
  if (judged.length === 0)
    return [{ name: `is measured${about}`, outcome: 'error', message: reasonsOf(trials) || 'no trial' }];
  const broken = (trial: TrialHeader) => limitsOf(trial).filter(({ held }) => !held);
  const unexplained = judged.filter((trial) => trial.outcome === 'fail' && broken(trial).length === 0);
  const ofLimits = limits.map((limit) => {
    const seen = judged.flatMap((trial) => limitsOf(trial).filter(({ expression }) => expression === limit));
    const isBroken = seen.some(({ held }) => !held);
    const message = `observed ${seen.map(({ observed }) => observedText(observed)).join(', ') || 'nothing'}`;
    return {
      name: `${limit}${about}`,
      outcome: isBroken ? ('failed' as const) : ('passed' as const),
      message,
    };
  });
  if (unexplained.length === 0) return ofLimits;
  return [...ofLimits, { name: `holds${about}`, outcome: 'failed', message: reasonsOf(unexplained) }];
}

function limitsOf(trial: TrialHeader) {
  return (trial as Partial<TrialRecord>).loadtest?.limits ?? [];
}

function reasonsOf(trials: readonly TrialHeader[]): string {
  return trials.flatMap(({ reasons }) => reasons).join('; ');
}

function observedText(observed: number): string {
  return observed >= outstandingMs ? '∞' : formatNumber(observed);
}
