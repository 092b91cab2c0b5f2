/** Acts a scenario out on a ground: the offence, the answers, the neighbours, and what stays. */
import type { Answer } from '#host/raw-peer.ts';
import { seededRandom } from '../../../../loadtest/model/schedule.ts';
import { p99MsMax, type Scenario, Scene } from './families/scenario.ts';
import { type Felt, faultsOfKept, type Ground } from './ground.ts';
import type { ScenarioTrial } from './record.ts';

/** How long a scenario may take in all; several times the longest. Chosen, not measured. */
const deadlineMs = 60_000;

/** The figures of one scenario and its reasons for not being a pass. */
export type Outcome = Pick<
  ScenarioTrial,
  | 'scenario'
  | 'offenders'
  | 'gets'
  | 'got'
  | 'neighbours'
  | 'kept'
  | 'memoryBytesMax'
  | 'crossedAfterMs'
  | 'seconds'
> &
  Pick<ScenarioTrial, 'outcome' | 'reasons'>;

export type ActOptions = {
  seed: number;
  /** The smaller numbers of offenders. */
  short?: boolean;
  /** The server is not ours: only the answers of standards are demanded. */
  foreign?: boolean;
  signal: AbortSignal;
};

/** In the short suite, whose machine runs other tests beside it. */
const shortOffenders = 10;
const shortP99MsMax = 5000;

/**
 * Acts out scenarios at the same time, commonly one. What the neighbours feel and what the server keeps is
 * then of all of them together. Never rejects for what the server does.
 */
export async function act(
  ground: Ground,
  scenarios: readonly Scenario[],
  options: ActOptions,
): Promise<Outcome[]> {
  const beganMs = performance.now();
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(deadlineMs)]);
  const before = await Promise.all(scenarios.map((scenario) => countOn(ground, scenario)));
  const scene = new Scene(ground.target, seededRandom(options.seed), signal);
  const offences = scenarios.map((scenario) => offend(scenario, scene, countOf(scenario, options)));
  const felt = await ground.talkUntil(Promise.all(offences)).catch((error: Error) => error);
  scene[Symbol.dispose]();
  options.signal.throwIfAborted();
  const crossedAfterMs = await ground.crossed();
  const kept = await ground.kept().catch((error: Error) => error);
  const died = await ground.target.fault();
  const seconds = Number(((performance.now() - beganMs) / 1000).toFixed(2));
  const common = [
    ...(died === null ? [] : [`the server ${died}`]),
    ...(felt instanceof Error ? [`the neighbours were not heard: ${felt.message}`] : []),
    ...(crossedAfterMs === null ? ['no message crossed within a second after it'] : []),
    ...(kept instanceof Error ? [`the server did not say what it keeps: ${kept.message}`] : []),
    ...(kept === null || kept instanceof Error ? [] : faultsOfKept(kept)),
  ];
  return Promise.all(
    scenarios.map(async (scenario, index) => {
      const got = tally(await offences[index]!);
      const bound = options.short ? shortP99MsMax : (scenario.p99MsMax ?? p99MsMax);
      const { neighbours: heard, memoryBytesMax, isDisturbed } = felt instanceof Error ? unheard : felt;
      const neighbours = { ...heard, p99MsMax: bound };
      const judged = scenario.isStandard || !options.foreign;
      const wrong = judged ? wrongAnswers(scenario, got) : [];
      const slow = slowness(neighbours);
      const reasons = [
        ...common,
        ...wrong,
        ...harms(neighbours),
        ...(isDisturbed ? [] : slow),
        ...(judged ? without(scenario, got) : []),
        ...(died === null ? await uncounted(ground, scenario, before[index], options) : []),
      ];
      const isBlind = reasons.length === 0 && isDisturbed && slow.length > 0;
      return {
        scenario: scenario.name,
        offenders: countOf(scenario, options),
        gets: judged ? scenario.gets.map(String) : [],
        got,
        neighbours,
        kept: kept instanceof Error ? null : kept,
        memoryBytesMax,
        crossedAfterMs,
        seconds,
        outcome: reasons.length > 0 ? 'fail' : isBlind ? 'void' : 'pass',
        reasons: isBlind ? [`the simulator itself was late, and ${slow.join('')}`] : reasons,
      };
    }),
  );
}

function countOf({ offenders, short }: Scenario, options: ActOptions): number {
  return options.short ? (short ?? Math.min(offenders, shortOffenders)) : offenders;
}

/** The answers of all offenders; one that found no way in got what its error says. */
function offend(scenario: Scenario, scene: Scene, count: number): Promise<(Answer | string)[]> {
  return Promise.all(
    Array.from({ length: count }, (_, offender) =>
      scenario.offend(scene, offender).catch((error: Error) => error.message.replace(/^ws:\S+ /, '')),
    ),
  );
}

function tally(answers: readonly (Answer | string)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

function wrongAnswers({ gets }: Scenario, got: Readonly<Record<string, number>>): string[] {
  return Object.entries(got)
    .filter(([answer]) => !gets.map(String).includes(answer))
    .map(([answer, count]) => `${count} offenders got ${answer}; required: ${gets.join(' or ')}`);
}

/** The offence had no effect on anybody. */
function without({ someGet = [] }: Scenario, got: Readonly<Record<string, number>>): string[] {
  return someGet.filter((answer) => !(answer in got)).map((answer) => `no offender got ${answer}`);
}

const nothingHeard = {
  sent: 0,
  lost: 0,
  duplicated: 0,
  reordered: 0,
  misrouted: 0,
  corrupted: 0,
  closed: 0,
  closes: {},
};
const unheard: Felt = {
  neighbours: { ...nothingHeard, p99Ms: null },
  memoryBytesMax: null,
  isDisturbed: false,
};

function harms({ p99Ms: _, p99MsMax: __, sent, closes, ...counts }: ScenarioTrial['neighbours']): string[] {
  const faults = Object.entries(counts).filter(([, count]) => count > 0);
  const harmed = faults.map(([fault, count]) => {
    const codes = fault === 'closed' ? ` (${Object.keys(closes).join(', ')})` : '';
    return `${count} of the neighbours' were ${fault}${codes}; the limit is 0`;
  });
  return sent === 0 ? [...harmed, 'the neighbours could not send anything'] : harmed;
}

function slowness({ p99Ms, p99MsMax: bound }: ScenarioTrial['neighbours']): string[] {
  if (p99Ms === null || bound === null || p99Ms <= bound) return [];
  return [`the neighbours' p99 was ${Math.round(p99Ms)} ms; the bound is ${bound} ms`];
}

/** The sum of its counters; null where it has none, or they are not known. */
async function countOn(ground: Ground, { counter = [] }: Scenario): Promise<number | null> {
  const values = await Promise.all([counter].flat().map((name) => ground.metric(name)));
  return values.length === 0 || values.includes(null) ? null : values.reduce((sum, one) => sum! + one!, 0);
}

async function uncounted(
  ground: Ground,
  scenario: Scenario,
  before: number | null | undefined,
  options: ActOptions,
): Promise<string[]> {
  const { counter, countedPerOffender } = scenario;
  if (typeof before !== 'number') return [];
  const now = (await countOn(ground, scenario).catch(() => null)) ?? before;
  // On a machine that runs other tests beside it, an offender comes and goes more slowly.
  const each = options.short ? 1 : countedPerOffender;
  const least = countedPerOffender === undefined ? 1 : each! * countOf(scenario, options);
  return now - before >= least
    ? []
    : [`${[counter].flat().join(' or ')} has grown by ${now - before}; required: ${least}`];
}
