import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Dashboard, GridPos, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { dashboards, fileText } from './generate.ts';
import { metricNames } from './promql.ts';

const root = new URL('../../', import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), 'utf8');

for (const [name, dashboard] of Object.entries(dashboards())) {
  test(`${name} on disk is what the code generates`, () => {
    assert.equal(
      text(`grafana/dashboards/${name}`),
      fileText(dashboard),
      'Run `npm run dashboards` and commit the files.',
    );
  });

  test(`${name} has unique panel ids and query letters, a title and a description on every panel`, () => {
    const ids = dashboard.panels!.map((panel) => panel.id);
    assert.equal(new Set(ids).size, ids.length);
    for (const panel of graphs(dashboard)) {
      assert.ok(panel.title && panel.description?.endsWith('.'), JSON.stringify(panel));
      const letters = queries(panel).map((query) => query.refId);
      assert.ok(letters.length > 0 && letters.every(Boolean), `${panel.title} has a query without a letter`);
      assert.equal(new Set(letters).size, letters.length, `${panel.title} has two queries of one letter`);
    }
  });

  test(`${name} fits the grid, and no panel lies on another`, () => {
    const places = dashboard.panels!.map((panel) => ({ title: panel.title, ...panel.gridPos! }));
    for (const place of places) assert.ok(place.x >= 0 && place.x + place.w <= 24, JSON.stringify(place));
    for (const [index, one] of places.entries())
      for (const other of places.slice(index + 1))
        assert.ok(!overlap(one, other), `${one.title} lies on ${other.title}`);
  });

  test(`${name} asks only the provisioned data source`, () => {
    const uids = [...fileText(dashboard).matchAll(/"uid": "([^"]+)"/g)].map((match) => match[1]);
    const provisioned = /uid: (\S+)/.exec(text('grafana/provisioning/datasources/prometheus.yml'))![1];
    assert.deepEqual(new Set(uids), new Set([provisioned, dashboard.uid]));
  });

  test(`${name} queries only metrics and recording rules that exist, through variables that it has`, () => {
    const variables = dashboard.templating.list!.map((variable) => variable.name);
    for (const expr of expressions(dashboard)) {
      for (const metric of metricNames(expr)) assert.ok(exists(metric), `${metric} of ${expr}`);
      for (const [, variable] of expr.matchAll(/\$(?!__)(\w+)/g))
        assert.ok(variables.includes(variable!), `$${variable} of ${expr}`);
    }
  });
}

test('dashboards have uids of their own, and no file is left over from one that is gone', () => {
  const uids = Object.values(dashboards()).map((dashboard) => dashboard.uid);
  assert.equal(new Set(uids).size, uids.length);
  const files = readdirSync(new URL('grafana/dashboards/', root)).filter((file) => file.endsWith('.json'));
  assert.deepEqual(files.sort(), Object.keys(dashboards()).sort());
});

test('rules read only metrics and rules that exist', () => {
  for (const { file, expr } of ruleExpressions())
    for (const metric of metricNames(expr)) assert.ok(exists(metric), `${metric} in ${file}: ${expr}`);
});

test('metric names are found in any PromQL that is used here', () => {
  const expr =
    'sum by (stage, le) (rate(a_total{b=~"c"}[5s]) * on (job) group_left (stage) d:e:sum) > 0.5 or vector(0) and x';
  assert.deepEqual(metricNames(expr), ['a_total', 'd:e:sum', 'x']);
});

function graphs(dashboard: Dashboard): Panel[] {
  return dashboard.panels!.filter((panel): panel is Panel => panel.type !== 'row');
}

function queries(panel: Panel): { expr: string; refId: string }[] {
  return panel.targets as unknown as { expr: string; refId: string }[];
}

function expressions(dashboard: Dashboard): string[] {
  const ofAnnotations = dashboard.annotations.list!.map(
    ({ target }) => target as unknown as { expr: string },
  );
  return [...graphs(dashboard).flatMap(queries), ...ofAnnotations].map(({ expr }) => expr);
}

function overlap(one: GridPos, other: GridPos): boolean {
  const apart =
    one.x + one.w <= other.x ||
    other.x + other.w <= one.x ||
    one.y + one.h <= other.y ||
    other.y + other.h <= one.y;
  return !apart;
}

function ruleExpressions(): { file: string; expr: string }[] {
  return ['prometheus/rules/recording.yml', 'prometheus/rules/alerts.yml'].flatMap((file) =>
    [...text(file).matchAll(/^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*))$/gm)].map((match) => ({
      file,
      expr: match[1] ?? match[2]!,
    })),
  );
}

function exists(metric: string): boolean {
  return known.has(metric) || known.has(metric.replace(/_(bucket|sum|count)$/, ''));
}

/** Names declared in the sources of the three exporters, those of prom-client itself, of the rules, and Prometheus's own. */
function namesDeclared(): Set<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const ofNode = registry.getMetricsAsArray().map((metric) => metric.name);
  const sources = ['server', 'loadtest', 'experiments'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !/\.(test|integration|contract)\.ts$/.test(file))
      .map((file) => text(`${folder}/${file}`)),
  );
  const declared = sources.flatMap((source) =>
    [...source.matchAll(/'((?:chat|loadtest|lab)_[a-z0-9_]+)'/g)].map((match) => match[1]!),
  );
  // The simulator's counters are declared without their suffix.
  const counters = declared.filter((name) => name.startsWith('loadtest_')).map((name) => `${name}_total`);
  const recorded = [...text('prometheus/rules/recording.yml').matchAll(/record: (\S+)/g)].map((m) => m[1]!);
  return new Set([...ofNode, ...declared, ...counters, ...recorded, 'up', 'ALERTS']);
}

const known = namesDeclared();
