/** What a capacity search answers, in sentences. The first two are the answer, the others are notes. Pure. */
import { type CapacityFinding, capacityFindings } from '../../analysis/finding.ts';
import type { LoadRun, TrialRecord } from '../../records/schema.ts';
import {
  boxOf,
  capacityText,
  claimCell,
  claimOf,
  claimPhrase,
  effortText,
  intervalText,
  safeLoadCell,
} from '../../report/claims.ts';
import { formatNumber, roundFigures } from '../../report/format.ts';
import { type Family, familiesOf, type Parameter } from '../../report/parameter.ts';
import { scalingSentences } from './scaling.ts';

/** Two sentences, and one for each thing worth saying. */
export function capacityAnswer(run: LoadRun): string[] {
  const { unit } = run.record.varied;
  const all = capacityFindings(run);
  const findings = all.filter(({ threshold }) => threshold !== null);
  if (findings.length === 0)
    return ['No variant held the limits at any load that was tried.', ...all.map(boundSentence)];
  const series = familiesOf(all);
  const sentences =
    series === null
      ? ladderSentences(findings, unit)
      : familySentences(series.parameter, series.families, unit);
  const across = series === null ? [] : familyNotes(series.parameter, series.families);
  const likeness = series === null ? likenessNotes(findings) : [];
  const notes = [
    ...scalingSentences(run),
    ...across,
    ...likeness,
    ...all.map(boundSentence),
    ...all.flatMap(metastableNotes),
  ];
  return [...sentences, ...notes];
}

/**
 * The best variant against the first in the same box: the first of those that cannot be told apart from it,
 * because a later one brings nothing there. Then the largest step between neighbours, which differ in one
 * thing; or the best in a larger box.
 */
function ladderSentences(findings: readonly CapacityFinding[], unit: string): string[] {
  const first = findings[0]!;
  const alike = findings.filter((finding) => boxOf(finding) === boxOf(first));
  const byLoad = findings.toSorted((a, b) => heldBy(b) - heldBy(a));
  const top = byLoad.find((finding) => alike.includes(finding))!;
  const best = alike.find((finding) => finding === top || claimOf(finding, top).kind === 'same')!;
  const ratio = best === first ? '' : comparison(best, first);
  const [highest] = byLoad as [CapacityFinding];
  if (!alike.includes(highest))
    return [`${holds(best, unit)}${ratio}.`, `${holds(highest, unit)}${comparison(highest, best)}.`];
  const step = stepSentence(alike);
  if (step !== null && alike.length > 2) return [`${holds(best, unit)}${ratio}.`, step];
  const safe = safeLoadCell(best);
  const second =
    safe === null
      ? `No trial of ${best.variant.name} failed because of the server, so that it may hold more.`
      : `Nine of ten of its trials hold ${safe} ${unit}.`;
  return [`${holds(best, unit)}${ratio}.`, second];
}

/** The step between neighbours with the highest factor; null where no step can be told from none. */
function stepSentence(findings: readonly CapacityFinding[]): string | null {
  const steps = findings.slice(1).flatMap((to, index) => {
    const claim = claimOf(to, findings[index]!);
    const times = claim.kind === 'ratio' ? claim.ratio.middle : claim.kind === 'at least' ? claim.times : 0;
    return times > 1 ? { from: findings[index]!, to, claim, times } : [];
  });
  const [largest] = steps.toSorted((a, b) => b.times - a.times);
  if (largest === undefined) return null;
  const { from, to, claim } = largest;
  return `The largest step is the one from ${from.variant.name} to ${to.variant.name}: ${claimPhrase(claim)}.`;
}

/** From one end of the parameter to the other, for the last of the longest families and for the first. */
function familySentences(parameter: Parameter, families: readonly Family[], unit: string): string[] {
  const series = families
    .map((family) => ({
      ...family,
      points: family.points.filter(({ finding }) => finding.threshold !== null),
    }))
    .filter(({ points }) => points.length > 1);
  const longest = Math.max(...series.map(({ points }) => points.length));
  const whole = series.filter(({ points }) => points.length === longest);
  const told = [...new Set([whole.at(-1), whole[0]])].filter((family) => family !== undefined);
  const sentences = told.map(({ name, points }) => {
    const [from, to] = [points[0]!, points.at(-1)!];
    const [peak] = points.toSorted((a, b) => heldBy(b.finding) - heldBy(a.finding)) as [
      (typeof points)[number],
    ];
    const isMost = [from, to].every((end) => isAbove(peak.finding, end.finding));
    const most = isMost ? `; the most is ${plain(peak.finding)} with ${parameter.text(peak.value)}` : '';
    const change = `${claimPhrase(claimOf(to.finding, from.finding))}${boxes(to.finding, from.finding)}`;
    return `${name}: ${plain(from.finding)} ${unit} with ${parameter.text(from.value)}, ${plain(to.finding)} with ${parameter.text(to.value)}: ${change}${most}.`;
  });
  return sentences.length > 1
    ? sentences
    : [...sentences, ...controlSentence(parameter, families, series[0]!)];
}

/** The only series of values against the first other variant that has one of its values. */
function controlSentence(
  parameter: Parameter,
  families: readonly Family[],
  { name, points }: Family,
): string[] {
  const controls = families.filter((family) => family.points.length === 1).map((family) => family.points[0]!);
  const [pair] = controls.flatMap((control) => {
    const point = points.find(({ value }) => value === control.value);
    return point === undefined || control.finding.threshold === null ? [] : { control, point };
  });
  if (pair === undefined) return [];
  const { control, point } = pair;
  const { variant } = control.finding;
  const change = `${claimPhrase(claimOf(point.finding, control.finding))}${boxes(point.finding, control.finding)}`;
  return [`${name} with ${parameter.text(point.value)} against ${variant.name}: ${change}.`];
}

