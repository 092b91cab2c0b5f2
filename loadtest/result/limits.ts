/** Limits such as `p99<250ms` or `lost=0`: the conditions of a pass. */
import { msOfUnit } from '../option-values.ts';
import { outstandingMs } from '../record/histogram.ts';
import type { LoadtestResult } from './schema.ts';

/** A limit. Bounds of latencies are in milliseconds. */
export type Limit = { expression: string; metric: string; operator: Operator; bound: number };
type Operator = '<' | '<=' | '=' | '>=' | '>';
/** The part of a result that limits are checked against. */
export type Observed = Omit<LoadtestResult, 'verdict' | 'reasons' | 'limits'>;

const latencies = ['mean', 'p50', 'p90', 'p99', 'p999', 'max'] as const;
type Counter = { words: string; of: (seen: Observed) => number };
/** Of steps whose users come back. */
const returnCounters: Record<string, Counter> = {
  missed: { words: 'deliveries are in gaps that users were told of', of: (seen) => seen.resume?.missed ?? 0 },
  gaps: { words: 'returns left a gap', of: (seen) => seen.resume?.gaps ?? 0 },
  misannounced: {
    words: 'frames "joined" contradicted what was asked for',
    of: (seen) => seen.resume?.misannounced ?? 0,
  },
  away: { words: 'users had not come back at the end', of: (seen) => seen.resume?.away ?? 0 },
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
const counters: Record<string, Counter> = { ...chatCounters, ...returnCounters };
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

/** Every metric that a limit may name, for the help text. */
export const limitMetrics: readonly string[] = [
  ...latencies,
  ...['service.p99', 'lag.p99', 'deliveries', 'achieved', 'growth'],
  ...Object.keys(counters),
  ...Object.keys(returnTimes),
];

/** Reads one limit. Throws a sentence with the syntax and the metrics if it is none. */
export function parseLimit(expression: string): Limit {
  const match = /^\s*([a-z.0-9-]+)\s*(<=|>=|<|>|=)\s*(\d+(?:\.\d+)?)\s*(us|ms|s|)\s*$/.exec(expression);
  const [, metric = '', operator = '', value = '', unit = ''] = match ?? [];
  if (!match || !isMetric(metric))
    throw new Error(
      `a limit is <metric><operator><number>[us|ms|s], such as p99<250ms or lost=0; metrics: ${limitMetrics.join(' ')}; given: ${expression}`,
    );
  if (!isTime(metric) && unit !== '')
    throw new Error(`${metric} is a count and has no unit; given: ${expression}`);
  return {
    expression: expression.trim(),
    metric,
    operator: operator as Operator,
    bound: Number(value) * (msOfUnit[unit] ?? 1),
  };
}

/**
 * The given limits, and the defaults for the metrics that they do not name; `resume`: its users come back.
 */
export function withDefaults(given: readonly Limit[], resume = false): Limit[] {
  const named = new Set(given.map((limit) => limit.metric));
  const defaults = [...defaultExpressions, ...(resume ? returnExpressions : [])].map(parseLimit);
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
  const detail = others === 0 ? '' : ` (${others} of them to another run, in the same room)`;
  if (counter) return `${observed} ${counter.words}${detail}; the limit is ${limit.expression}`;
  if (isLatency(limit.metric) && observed >= outstandingMs)
    return `${limit.metric} was infinite, because ${seen.audit.lost} deliveries were outstanding when the drain ended; the limit is ${limit.expression}`;
  if (limit.metric === 'growth')
    return `the backlog grew by ${observed} ms of load through the measure phase; the limit is ${limit.expression}`;
  if (returnTimes[limit.metric] && observed >= outstandingMs)
    return `${limit.metric} was infinite: users were not so far when the step ended; the limit is ${limit.expression}`;
  const unit = isTime(limit.metric) ? ' ms' : '';
  return `${limit.metric} was ${observed}${unit}; the limit is ${limit.expression}`;
}

function observedOf(metric: string, seen: Observed): number {
  if (counters[metric]) return counters[metric].of(seen);
  if (returnTimes[metric]) return returnTimes[metric](seen);
  if (metric === 'deliveries') return seen.deliveriesPerSecond;
  if (metric === 'achieved') return seen.achievedPerSecond;
  if (metric === 'growth') return seen.backlogGrowthMs ?? 0;
  const [first = '', second] = metric.split('.');
  const summary =
    second === undefined
      ? seen.deliveryLatencyMs
      : first === 'service'
        ? seen.serviceLatencyMs
        : seen.scheduleLagMs;
  return summary[(second ?? first) as (typeof latencies)[number]];
}

function isMetric(metric: string): boolean {
  return (
    Object.hasOwn(counters, metric) ||
    Object.hasOwn(returnTimes, metric) ||
    ['deliveries', 'achieved', 'growth'].includes(metric) ||
    isLatency(metric)
  );
}

/** Its bound is in milliseconds. */
function isTime(metric: string): boolean {
  return metric === 'growth' || Object.hasOwn(returnTimes, metric) || isLatency(metric);
}

/** A latency to which the simulator's own reading may have added. */
function isOfTarget(metric: string): boolean {
  return isLatency(metric) && !metric.startsWith('lag.');
}

function isLatency(metric: string): boolean {
  const name = metric.replace(/^(service|lag)\./, '');
  return (latencies as readonly string[]).includes(name);
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
