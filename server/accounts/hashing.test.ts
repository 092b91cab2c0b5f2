import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hashing } from './hashing.ts';

function setUp(atOnceMax: number, waitingMax: number) {
  const hashing = new Hashing(atOnceMax, waitingMax);
  const started: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const run = (name: string, isWanted?: () => boolean) => {
    const end = Promise.withResolvers<string>();
    ends.set(name, end);
    const job = () => {
      started.push(name);
      return end.promise;
    };
    return hashing.run(job, isWanted);
  };
  return { hashing, started, run, end: (name: string) => ends.get(name)!.resolve(name), ends };
}

test('so many run at once, so many wait in their order, and the others are refused', async () => {
  const { hashing, started, run, end } = setUp(2, 2);
  const all = ['a', 'b', 'c', 'd'].map((name) => run(name));
  assert.deepEqual([started, hashing.running, hashing.waiting, hashing.full], [['a', 'b'], 2, 2, true]);
  assert.equal(await run('e'), undefined);
  end('b');
  assert.equal(await all[1], 'b');
  assert.deepEqual([started, hashing.running, hashing.waiting, hashing.full], [['a', 'b', 'c'], 2, 1, false]);
  for (const name of ['a', 'c', 'd']) end(name);
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c', 'd']);
  assert.deepEqual([started.at(-1), hashing.running, hashing.waiting], ['d', 0, 0]);
});

test('a job that failed gives its place to the next', async () => {
  const { hashing, run, end, ends } = setUp(1, 1);
  const [failing, next] = [run('a'), run('b')];
  ends.get('a')!.reject(new Error('no memory'));
  await assert.rejects(failing, /no memory/);
  end('b');
  assert.equal(await next, 'b');
  assert.equal(hashing.running, 0);
});

test('a job whose result nobody wants any more is not run', async () => {
  const { started, run, end } = setUp(1, 2);
  const [first, gone, last] = [run('a'), run('b', () => false), run('c')];
  end('a');
  end('c');
  assert.deepEqual(await Promise.all([first, gone, last]), ['a', undefined, 'c']);
  assert.deepEqual(started, ['a', 'c']);
});
