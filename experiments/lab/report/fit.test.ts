import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { registry } from '../../registry.ts';
import { readArchived } from '../records/archive.ts';
import { shapeOf } from '../shapes/run-report.ts';
import { explainedReport, meaningOf } from './explain.ts';
import { fitTable } from './fit.ts';
import { markdownReport } from './markdown.ts';
import { detail, left, right, splitTable, tableOf, terminalTable } from './table.ts';

const experiments = join(import.meta.dirname, '..', '..');
const folders = readdirSync(experiments).filter((name) => /^\d{3}-/.test(name));
const kept = folders.flatMap((name) => readArchived(join(experiments, name)));
const reports = kept.map((run) => ({ run, content: shapeOf(run, registry).report(run) }));

test('the table of every kept run fits 80 columns, with its first and its last column', () => {
  assert.ok(reports.length > 5);
  for (const { run, content } of reports) {
    const { table } = fitTable(content.summary, 80);
    for (const line of terminalTable(table).split('\n'))
      assert.ok(line.length <= 80, `${run.record.run}: ${line.length}: ${line}`);
    const wanted = content.summary.columns.filter(({ isDetail = false }) => !isDetail);
    assert.equal(table.columns[0]!.title.replaceAll('\n', ' '), wanted[0]!.title);
    assert.equal(table.columns.at(-1)!.title.replaceAll('\n', ' '), wanted.at(-1)!.title);
  }
});

test('no report has a table of more than 8 columns, and its first table has all of them', () => {
  for (const { run, content } of reports) {
    const lines = markdownReport({ run, content }, [], [], '').split('\n');
    for (const line of lines.filter((one) => one.startsWith('|')))
      assert.ok(line.split(/(?<!\\)\|/).length - 2 <= 8, `${run.record.run}: ${line}`);
    const shown = content.summary.columns.filter(({ isDetail = false }) => !isDetail);
    assert.ok(shown.length <= 8, `${run.record.run}: ${shown.length}`);
  }
  const wide = tableOf(
    [1],
    Array.from({ length: 10 }, (_, index) => left<number>(`c${index}`, () => String(index))),
  );
  const parts = splitTable(wide, 8).map(({ rows }) => rows[0]!.join(' '));
  assert.deepEqual(parts, ['0 1 2 3 4 5', '0 6 7 8 9']);
});

test('cells break at spaces before a column is left out, and what is left out is named', () => {
  const columns = [
    left<number>('variant', () => '01-naive'),
    right<number>('messages/s (90 %)', () => '3,970 (3,440–4,420)'),
    detail(right<number>('memory', () => '100 MB')),
    left<number>('bound by', () => 'CPU quota'),
  ];
  const { table, hidden } = fitTable(tableOf([1], columns), 38);
  assert.deepEqual(hidden, ['memory']);
  assert.deepEqual(terminalTable(table).split('\n'), [
    'variant   messages/s (90 %)  bound by',
    '────────  ─────────────────  ─────────',
    '01-naive              3,970  CPU quota',
    '              (3,440–4,420)',
  ]);
  assert.deepEqual(fitTable(tableOf([1], columns), 20).hidden, ['messages/s (90 %)', 'memory']);
});

test('every column of a kept run is explained', () => {
  for (const { run, content } of reports) {
    const { unit = '' } = (run.record as { varied?: { unit: string } }).varied ?? {};
    for (const { title } of [...content.summary.columns, ...content.trials.columns])
      assert.ok(meaningOf(title) !== undefined || title === unit, `${run.record.run}: ${title}`);
    const { table } = fitTable(explainedReport(content), 80);
    assert.ok(
      terminalTable(table)
        .split('\n')
        .every((line) => line.length <= 80),
    );
  }
});
