import assert from 'node:assert/strict';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError } from '../input-error.ts';
import { runFixture, trialFixture, variantFixture } from './run.fixture.ts';
import { readRun, writeRunRecord, writeTrialRecord } from './store.ts';

const directory = mkdtempSync(join(tmpdir(), 'lab-store-'));
after(() => rmSync(directory, { recursive: true }));

const whole = runFixture([variantFixture('03-cursor')], [trialFixture(1, 100, 20)]);

/** The message with which a file of this text is refused. */
function refusalOf(text: string): string {
  const path = join(directory, 'run-file.json');
  writeFileSync(path, text);
  try {
    readRun(path);
  } catch (error) {
    assert.ok(error instanceof InputError, String((error as Error).stack));
    assert.match(error.message, /run-file\.json/);
    return error.message;
  }
  return 'none';
}

/** The same of a run in which one field has another value, or is missing. */
function refusalWith(field: string, value?: unknown): string {
  const run = structuredClone(whole);
  const names = field.split('.');
  const last = names.pop()!;
  const parent = names.reduce((at, name) => at[name] as Fields, run as unknown as Fields);
  parent[last] = value;
  return refusalOf(JSON.stringify(run));
}

type Fields = { [name: string]: unknown };

test('a whole run is read, and so is each archived one', () => {
  assert.equal(refusalOf(JSON.stringify(whole)), 'none');
  const archived = globSync(join(import.meta.dirname, '../../*/results/*.json'));
  assert.ok(archived.length > 5);
  for (const path of archived) assert.ok(readRun(path).trials.length > 0, path);
});

test('a file that is no run, or a damaged one, is bad input with its name', () => {
  const text = JSON.stringify(whole);
  for (const other of ['', text.slice(0, -10), 'null', '[]', '7', '{}', '{"record":{"schemaVersion":2}}'])
    assert.notEqual(refusalOf(other), 'none', other);
  assert.notEqual(refusalOf('{"strikes":[]}'), 'none');
  assert.notEqual(refusalOf('{"record":{"schemaVersion":1,"variants":[]},"trials":[]}'), 'none');
  for (const [field, value, named] of [
    ['record.environment', undefined, 'record.environment'],
    ['record.variants.0', null, 'record.variants[0]'],
    ['record.notes', 'x', 'record.notes'],
    ['trials.0', null, 'trials[0]'],
    ['trials.0.number', undefined, 'trials[0].number'],
    ['trials.0.loadtest.audit', undefined, 'trials[0].loadtest.audit'],
  ] as const)
    assert.ok(refusalWith(field, value).includes(`required ${named};`), field);
});

test('the name of a run or of its experiment never leads out of the results', () => {
  for (const name of ['../../../x', '/etc', '..', '.', '', 'a/b', 'a\\b', 'a\0b', 7]) {
    for (const field of ['run', 'experiment'])
      assert.ok(refusalWith(`record.${field}`, name).includes(`required record.${field}`), String(name));
  }
});

test('the secrets of URLs reach no file of a run', () => {
  const home = join(directory, 'secrets');
  mkdirSync(home);
  const settings = { 'redis-url': 'redis://:hunter2@h:1', origins: 'http://x' };
  writeRunRecord(home, {
    ...whole.record,
    variants: [variantFixture('05', { settings, error: 'ws://h?token=hunter2' })],
  });
  writeTrialRecord(home, trialFixture(1, 100, 20, { reasons: ['redis://u:hunter2@h is away'] }));
  const files = ['run.json', 'trials/001.json'].map((name) => readFileSync(join(home, name), 'utf8'));
  assert.doesNotMatch(files.join(), /hunter2/);
  assert.equal(readRun(home).record.variants[0]!.settings.origins, 'http://x');
});
