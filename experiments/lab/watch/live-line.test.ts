import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StageInfo } from '../deployment/stage-table.ts';
import { answerFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import { variantPerStage } from '../shapes/experiment.ts';
import type { TrialRequest } from '../trial/trial.ts';
import { LiveView } from './live-line.ts';

const [variant] = variantPerStage([{ name: '01-naive', processes: [] } as unknown as StageInfo]);
const request = { number: 3, variant, load: 128, purpose: 'search' } as TrialRequest;
const second = {
  event: 'second',
  phase: 'measure',
  sessionsOpen: 1000,
  sentPerSecond: 128,
  deliveriesPerSecond: 127_900,
  deliveryLatencyMsP99: 41.23,
  lost: 0,
} as const;

function view(terminal: boolean, columns = 200) {
  const written: string[] = [];
  let nowMs = 0;
  const live = new LiveView({
    write: (text) => written.push(text),
    terminal,
    columns: () => columns,
    experiment: '001-ladder',
    unit: 'messages/s',
    trialsExpected: 10,
    secondsPerTrial: 6,
    now: () => nowMs,
  });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { live, written, pass };
}

test('away from a terminal only whole lines are written, one for each trial and answer', () => {
  const { live, written } = view(false);
  live.phase('measure', request);
  live.second(second);
  live.trialEnded(trialFixture(3, 128, 41.23, { outcome: 'passed' }));
  live.variantEnded(
    variantFixture('01-naive', {
      answer: answerFixture(128, 140),
      bound: { name: 'event loop', evidence: '' },
    }),
  );
  live[Symbol.dispose]();
  assert.equal(written.length, 2);
  assert.match(
    written[0]!,
    /^01-naive {2}trial {2}3 +128 messages\/s {2}passed +p99 41\.2 ms +128 k deliveries\/s {2}CPU 0\.50 {2}80 MB\n$/,
  );
  assert.equal(written[1], '01-naive: 128 messages/s, confirmed 3 times; bound by event loop\n');
});

test('on a terminal one line is redrawn, with phase, rate, p99, elapsed and estimated time, and erased at the end', () => {
  const { live, written, pass } = view(true);
  pass(7000);
  live.phase('measure', request);
  live.second(second);
  assert.equal(
    written.at(-1),
    '\r\x1b[2K0:07/~1:00 · 001-ladder 01-naive · trial 3 · 128 messages/s · measure · 128 k deliveries/s · p99 41.2 ms',
  );
  live[Symbol.dispose]();
  assert.equal(written.at(-1), '\r\x1b[2K');
});

test('a narrow terminal gets a line that does not wrap', () => {
  const { live, written } = view(true, 40);
  live.phase('measure', request);
  live[Symbol.dispose]();
  assert.ok(written[0]!.replace('\r\x1b[2K', '').length < 40);
});
