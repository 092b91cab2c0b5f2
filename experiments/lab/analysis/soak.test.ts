import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trialFixture } from '../records/run.fixture.ts';
import { seeded } from './random.ts';
import { longTrial, soakRun, unknown } from './soak.fixture.ts';
import { soakFindings } from './soak.ts';
import { condense, tipsOf } from './soak-series.ts';

const twentyMinutes = 1200;

test('twenty minutes become forty windows of half a minute, and the series are gone', () => {
  const { soak, nodes, metrics, loadtest } = condense(longTrial({ seconds: twentyMinutes }), 250, unknown);
  assert.equal(soak!.windowSeconds, 30);
  assert.equal(soak!.atSeconds.length, 40);
  assert.deepEqual([soak!.atSeconds[0], soak!.atSeconds.at(-1)], [0, 1170]);
  assert.deepEqual([nodes, metrics, loadtest!.series.deliveryLatencyMsP99], [[], [], []]);
  // Warm-up and drain are in no window.
  assert.equal(Math.max(...soak!.latencyMsP99.map(Number)), 60);
});

test('a day has no more windows than the bound, and a minute has enough for a slope', () => {
  const day = condense(longTrial({ seconds: 86_400 }), 250, unknown).soak!;
  assert.equal(day.atSeconds.length, 480);
  assert.ok(JSON.stringify(day).length < 40_000);
  const minute = condense(longTrial({ seconds: 60 }), 250, unknown).soak!;
  assert.equal(minute.windowSeconds, 1);
  assert.equal(minute.atSeconds.length, 60);
});

test('a window keeps the lowest heap, the median memory and the worst p99; servers are added up', () => {
  const made = {
    seconds: twentyMinutes,
    nodes: 2,
    heap: (at: number) => 20e6 + 1e6 * (at % 30),
    rss: (at: number) => (at % 30 === 7 ? 900e6 : 100e6),
    p99: (at: number) => (at === 65 ? 200 : 60),
  };
  const soak = condense(longTrial(made), 250, unknown).soak!;
  assert.deepEqual([soak.heapBytes[3], soak.rssBytes[3], soak.openFiles[3]], [40e6, 200e6, 2040]);
  assert.deepEqual(soak.latencyMsP99.slice(1, 4), [60, 200, 60]);
});

test('descriptors that the kernel does not count are unknown, and have no slope', () => {
  const run = soakRun([longTrial({ seconds: twentyMinutes, files: () => 0 })]);
  assert.equal(run.trials[0]!.soak!.openFiles[0], null);
  assert.equal(soakFindings(run)[0]!.growths.openFiles, null);
});

test('a tip lasts from the first second above the limit until three in a row hold', () => {
  const values = [90, 300, 400, 90, 90, 350, 90, 90, 90, 260, 270];
  const tips = tipsOf(
    values.map((value, at) => [at, value]),
    250,
  );
  assert.deepEqual(tips, [
    { atSeconds: 1, seconds: 5, p99Ms: 400 },
    { atSeconds: 9, seconds: null, p99Ms: 270 },
  ]);
});

test('a tip says what went on in its first second and the one before', () => {
  const p99 = (at: number) => (at >= 600 && at < 603 ? 900 : 60);
  const whole = trialFixture(1, 5000, 60).server!;
  const asked: [number, number][] = [];
  const during = (from: number, to: number) => {
    asked.push([from, to]);
    return { ...whole, gcShare: 0.2, besideServerCpuCores: 0.05 };
  };
  const { tips } = condense(longTrial({ seconds: twentyMinutes, p99 }), 250, during).soak!;
  assert.deepEqual(asked, [[599, 601]]);
  assert.deepEqual(tips[0]!.began, { gcShare: 0.2, besideServerCpuCores: 0.05 });
});

test('a leak is a growth per hour with its interval; a heap that saws and settles is flat', () => {
  const random = seeded(5);
  const leak = longTrial({
    seconds: twentyMinutes,
    rss: (at) => 90e6 + (60e6 * at) / 3600 + 2e6 * random(),
    // It grows for the first four minutes, and its collections come every 17 s.
    heap: (at) => 30e6 + 10e6 * Math.min(1, at / 240) + 5e6 * ((at % 17) / 17),
  });
  const [finding] = soakFindings(soakRun([leak]));
  assert.equal(finding!.verdict, 'grows');
  const { perHour, verdict } = finding!.growths.rssBytes!;
  assert.equal(verdict, 'grows');
  assert.ok(
    perHour.low < 60e6 && 60e6 < perHour.high && perHour.high - perHour.low < 10e6,
    JSON.stringify(perHour),
  );
  assert.equal(finding!.growths.heapBytes!.verdict, 'flat');
});

test('of a hundred servers that do not grow, no more than one in ten seems to', () => {
  const random = seeded(9);
  const noise = (level: number) => () => level * (1 + 0.1 * random());
  let flat = 0;
  for (let server = 0; server < 100; server++) {
    const made = { p99: noise(60), heap: noise(30e6), rss: noise(90e6), files: noise(1000) };
    const [finding] = soakFindings(soakRun([longTrial({ seconds: 300, ...made })]));
    flat += Number(finding!.verdict === 'flat');
  }
  assert.ok(flat >= 90, `${flat} of 100`);
});

test('a trial that broke the limit for a while tips, with a rate per hour', () => {
  const made = { seconds: twentyMinutes, p99: (at: number) => (at >= 600 && at < 608 ? 900 : 60) };
  const [finding] = soakFindings(soakRun([longTrial(made)]));
  assert.equal(finding!.verdict, 'tips');
  assert.deepEqual(finding!.soak.tips, [{ atSeconds: 600, seconds: 8, p99Ms: 900 }]);
  assert.equal(finding!.tipsPerHour.middle, 3);
  assert.ok(finding!.tipsPerHour.low < 1 && finding!.tipsPerHour.high > 10);
});
