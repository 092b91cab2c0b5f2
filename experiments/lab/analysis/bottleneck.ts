/**
 * Names the resource that bounds a variant. A resource that is as busy in trials that pass as in trials that
 * fail says nothing, so it is named only by contrast: near the capacity, failed trials are near its end, and
 * use more of it than passed trials do. Pure.
 */
import { parseLimit } from '../../../loadtest/result/limits.ts';
import type { Bound, CapacityAnswer, TrialRecord } from '../records/schema.ts';
import { type Resource, resources } from './resources.ts';
import { medianOf } from './statistics.ts';

// Chosen, not measured: far enough to find several of each, and near enough to be of one state of the server.
const nearFactor = 1.5;
const nearMax = 8;
/** Of the pairs of a failed and a passed trial, those in which the failed one uses more. */
const separatedShare = 0.8;
/** Of each kind: one trial of a kind is an anecdote. */
const trialsMin = 2;

/** The bound of a variant: by its trials near the capacity, or by the instrument that failed. */
export function boundOf({ end, threshold }: CapacityAnswer, trials: readonly TrialRecord[]): Bound {
  const near = nearCapacity(trials, threshold?.capacity.middle ?? 1);
  const [nearestVoid] = near('void');
  if (end === 'instrument' && nearestVoid !== undefined)
    return { name: 'instrument', evidence: nearestVoid.reasons.join('; ') };
  const failed = near('fail');
  const [nearest] = failed;
  if (nearest === undefined) {
    const highest = Math.max(...trials.map(({ load }) => load));
    return { name: 'nothing', evidence: `the highest load tried, ${highest}, passed` };
  }
  const { fault, faultKind } = nearest;
  const evidenceOf = (cause: string) => [cause, ...nearest.reasons].filter((text) => text !== '').join('; ');
  if (fault !== null)
    return { name: faultKind === 'memory' ? 'memory' : 'crash', evidence: evidenceOf(fault) };
  const passed = near('pass');
  const contrasts = resources.flatMap((resource) => contrastOf(resource, failed, passed));
  const found = contrasts.find(({ verdict }) => verdict === 'named');
  if (found === undefined)
    return {
      name: symptomOf(nearest),
      evidence: evidenceOf(ruledOut(contrasts, failed.length, passed.length)),
    };
  const { name, label, shares, more } = found;
  const counts = `${failed.length} failed and ${passed.length} passed trials near the capacity`;
  const contrast = `${label} ${shares} (${counts}; a failed one used more in ${percent(more)} of the pairs)`;
  return { name, evidence: evidenceOf(contrast) };
}

/** Trials of an outcome near the capacity, the nearest first; at least one where there is one at all. */
function nearCapacity(trials: readonly TrialRecord[], capacity: number) {
  const distance = ({ load }: TrialRecord) => Math.abs(Math.log(load / capacity));
  return (outcome: TrialRecord['outcome']) => {
    const sorted = trials
      .filter((trial) => trial.outcome === outcome)
      .toSorted((one, other) => distance(one) - distance(other));
    const farthest = Math.max(Math.log(nearFactor), ...sorted.slice(0, 1).map(distance));
    return sorted.filter((trial) => distance(trial) <= farthest).slice(0, nearMax);
  };
}

type Contrast = {
  name: Resource['name'];
  label: string;
  /** `alike`: near its end in trials that passed too. `hint`: the trials are too few to name it. */
  verdict: 'named' | 'hint' | 'alike' | 'not near its end';
  /** Medians, of the failed trials first. */
  shares: string;
  /** Share of the pairs in which the failed trial used more. */
  more: number;
};

/** None where no failed trial tells how much of the resource it used. */
function contrastOf(
  { name, label, nearEnd, use }: Resource,
  failed: readonly TrialRecord[],
  passed: readonly TrialRecord[],
): Contrast[] {
  const usesOf = (trials: readonly TrialRecord[]) => trials.flatMap((trial) => use(trial) ?? []);
  const [uses, passedUses] = [usesOf(failed), usesOf(passed)];
  if (uses.length === 0) return [];
  const against = passedUses.length === 0 ? '' : ` against ${percent(medianOf(passedUses))}`;
  const more = separation(uses, passedUses);
  const areEnough = Math.min(uses.length, passedUses.length) >= trialsMin;
  let verdict: Contrast['verdict'] = areEnough ? 'named' : 'hint';
  if (more < separatedShare) verdict = 'alike';
  if (medianOf(uses) < nearEnd) verdict = 'not near its end';
  return [{ name, label, verdict, shares: percent(medianOf(uses)) + against, more }];
}

/** What was looked at, where nothing could be named. */
function ruledOut(contrasts: readonly Contrast[], failed: number, passed: number): string {
  const listed = (verdict: Contrast['verdict'], about: string) => {
    const found = contrasts.filter((contrast) => contrast.verdict === verdict);
    const list = found.map(({ label, shares }) => `${label} ${shares}`).join(', ');
    return found.length === 0 ? [] : [`${about}: ${list}`];
  };
  const lists = [
    ...listed('hint', 'only a hint, because the trials are too few'),
    ...listed('alike', 'near its end in trials that passed too'),
    ...listed('not near its end', 'not near its end'),
  ];
  return [`${failed} failed against ${passed} passed trials near the capacity`, ...lists].join('; ');
}

/**
 * Probability that a failed trial uses more than a passed one (Mann and Whitney’s U ÷ pairs); a tie counts
 * half. 1 where none passed.
 */
function separation(failed: readonly number[], passed: readonly number[]): number {
  if (passed.length === 0) return 1;
  const wins = failed.flatMap((use) => passed.map((other) => (use > other ? 1 : use === other ? 0.5 : 0)));
  return wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
}

/** What a trial shows that failed for no known reason. */
function symptomOf({ loadtest }: TrialRecord): Bound['name'] {
  if (loadtest === null) return 'not known';
  if (Object.values(loadtest.connections.refused).some((count) => count > 0)) return 'refused connections';
  if (loadtest.audit.lost > 0) return 'loss';
  const broken = loadtest.limits.find(({ held }) => !held);
  if (broken === undefined) return 'not known';
  const isOfTime = /^(service\.|growth|p\d+|max|mean)/.test(parseLimit(broken.expression).metric);
  return isOfTime ? 'not known' : 'another limit';
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
