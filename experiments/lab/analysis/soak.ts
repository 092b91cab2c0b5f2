/** Whether a server is the same after a long time: slopes of its figures, tips, and a verdict. Pure. */
import type { LoadEstimate, LoadRun, TrialRecord, VariantRecord } from '../records/schema.ts';
import type { SoakSeries } from '../records/soak-schema.ts';
import { medianOf } from './statistics.ts';
import { rateOf, slopeOf } from './trend.ts';

export type SoakFigure = 'heapBytes' | 'rssBytes' | 'openFiles' | 'latencyMsP50' | 'latencyMsP99';

/** How a figure changed. */
export type Growth = {
  figure: SoakFigure;
  /** In the unit of the figure, with its 90 % interval. */
  perHour: LoadEstimate;
  /** Median of its windows. */
  level: number;
  verdict: 'flat' | 'grows' | 'falls';
};

export type SoakFinding = {
  variant: VariantRecord;
  trial: TrialRecord;
  soak: SoakSeries;
  /** Null for a figure that was not observed, or not in enough windows. */
  growths: Readonly<Record<SoakFigure, Growth | null>>;
  tipsPerHour: LoadEstimate;
  /** `void`: the instrument failed. `tips` comes before `grows`, because it breaks the limit. */
  verdict: 'flat' | 'grows' | 'tips' | 'void';
};

const soakFigures = ['heapBytes', 'rssBytes', 'openFiles', 'latencyMsP50', 'latencyMsP99'] as const;
/** At the start a heap grows to its usual size and code is compiled. Chosen, not measured. */
export const settlingShare = 0.25;
/** Of the level in an hour; less is no finding, however sure it is. Chosen, not measured. */
export const negligibleShare = 0.01;
const z90 = 1.645;
/** Five figures are judged: each at 98 %, so that a flat server seems to grow in one of twenty trials. */
const z98 = 2.326;

/** One for each long trial that has windows, in the order they ran. */
export function soakFindings(run: LoadRun): SoakFinding[] {
  return run.trials.flatMap((trial) => {
    const { soak } = trial;
    const variant = run.record.variants.find(({ name }) => name === trial.variant);
    if (soak === undefined || variant === undefined) return [];
    const growths = Object.fromEntries(
      soakFigures.map((figure) => [figure, growthOf(soak, figure)]),
    ) as SoakFinding['growths'];
    const hours = (soak.atSeconds.length * soak.windowSeconds) / 3600;
    const grows = Object.values(growths).some((growth) => growth?.verdict === 'grows');
    return {
      ...{ variant, trial, soak, growths },
      tipsPerHour:
        hours === 0 ? { low: 0, middle: 0, high: Number.POSITIVE_INFINITY } : rateOf(soak.tipCount, hours),
      verdict: trial.outcome === 'void' ? 'void' : soak.tipCount > 0 ? 'tips' : grows ? 'grows' : 'flat',
    };
  });
}

function growthOf(soak: SoakSeries, figure: SoakFigure): Growth | null {
  const settled = settlingShare * soak.atSeconds.length * soak.windowSeconds;
  const points = soak.atSeconds.flatMap((at, index) => {
    const value = soak[figure][index]!;
    return at < settled || value === null ? [] : [{ hours: at / 3600, value }];
  });
  const [hours, values] = [points.map((point) => point.hours), points.map(({ value }) => value)];
  const perHour = slopeOf(hours, values, z90);
  const sure = slopeOf(hours, values, z98);
  if (perHour === null || sure === null) return null;
  const level = medianOf(values);
  const isMuch = Math.abs(perHour.middle) > negligibleShare * level;
  const verdict = isMuch && sure.low > 0 ? 'grows' : isMuch && sure.high < 0 ? 'falls' : 'flat';
  return { figure, perHour, level, verdict };
}
