/** Limits such as `p99<250ms` or `lost=0`: the conditions of a pass. */
import { rateWithUnit, time, type Unit } from '#host/units.ts';
import { formatMs, type LatencySummary, outstandingMs } from '../record/histogram.ts';
import type { LoadtestResult } from './schema.ts';

/** A limit. Bounds of times are in milliseconds, of rates per second. */
export type Limit = { expression: string; metric: string; operator: Operator; bound: number };
type Operator = '<' | '<=' | '=' | '>=' | '>';
/** The part of a result that limits are checked against. */
export type Observed = Omit<LoadtestResult, 'verdict' | 'reasons' | 'limits'>;

/** Of the delivery latency; with the name of another one and a dot before them, of that. */
const latencies: Readonly<Record<string, Exclude<keyof LatencySummary, 'count'>>> = {
  ...{ mean: 'mean', p50: 'p50', p90: 'p90', p95: 'p95', p99: 'p99', 'p99.9': 'p999', 'p99.99': 'p9999' },
  max: 'max',
};
/** By what stands before the dot. The last four are of people. */
const summaries: Readonly<Record<string, (seen: Observed) => LatencySummary | undefined>> = {
  '': (seen) => seen.deliveryLatencyMs,
  service: (seen) => seen.serviceLatencyMs,
  lag: (seen) => seen.scheduleLagMs,
  ack: (seen) => seen.direct?.ackMs,
  login: (seen) => seen.direct?.loginMs,
  collected: (seen) => seen.direct?.collectedMs,
  caughtup: (seen) => seen.direct?.caughtUpMs,
};
const rates: Readonly<Record<string, (seen: Observed) => number>> = {
  deliveries: (seen) => seen.deliveriesPerSecond,
  achieved: (seen) => seen.achievedPerSecond,
};
type Counter = { words: string; of: (seen: Observed) => number };
/** Of steps whose users come back. */
const returnCounters: Record<string, Counter> = {
  missed: { words: 'deliveries are in gaps that users were told of', of: (seen) => seen.resume?.missed ?? 0 },
  gaps: { words: 'returns left a gap', of: (seen) => seen.resume?.gaps ?? 0 },
  misannounced: {
    words: 'frames "joined" contradicted what was asked for',
    of: (seen) => seen.resume?.misannounced ?? 0,
  },
  away: {
    words: 'users had not come back at the end',
    of: (seen) => seen.resume?.away ?? seen.direct?.notBack ?? 0,
  },
};
const chatCounters: Record<string, Counter> = {
  lost: { words: 'deliveries were outstanding when the drain ended', of: (seen) => seen.audit.lost },
  duplicated: { words: 'deliveries came more than once', of: (seen) => seen.audit.duplicated },
  reordered: {
    words: 'deliveries came after a later one (of the same sender; with --order one-for-all, of the room)',
    of: (seen) => seen.audit.reordered,
  },
  misrouted: {
    words: 'deliveries belonged to another room or another run',
    of: (seen) => seen.audit.misrouted,
  },
  corrupted: { words: 'deliveries were not what had been sent', of: (seen) => seen.audit.corrupted },
  refused: { words: 'connections were refused', of: (seen) => sum(seen.connections.refused) },
  closed: {
    words: 'connections were closed before the end',
    of: (seen) => sum(seen.connections.closedEarly),
  },
  silent: { words: 'connected clients heard nothing in the probe', of: (seen) => seen.connections.silent },
  blocked: {
    words: 'messages could not leave: the target did not read them',
    of: (seen) => seen.unsent.blocked,
  },
};
/** Of people with accounts; those before `busy` are 0 where a server keeps its promises. */
const directCounters: Record<string, Counter> = {
  unknown: {
    words: 'messages were answered "unknown", and their recipients have accounts',
    of: (seen) => seen.direct?.unknown ?? 0,
  },
  unanswered: { words: 'messages were not answered', of: (seen) => seen.direct?.unanswered ?? 0 },
  expired: {
    words: 'times messages were gone before a device had come for them',
    of: (seen) => seen.direct?.expired ?? 0,
  },
  wentback: { words: 'receipts went back', of: (seen) => seen.direct?.wentBack ?? 0 },
  untold: {
    words: 'people were not told that all they had written to somebody was received',
    of: (seen) => seen.direct?.untold ?? 0,
  },
  'failed-logins': {
    words: 'logins failed, with the right password or a token of the server',
    of: (seen) => seen.direct?.logins.failed ?? 0,
  },
  busy: { words: 'messages were answered "busy"', of: (seen) => seen.direct?.busy ?? 0 },
  full: { words: 'messages were answered "full"', of: (seen) => seen.direct?.full ?? 0 },
  'busy-logins': { words: 'logins were answered "busy"', of: (seen) => seen.direct?.logins.busy ?? 0 },
};
const counters: Record<string, Counter> = { ...chatCounters, ...returnCounters, ...directCounters };
const returnTimes: Record<string, (seen: Observed) => number> = {
  'connected-p99': (seen) => seen.resume?.connectedMs.p99 ?? 0,
  'caught-up-p99': (seen) => seen.resume?.caughtUpMs.p99 ?? 0,
  'stayed-p99': (seen) => seen.resume?.storm?.stayedLatencyMs.p99 ?? 0,
};
/** Metrics that only a step with `--resume` has. */
export const returnMetrics: readonly string[] = [...Object.keys(returnCounters), ...Object.keys(returnTimes)];
/** The defaults: a chat delivers everything, once, in order, intact, and keeps up. */
const defaultExpressions = [
  ...Object.keys(chatCounters).map((metric) => `${metric}=0`),
  // A target that does not keep up: 50 ms in 4 s are 2 % of the load. Chosen, not measured.
  'growth<50ms',
];
/** And who comes back misses nothing. A gap is no error of the audit, but it is one of the chat. */
const returnExpressions = ['missed=0', 'misannounced=0'];

