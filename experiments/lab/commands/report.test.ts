import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { registry } from '../../registry.ts';
import { archiveRun, picturesIn, readArchived } from '../records/archive.ts';
import { answerFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import { documentsOf } from '../shapes/run-report.ts';
import { findingDocuments, indexDocument, refreshDocuments } from './report.ts';

const directory = mkdtempSync(join(tmpdir(), 'lab-refresh-'));
after(() => rmSync(directory, { recursive: true }));
const remedy = 'run: npm run experiment -- report --refresh';

test('the newest archived run is the REPORT.md, others are folded, and old pictures are removed', async () => {
  const variants = [variantFixture('01-naive', { answer: answerFixture(100) })];
  const run = runFixture(variants, [trialFixture(1, 100, 50)]);
  const at = (day: string, changes = {}) => {
    const record = { ...run.record, run: `${day}T00-00-00-001-ladder`, startedAt: `${day}T00:00:00.000Z` };
    return { ...run, record: { ...record, ...changes } };
  };
  archiveRun(run, new Set([1]), directory);
  archiveRun(at('2026-02-02'), new Set([1]), directory);
  const method = { kind: 'fixed', loads: [100], repetitions: 1, emphasis: 'held' };
  archiveRun(at('2026-03-03', { shape: 'fixed-load', method }), new Set([1]), directory);
  const stale = join(directory, 'results', 'stale.svg');
  writeFileSync(stale, '');
  const paths = await refreshDocuments(registry, directory);
  const text = readFileSync(join(directory, 'REPORT.md'), 'utf8');
  const names = ['REPORT.md', 'results/capacity.svg', 'results/edge.svg'];
  assert.deepEqual(
    paths,
    names.map((name) => join(directory, name)),
  );
  assert.ok(!existsSync(stale));
  assert.match(text, /^# 001-ladder$/m);
  assert.match(text, /^!\[Capacity in messages\/s\]\(results\/capacity\.svg\)$/m);
  const [first, ...folded] = text.match(/Measured on [\d-]+/g)!;
  // A run at given loads answers another question than the search of the experiment.
  assert.equal(first, 'Measured on 2026-02-02');
  assert.deepEqual(folded, ['Measured on 2026-03-03', 'Measured on 2026-01-02']);
  await refreshDocuments(registry, directory);
  assert.equal(readFileSync(join(directory, 'REPORT.md'), 'utf8'), text);
});

test('every REPORT.md and every picture is what the archived runs make', async () => {
  for (const { name } of registry.experiments) {
    const home = join(import.meta.dirname, '..', '..', name);
    const documents = await documentsOf(readArchived(home), registry);
    for (const [path, text] of documents) {
      const file = join(home, path);
      assert.ok(existsSync(file), `${name}/${path} is missing; ${remedy}`);
      assert.ok(readFileSync(file, 'utf8') === text, `${name}/${path} is out of date; ${remedy}`);
    }
    const stale = picturesIn(home).filter((path) => !documents.has(path));
    assert.deepEqual(stale, [], `${name} has pictures that no report shows; ${remedy}`);
  }
});

test('the finding in the README, and its picture for light and dark pages, are those of the newest ladder', async () => {
  const readme = join(import.meta.dirname, '..', '..', '..', 'README.md');
  const documents = await findingDocuments(registry, readme);
  assert.equal(documents.size, 3);
  for (const [path, text] of documents)
    assert.ok(existsSync(path) && readFileSync(path, 'utf8') === text, `${path}: ${remedy}`);
  const [, light, dark] = [...documents.values()];
  assert.doesNotMatch(light! + dark!, /prefers-color-scheme/);
  assert.notEqual(light, dark);
});

test('the index of the experiments has the answers of the newest archived runs', () => {
  const [[path, text] = []] = [...indexDocument(registry)];
  assert.ok(readFileSync(path!, 'utf8') === text, remedy);
  for (const { name } of registry.experiments) assert.ok(text!.includes(`[${name}](${name}/`), name);
});
