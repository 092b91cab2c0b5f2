import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applyEvent,
  newTrial,
  type PageEvent,
  type PageSecond,
  type PageState,
  runningTrial,
} from './state.ts';

const empty: PageState = {
  ...{ title: 't', question: 'q', unit: 'messages/s', limitMs: 250, clock: null, isEnded: false },
  variants: [{ name: 'a', colour: 'var(--line-1)' }],
  trials: [],
};
const title = { number: 1, variant: 'a', load: 100, about: '100 messages/s', purpose: 'search' };
const secondAt = (atSeconds: number): PageSecond => ({
  ...{ atSeconds, deliveries: 1000, instrumentCpuCores: 0.2 },
  ...{ deliveryLatencyMsP50: 1, deliveryLatencyMsP99: 5, deliveryLatencyMsMax: 9 },
  deliveryLatencyCounts: { first: 20, counts: [990, 0, 10] },
});
const reading = { name: 'node-1', cpuCores: 0.5, rssBytes: 1e8, throttledShare: null };
const after = (events: readonly PageEvent[], state = empty) => events.reduce(applyEvent, state);

const events: PageEvent[] = [
  { event: 'trial', trial: newTrial(title) },
  { event: 'phase', phase: 'measure' },
  { event: 'second', second: secondAt(0), readings: [] },
  { event: 'second', second: secondAt(1), readings: [reading] },
  { event: 'clock', elapsedSeconds: 3, leftSeconds: 10 },
];

test('the seconds of the running trial and the readings of its parts become columns', () => {
  const state = after(events);
  const trial = runningTrial(state)!;
  assert.deepEqual(trial.seconds?.atSeconds, [0, 1]);
  assert.deepEqual(trial.seconds?.p99, [5, 5]);
  assert.deepEqual(trial.nodes, [
    { name: 'node-1', atSeconds: [1], cpuCores: [0.5], rssBytes: [1e8], throttledShare: [null] },
  ]);
  assert.deepEqual(trial.phases, [{ phase: 'measure', atSeconds: 0 }]);
  assert.deepEqual(state.clock, { elapsedSeconds: 3, leftSeconds: 10 });
});

test('an event changes no state that was given before', () => {
  const frozen = structuredClone(empty);
  after(events);
  assert.deepEqual(empty, frozen);
});

test('a page that comes late, or was away, has the same state as one that saw every event', () => {
  for (let seen = 0; seen <= events.length; seen++) {
    const late = after([{ event: 'state', state: after(events.slice(0, seen)) }, ...events.slice(seen)], {
      ...empty,
      title: 'of another run',
    });
    assert.deepEqual(late, after(events), `from event ${seen} on`);
  }
});

test('the result of a trial takes its place, and one that has no result is gone when the next begins', () => {
  const result = { ...newTrial(title), outcome: 'pass' as const };
  const ended = after([...events, { event: 'trial', trial: result }]);
  assert.deepEqual(ended.trials, [result]);
  assert.equal(runningTrial(ended), undefined);
  const next = { ...title, number: 2 };
  const repeated = after(
    [
      { event: 'trial', trial: newTrial(next) },
      { event: 'trial', trial: newTrial({ ...next, number: 3 }) },
    ],
    ended,
  );
  assert.deepEqual(
    repeated.trials.map(({ number }) => number),
    [1, 3],
  );
});

test('seconds and phases between two trials change nothing', () => {
  assert.deepEqual(after(events.slice(1, 4)), empty);
});

test('a trial of hours keeps its newest seconds', () => {
  let state = after(events.slice(0, 1));
  for (let at = 0; at < 3700; at++)
    state = applyEvent(state, { event: 'second', second: secondAt(at), readings: [reading] });
  const { seconds, nodes } = runningTrial(state)!;
  assert.deepEqual([seconds!.atSeconds.length, seconds!.atSeconds.at(-1)], [3600, 3699]);
  assert.equal(nodes[0]!.cpuCores.length, 3600);
});
