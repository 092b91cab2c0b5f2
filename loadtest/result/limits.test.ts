import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outstandingMs } from '../record/histogram.ts';
import { checkLimits, type Limit, type Observed, parseLimit, withDefaults } from './limits.ts';

/** The part of a result that these tests need. */
function observed(changes: {
  p99?: number;
  lost?: number;
  growthMs?: number;
  refused?: Record<string, number>;
}): Observed {
  const latency = { count: 1, mean: 1, p50: 1, p90: 1, p99: changes.p99 ?? 1, p999: 1, max: 1 };
  return {
    deliveryLatencyMs: latency,
    serviceLatencyMs: { ...latency, p99: 7 },
    scheduleLagMs: { ...latency, p99: 3 },
    backlogGrowthMs: changes.growthMs ?? null,
    misroutedOfOtherRuns: 0,
    deliveriesPerSecond: 5000,
    achievedPerSecond: 50,
    audit: { lost: changes.lost ?? 0 },
    connections: { refused: changes.refused ?? {} },
  } as unknown as Observed;
}

test('a limit is read with its unit, with or without blanks', () => {
  const limit = { expression: 'p99<250ms', metric: 'p99', operator: '<', bound: 250 };
  assert.deepEqual(parseLimit('p99<250ms'), limit);
  assert.equal(parseLimit(' p999 <= 1.5s ').bound, 1500);
  assert.equal(parseLimit('service.p50<300us').bound, 0.3);
  assert.equal(parseLimit('lost=0').bound, 0);
});

test('a limit that cannot be read is refused, with the syntax and the metrics', () => {
  for (const text of ['', 'p99', 'p98<5ms', 'p99<fast', 'p99<-1', 'constructor=0', 'service.lost=0'])
    assert.throws(() => parseLimit(text), /a limit is <metric>|is a time with its unit/, text);
  assert.throws(() => parseLimit('p98<5ms'), /a limit is <metric><operator><value>.*metrics: mean p50/);
  assert.throws(() => parseLimit('lost=0ms'), /lost is a count and has no unit/);
  assert.throws(() => parseLimit('p99<250'), /p99 is a time with its unit .*250ms.*; given: p99<250$/);
  assert.throws(() => parseLimit('achieved>50'), /achieved is a rate .*500\/s; given: achieved>50$/);
});

test('each limit is checked against its metric, and a broken one has a reason in words', () => {
  const check = (text: string, changes = {}) => checkLimits([parseLimit(text)], observed(changes))[0]!;
  assert.ok(check('p99<250ms', { p99: 249.9 }).held);
  assert.deepEqual(check('p99<250ms', { p99: 250 }), {
    expression: 'p99<250ms',
    observed: 250,
    held: false,
    couldHold: false,
    reason: 'p99 was 250 ms; the limit is p99<250ms',
  });
  assert.deepEqual(
    check('p99<250ms', { p99: outstandingMs, lost: 7 }).reason,
    'p99 was infinite, because 7 deliveries were outstanding when the drain ended; the limit is p99<250ms',
  );
  assert.equal(check('service.p99<1ms').observed, 7);
  assert.equal(check('lag.p99<=3ms').held, true);
  assert.equal(check('deliveries>=5000/s').held, true);
  assert.equal(check('achieved>50/s').held, false);
  assert.equal(check('refused<3', { refused: { 503: 2, ECONNRESET: 1 } }).observed, 3);
  assert.match(
    check('lost<=1', { lost: 2 }).reason,
    /^2 deliveries were outstanding when the drain ended; the limit is lost<=1$/,
  );
});

test('by default nothing may be lost or faulty, and a limit replaces only the default of its metric', () => {
  const ofLost = (limits: Limit[]) => limits.filter(({ metric }) => metric === 'lost');
  assert.deepEqual(ofLost(withDefaults([])), [parseLimit('lost=0')]);
  const limits = withDefaults([parseLimit('lost<100')]);
  assert.deepEqual(ofLost(limits), [parseLimit('lost<100')]);
  assert.ok(limits.some((limit) => limit.expression === 'duplicated=0'));
});

