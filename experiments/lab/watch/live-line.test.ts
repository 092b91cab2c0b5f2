import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import { answerLine, trialLine } from '../report/trial-line.ts';
import type { TrialTitle } from '../trial/trial.ts';
import { LiveView } from './live-line.ts';

const title: TrialTitle = {
  number: 3,
  variant: '01-naive',
  stage: '01-naive',
  purpose: 'search',
  about: '128 messages/s',
};
const second = {
  event: 'second',
  phase: 'measure',
  atSeconds: 0,
  sessionsOpen: 1000,
  sentPerSecond: 128,
  deliveriesPerSecond: 127_900,
  deliveryLatencyMsP50: 12,
  deliveryLatencyMsP99: 41.23,
  deliveryLatencyMsMax: 60,
  deliveryLatencyCounts: { first: 27, counts: [127_900] },
  instrumentCpuCores: 0.4,
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
    variants: 2,
    trials: 10,
    secondsPerTrial: 4,
    now: () => nowMs,
  });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { live, written, pass };
}

test('away from a terminal only whole lines are written, one for each trial and answer', () => {
  const { live, written } = view(false);
  live.phase('measure', title);
  live.second(second);
  live.trialEnded(trialLine(trialFixture(3, 128, 41.23), 'messages/s'));
  const ended = variantFixture('01-naive', {
    answer: answerFixture(128),
    bound: { name: 'event loop', evidence: '' },
  });
  live.variantEnded(answerLine(ended, 'messages/s')!);
  live[Symbol.dispose]();
  assert.equal(written.length, 2);
  assert.match(
    written[0]!,
    /^01-naive {2}trial {2}3 +128 messages\/s {2}pass +p99 41\.2 ms +128 k deliveries\/s {2}CPU 0\.50 {2}80 MB\n$/,
  );
  assert.equal(
    written[1],
    '01-naive: 128 messages/s (90 %: 116–141), safe 115; 6 trials, precise; bound by event loop\n',
  );
});

test('on a terminal a line of a trial is broken between words, and goes on below its figures', () => {
  const { live, written } = view(true, 80);
  live.trialEnded(trialLine(trialFixture(3, 128, 41.23), 'messages/s'));
  live[Symbol.dispose]();
  const [first, second] = written[0]!.replace('\r\x1b[2K', '').split('\n');
  assert.match(first!, /^01-naive {2}trial {2}3 .* deliveries\/s$/);
  assert.match(second!, /^ {10}CPU 0\.50 {2}80 MB$/);
});

test('on a terminal one line is redrawn, with phase, rate, p99, elapsed time and time left, and erased at the end', () => {
  const { live, written, pass } = view(true);
  pass(7000);
  live.phase('measure', title);
  live.second(second);
  assert.equal(
    written.at(-1),
    '\r\x1b[2K0:07, about 0:50 left · 001-ladder 01-naive · trial 3 · 128 messages/s · measure · 128 k deliveries/s · p99 41.2 ms',
  );
  live[Symbol.dispose]();
  assert.equal(written.at(-1), '\r\x1b[2K');
});

test('a narrow terminal gets a line that does not wrap', () => {
  const { live, written } = view(true, 40);
  live.phase('measure', title);
  live[Symbol.dispose]();
  assert.ok(written[0]!.replace('\r\x1b[2K', '').length < 40);
});

test('the time left follows the pace of the trials, and the number that ended variants took', () => {
  const { live, written, pass } = view(true);
  const left = () => /about (\S+) left/.exec(written.at(-1)!)?.[1];
  const trial = (seconds: number) => {
    live.phase('measure', title);
    pass(seconds * 1000);
    live.trialEnded('');
  };
  for (let count = 0; count < 3; count++) trial(10);
  // Two more of this variant and five of the next, at 10 s each.
  assert.equal(left(), '1:10');
  live.variantEnded(null);
  live.phase('measure', title);
  assert.equal(left(), '0:30');
  trial(10);
  assert.equal(left(), '0:20');
  live[Symbol.dispose]();
});

test('after the last variant nothing is left', () => {
  const { live, written, pass } = view(true);
  live.phase('measure', title);
  for (const _variant of ['01-naive', '03-cursor']) {
    pass(20_000);
    live.trialEnded('a trial');
    live.variantEnded('an answer');
  }
  live[Symbol.dispose]();
  assert.match(written.at(-2)!, /0:40, about 0:00 left/);
});