/** And what people were told is so. */
const directExpressions = ['unknown', 'unanswered', 'expired', 'wentback', 'untold', 'failed-logins'].map(
  (metric) => `${metric}=0`,
);

/** Every metric that a limit may name, for the help text. */
export const limitMetrics: readonly string[] = [
  ...Object.keys(latencies),
  ...['service.p99', 'lag.p99', 'ack.p99', 'login.p99', 'collected.p99', 'caughtup.p99', 'growth'],
  ...Object.keys(rates),
  ...Object.keys(counters),
  ...Object.keys(returnTimes),
];

/** Reads one limit. Throws a sentence with the syntax and the metrics if it is none. */
export function parseLimit(expression: string): Limit {
  const match = /^\s*([a-z.0-9-]+)\s*(<=|>=|<|>|=)\s*(\d\S*)\s*$/.exec(expression);
  const [, given = '', operator = '', value = ''] = match ?? [];
  // The name of before for p99.9.
  const metric = given.replace(/\bp999$/, 'p99.9');
  if (!match || !isMetric(metric))
    throw new Error(
      `a limit is <metric><operator><value>, such as p99<250ms, lost=0 or achieved>99/s; metrics: ${limitMetrics.join(' ')}; given: ${expression}`,
    );
  const unit = unitOf(metric);
  const bound = unit === undefined ? countOf(value) : unit.parse(value);
  const required = unit === undefined ? 'a count and has no unit' : `${unit.noun} ${unit.example}`;
  if (bound === undefined) throw new Error(`${metric} is ${required}; given: ${expression}`);
  return { expression: expression.trim(), metric, operator: operator as Operator, bound };
}

/**
 * The given limits, and the defaults for the metrics that they do not name; `resume`: its users come back;
 * `people`: so many have accounts.
 */
export function withDefaults(given: readonly Limit[], { resume = false, people = 0 } = {}): Limit[] {
  const named = new Set(given.map((limit) => limit.metric));
  const more = people > 0 ? directExpressions : resume ? returnExpressions : [];
  const defaults = [...defaultExpressions, ...more].map(parseLimit);
  return [...given, ...defaults.filter((limit) => !named.has(limit.metric))];
}

/** The upper bound of a metric, latencies in ms; undefined where no limit has one. */
export function upperBoundOf(metric: string, limits: readonly Limit[]): number | undefined {
  return limits.find((limit) => limit.metric === metric && limit.operator.startsWith('<'))?.bound;
}

/**
 * For each limit: the observed value, whether it held, and a sentence if it did not. `couldHold` says whether
 * a latency of the target would have held its limit with `doubtMs` taken off.
 */
export function checkLimits(limits: readonly Limit[], seen: Observed, doubtMs = 0) {
  return limits.map((limit) => {
    const observed = observedOf(limit.metric, seen);
    const held = holds(observed, limit.operator, limit.bound);
    return {
      expression: limit.expression,
      observed,
      held,
      couldHold: held || (isOfTarget(limit.metric) && holds(observed - doubtMs, limit.operator, limit.bound)),
      reason: held ? '' : reasonOf(limit, observed, seen),
    };
  });
}

