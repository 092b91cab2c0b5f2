import assert from 'node:assert/strict';
import { globSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from '../input-error.ts';
import { missingField } from './check.ts';
import { runFixture, trialFixture, variantFixture } from './run.fixture.ts';
import { findRun, readRun } from './store.ts';

const experiments = join(import.meta.dirname, '..', '..');
const whole = () => runFixture([variantFixture('01-naive')], [trialFixture(1, 100, 50)]);

test('a run of today and every archived run are complete', () => {
  assert.equal(missingField(whole()), null);
  const archived = globSync('*/results/*.json', { cwd: experiments });
  for (const path of archived) assert.ok(readRun(join(experiments, path)).trials.length > 0, path);
});

test('the first field that is missing or of another type is named', () => {
  const without = (change: (run: ReturnType<typeof whole>) => void) => {
    const run = whole();
    change(run);
    return missingField(run);
  };
  assert.equal(
    without((run) => delete (run.record as Partial<typeof run.record>).run),
    'record.run',
  );
  assert.equal(
    without(({ record }) => Object.assign(record, { environment: { ...record.environment, cpus: '4' } })),
    'record.environment.cpus',
  );
  assert.equal(
    without((run) => Object.assign(run.record, { limits: [7] })),
    'record.limits[0]',
  );
  assert.equal(
    without((run) => Object.assign(run, { trials: [null] })),
    'trials[0]',
  );
  assert.equal(
    without((run) => Object.assign(run.trials[0]!, { load: null })),
    'trials[0].load',
  );
  assert.equal(
    without((run) => Object.assign(run.trials[0]!, { loadtest: {} })),
    'trials[0].loadtest.workload',
  );
  assert.equal(
    without((run) => Object.assign(run.record, { method: { kind: 'capacity' } })),
    'record.method.start',
  );
  assert.equal(
    without((run) => Object.assign(run.record, { shape: 'faults' })),
    'record.workload.participants',
  );
});

test('any other JSON is answered with one sentence', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'lab-check-'));
  const path = join(directory.path, 'x.json');
  const { record, trials } = whole();
  const others = [
    ...['null', '7', '"text"', '[]', '[1]', '{}', '{', '', '{"strikes":5}', '{"strikes":[{}],"options":{}}'],
    ...['{"record":{"schemaVersion":1,"variants":[]},"trials":[]}', '{"record":null,"trials":[]}'],
    '{"record":{"schemaVersion":2,"variants":[]},"trials":[]}',
    readFileSync(join(experiments, '..', 'package.json'), 'utf8'),
    JSON.stringify({ record, trials: [{}] }),
    JSON.stringify({ record: { ...record, variants: [{}] }, trials }),
    JSON.stringify(trials[0]!.loadtest),
    JSON.stringify(record),
  ];
  for (const text of others) {
    writeFileSync(path, text);
    assert.throws(
      () => readRun(path),
      (error) =>
        error instanceof InputError &&
        /^Give a (complete )?result/.test(error.message) &&
        !/\n/.test(error.message),
      text.slice(0, 60),
    );
  }
});

test('the run.json of a result directory stands for the directory', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'lab-check-'));
  writeFileSync(join(directory.path, 'run.json'), '{}');
  assert.equal(findRun(join(directory.path, 'run.json'), 'nowhere'), directory.path);
  assert.throws(() => findRun(tmpdir(), directory.path), InputError);
});