test('a backlog that grows breaks a default limit, and a phase that is too short to say does not', () => {
  const growth = withDefaults([]).filter((limit) => limit.metric === 'growth');
  assert.ok(checkLimits(growth, observed({}))[0]!.held);
  assert.ok(checkLimits(growth, observed({ growthMs: 49 }))[0]!.held);
  assert.equal(
    checkLimits(growth, observed({ growthMs: 60 }))[0]!.reason,
    'the backlog grew by 60 ms of load through the measure phase; the limit is growth<50ms',
  );
  assert.equal(parseLimit('growth<1s').bound, 1000);
});

test('a latency of the target could have held with the doubt taken off; other limits could not', () => {
  const couldHold = (text: string, changes: Parameters<typeof observed>[0], doubtMs: number) =>
    checkLimits([parseLimit(text)], observed(changes), doubtMs)[0]!.couldHold;
  assert.equal(couldHold('p99<250ms', { p99: 300 }, 51), true);
  assert.equal(couldHold('p99<250ms', { p99: 300 }, 49), false);
  assert.equal(couldHold('p99<250ms', { p99: outstandingMs }, 1000), false);
  assert.equal(couldHold('service.p99<5ms', {}, 3), true);
  assert.equal(couldHold('lag.p99<2ms', {}, 3), false);
  assert.equal(couldHold('lost=0', { lost: 2 }, 5), false);
  assert.equal(couldHold('growth<50ms', { growthMs: 60 }, 50), false);
});

test('limits of users that come back: their times, and their defaults only where they do', () => {
  const resume = { missed: 5, caughtUpMs: { p99: 900 }, connectedMs: { p99: outstandingMs } };
  const seen = { ...observed({}), resume } as unknown as Observed;
  const check = (text: string) => checkLimits([parseLimit(text)], seen)[0]!;
  assert.equal(check('caught-up-p99<1s').held, true);
  assert.match(check('caught-up-p99<500ms').reason, /^caught-up-p99 was 900 ms; the limit/);
  assert.match(check('connected-p99<1s').reason, /^connected-p99 was infinite: users were not so far/);
  assert.match(check('missed=0').reason, /^5 deliveries are in gaps/);
  const names = (limits: Limit[]) => limits.map(({ metric }) => metric);
  assert.ok(!names(withDefaults([])).includes('missed'));
  assert.ok(names(withDefaults([], { resume: true })).includes('missed'));
});

test('limits of people: times of their own, counts, and their defaults only where there are people', () => {
  const times = (p99: number) => ({ p99 });
  const direct = {
    ...{ ackMs: times(40), loginMs: times(outstandingMs), collectedMs: times(90), caughtUpMs: times(600) },
    ...{ unanswered: 2, wentBack: 0, full: 7, untold: null, logins: { failed: 0, busy: 3 } },
  };
  const seen = { ...observed({}), direct } as unknown as Observed;
  const check = (text: string) => checkLimits([parseLimit(text)], seen)[0]!;
  assert.equal(check('ack.p99<50ms').held, true);
  assert.match(check('login.p99<1s').reason, /^login.p99 was infinite: some had not ended/);
  assert.match(check('caughtup.p99<500ms').reason, /^caughtup.p99 was 600 ms; the limit/);
  assert.equal(check('collected.p99<=90ms').held, true);
  assert.match(check('unanswered=0').reason, /^2 messages were not answered/);
  assert.equal(check('full<8').held, true);
  assert.match(check('busy-logins=0').reason, /^3 logins were answered "busy"/);
  assert.equal(check('untold=0').held, true, 'not known yet');
  assert.throws(() => parseLimit('logout.p99<1s'), /a limit is <metric>/);
  const names = withDefaults([], { people: 5 }).map(({ metric }) => metric);
  for (const own of ['lost', 'wentback', 'untold', 'unanswered']) assert.ok(names.includes(own), own);
  assert.ok(!withDefaults([]).some(({ metric }) => metric === 'wentback'));
});
