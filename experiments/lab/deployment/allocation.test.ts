import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxes, boxOfStage, shareCores } from './allocation.ts';

test('the simulator gets half of the cores, and each side at least one', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 9].map((cores) => shareCores(cores)),
    [
      { server: 1, loadtest: 1 },
      { server: 1, loadtest: 1 },
      { server: 2, loadtest: 1 },
      { server: 2, loadtest: 2 },
      { server: 5, loadtest: 4 },
    ],
  );
});

test('a box is never larger than what the simulator leaves', () => {
  assert.equal(boxes(4, 2).serverCpus, 1);
  assert.equal(boxes(4, 16).serverCpus, 4);
  assert.deepEqual(boxes(2, 8), {
    serverCpus: 2,
    serverMemoryMb: 2048,
    loadtestCpus: 4,
    loadtestMemoryMb: 8192,
  });
});

test('the stage of many cores has workers to cross between, whatever the machine', () => {
  assert.ok(Number(boxOfStage('04-cores').settings.workers) >= 2);
  assert.deepEqual(boxOfStage('03-cursor').settings, {});
});
