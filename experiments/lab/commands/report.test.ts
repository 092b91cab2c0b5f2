import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { registry } from '../../registry.ts';
import { archiveRun, readArchived } from '../records/archive.ts';
import { answerFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import { markdownReport } from '../report/markdown.ts';
import { shapeOf } from '../shapes/run-report.ts';
import { refreshReport } from './report.ts';

const directory = mkdtempSync(join(tmpdir(), 'lab-refresh-'));
after(() => rmSync(directory, { recursive: true }));
const [ladder] = registry.experiments;

test('an archived run is in the REPORT.md between its markers, newest first, and handwritten text stays', () => {
  const variants = [variantFixture('01-naive', { answer: answerFixture(100) })];
  const run = runFixture(variants, [trialFixture(1, 100, 50)]);
  const later = {
    ...run,
    record: { ...run.record, run: '2026-02-02T00-00-00-001-ladder', startedAt: '2026-02-02T00:00:00.000Z' },
  };
  archiveRun(run, new Set([1]), directory);
  archiveRun(later, new Set([1]), directory);
  const path = refreshReport(ladder!, registry, directory)!;
  const text = readFileSync(path, 'utf8');
  assert.ok(text.startsWith('# 001-ladder\n'));
  assert.ok(text.indexOf('## 2026-02-02') < text.indexOf('## 2026-01-02'));
  assert.equal(refreshReport(ladder!, registry, directory), path);
  assert.equal(readFileSync(path, 'utf8'), text);
});

test('every REPORT.md holds the report of its archived runs', () => {
  for (const { name } of registry.experiments) {
    const home = join(import.meta.dirname, '..', '..', name);
    const runs = readArchived(home);
    if (runs.length === 0) continue;
    assert.ok(existsSync(join(home, 'REPORT.md')), `${name} has results and no REPORT.md`);
    const text = readFileSync(join(home, 'REPORT.md'), 'utf8');
    for (const run of runs) {
      const section = markdownReport(run, shapeOf(run, registry).report(run));
      assert.ok(text.includes(section), `run: npm run experiment -- report --refresh (${name})`);
    }
  }
});