/** The last family against the first, value by value, where both have it and their boxes are equal. */
function familyNotes(parameter: Parameter, families: readonly Family[]): string[] {
  const [first, last] = [families[0]!, families.at(-1)!];
  if (first.points.length < 2 || first === last) return [];
  const ratios = last.points.flatMap(({ value, finding }) => {
    const other = first.points.find((point) => point.value === value)?.finding;
    if (other === undefined || boxOf(other) !== boxOf(finding)) return [];
    return [`${claimCell(claimOf(finding, other))} with ${parameter.text(value)}`];
  });
  return ratios.length === 0
    ? []
    : [`How many times as many on ${last.name} as on ${first.name}: ${ratios.join('; ')}.`];
}

/** Whether the intervals allow to say that a holds more than b. */
function isAbove(a: CapacityFinding, b: CapacityFinding): boolean {
  const claim = claimOf(a, b);
  return claim.kind === 'at least' || (claim.kind === 'ratio' && claim.ratio.middle > 1);
}

/** `03-cursor holds 14,100 messages/s (90 % interval 10,800–17,800, 9 trials)`. */
function holds(finding: CapacityFinding, unit: string): string {
  const { variant, threshold, atLeast, trials } = finding;
  const interval = atLeast === null ? `90 % interval ${intervalText(threshold!.capacity)}, ` : '';
  return `${variant.name} holds ${inSentence(finding)} ${unit} (${interval}${effortText(trials)}${startsText(trials)})`;
}

/** `, 4 starts of the server`; empty where there was one. */
function startsText(trials: readonly TrialRecord[]): string {
  const starts = new Set(trials.map(({ serverStart }) => serverStart)).size;
  return starts > 1 ? `, ${starts} starts of the server` : '';
}

/** `at least 29,300`, `249 (212–422)`, or `an estimated 249 (212–422)`. */
function plain(finding: CapacityFinding): string {
  const { threshold, atLeast } = finding;
  return atLeast === null
    ? `${inSentence(finding)} (${intervalText(threshold!.capacity)})`
    : inSentence(finding);
}

function inSentence(finding: CapacityFinding): string {
  return capacityText(finding).replace('≥', 'at least').replace('~', 'an estimated');
}

function comparison(a: CapacityFinding, b: CapacityFinding): string {
  const claim = claimOf(a, b);
  const { name } = b.variant;
  const boxText = boxes(a, b);
  if (claim.kind === 'unknown')
    return `; ${name} holds ${inSentence(b)}, so that no ratio is known${boxText}`;
  if (claim.kind === 'same') return `, and cannot be told apart from ${name}${boxText}`;
  return `, ${claimPhrase(claim)} as ${name}${boxText}`.replace(/ fewer(.*?) as /, ' fewer$1 than ');
}

/** That two variants had not the same CPU; empty where they had. */
function boxes(a: CapacityFinding, b: CapacityFinding): string {
  const [boxA, boxB] = [boxOf(a), boxOf(b)];
  return boxA === boxB || boxA === null || boxB === null ? '' : `, with ${boxA} against ${boxB}`;
}

function heldBy({ threshold, atLeast }: CapacityFinding): number {
  return atLeast ?? threshold?.capacity.middle ?? 0;
}

/** Neighbours in capacity whose intervals overlap, in equal boxes. */
function likenessNotes(findings: readonly CapacityFinding[]): string[] {
  const byLoad = findings.toSorted((a, b) => heldBy(a) - heldBy(b));
  const pairs = byLoad.slice(1).flatMap((finding, index) => {
    const before = byLoad[index]!;
    const isAlike = boxOf(finding) === boxOf(before) && claimOf(finding, before).kind === 'same';
    return isAlike ? [`${before.variant.name} and ${finding.variant.name}`] : [];
  });
  return pairs.length === 0
    ? []
    : [`Cannot be told apart, because their intervals overlap: ${pairs.join('; ')}.`];
}

function metastableNotes({ variant }: CapacityFinding): string[] {
  return (variant.answer?.metastable ?? []).map(
    ({ load, seconds }) =>
      `${variant.name} did not recover within ${formatNumber(seconds)} s after ${formatNumber(load)}: its backlog was still there.`,
  );
}

function boundSentence({ variant, threshold }: CapacityFinding): string {
  const { name, error, bound } = variant;
  if (error !== null) return `${name} could not be tried: ${error}`;
  if (bound === null) return `${name} was not finished.`;
  const reached = threshold === null ? 'held the limits at no load, stopped' : 'is bound';
  return `${name} ${reached} by ${boundPhrase[bound.name] ?? bound.name}: ${roundFigures(bound.evidence)}.`;
}

/** A name that is not here is used as it is. */
const boundPhrase: Readonly<Record<string, string>> = {
  instrument: 'the simulator, not by the server',
  disturbance: 'other processes of the machine, not by the server',
  memory: 'memory',
  crash: 'a crash',
  'CPU quota': 'its CPU quota',
  'event loop': 'its event loop',
  machine: 'the machine’s cores',
  loss: 'lost deliveries',
  latency: 'latency, with no resource used up',
  nothing: 'nothing that was tried',
  'not known': 'something that is not known',
};