function reasonOf(limit: Limit, observed: number, seen: Observed): string {
  const counter = counters[limit.metric];
  const others = limit.metric === 'misrouted' ? seen.misroutedOfOtherRuns : 0;
  const notBack = limit.metric === 'lost' ? (seen.direct?.notBack ?? 0) : 0;
  const detail =
    others > 0
      ? ` (${others} of them to another run, in the same room)`
      : notBack > 0
        ? ` (${notBack} devices had not come back)`
        : '';
  if (counter) return `${observed} ${counter.words}${detail}; the limit is ${limit.expression}`;
  if (isOfPeople(limit.metric) && observed >= outstandingMs)
    return `${limit.metric} was infinite: some had not ended when the step did; the limit is ${limit.expression}`;
  if (latencyOf(limit.metric) && observed >= outstandingMs)
    return `${limit.metric} was infinite, because ${seen.audit.lost} deliveries were outstanding when the drain ended; the limit is ${limit.expression}`;
  if (limit.metric === 'growth')
    return `the backlog grew by ${formatMs(observed)} of load through the measure phase; the limit is ${limit.expression}`;
  if (returnTimes[limit.metric] && observed >= outstandingMs)
    return `${limit.metric} was infinite: users were not so far when the step ended; the limit is ${limit.expression}`;
  return `${limit.metric} was ${observedText(limit.expression, observed)}; the limit is ${limit.expression}`;
}

function observedOf(metric: string, seen: Observed): number {
  const own = counters[metric]?.of ?? returnTimes[metric] ?? rates[metric];
  if (own) return own(seen);
  if (metric === 'growth') return seen.backlogGrowthMs ?? 0;
  const [of, percentile] = latencyOf(metric)!;
  return summaries[of]!(seen)?.[percentile] ?? Number.NaN;
}

/** What stands before the dot, and the field of its summary; undefined for another metric. */
function latencyOf(metric: string) {
  const [, of = '', name = ''] = /^(?:([a-z]+)\.)?(.+)$/.exec(metric) ?? [];
  const isKnown = Object.hasOwn(latencies, name) && Object.hasOwn(summaries, of);
  return isKnown ? ([of, latencies[name]!] as const) : undefined;
}

/** Whether only a step with `--people` has this metric. */
export function isOfPeople(metric: string): boolean {
  return Object.hasOwn(directCounters, metric) || /^(ack|login|collected|caughtup)\./.test(metric);
}

function isMetric(metric: string): boolean {
  return Object.hasOwn(counters, metric) || unitOf(metric) !== undefined;
}

/** Undefined for a count. */
function unitOf(metric: string): Unit | undefined {
  if (Object.hasOwn(rates, metric)) return rateWithUnit;
  const isTime = metric === 'growth' || Object.hasOwn(returnTimes, metric) || latencyOf(metric);
  return isTime ? time : undefined;
}

function countOf(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** What was observed of a limit, with its unit: `282 ms`, `495/s`, `3`. */
export function observedText(expression: string, observed: number): string {
  const unit = unitOf(/^[a-z.0-9-]+/.exec(expression)?.[0].replace(/\bp999$/, 'p99.9') ?? '');
  if (unit === time) {
    // Rounded to three digits, 250.3 ms would look as if it had held p99<=250ms.
    const bound = time.parse(/[\d.]+[a-z]+\s*$/.exec(expression)?.[0].trim() ?? '') ?? 0;
    const isNear = Math.abs(observed - bound) < bound / 100;
    return isNear ? `${Number(observed.toPrecision(6))} ms` : formatMs(observed);
  }
  const rounded = observed.toLocaleString('en-US', { maximumFractionDigits: observed < 100 ? 2 : 0 });
  return unit === rateWithUnit ? `${rounded}/s` : rounded;
}

/** A latency to which the simulator's own reading may have added. */
function isOfTarget(metric: string): boolean {
  return latencyOf(metric) !== undefined && !metric.startsWith('lag.');
}

function holds(value: number, operator: Operator, bound: number): boolean {
  if (operator === '<') return value < bound;
  if (operator === '<=') return value <= bound;
  if (operator === '=') return value === bound;
  if (operator === '>=') return value >= bound;
  return value > bound;
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
