import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Dashboard, GridPos, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { parser } from '@prometheus-io/lezer-promql';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { dashboards, fileText } from './generate.ts';

const root = new URL('../../', import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), 'utf8');

for (const [name, dashboard] of Object.entries(dashboards)) {
  test(`${name} on disk is what the code generates`, () => {
    const advice = 'Run `npm run dashboards` and commit the files.';
    assert.equal(text(`grafana/dashboards/${name}`), fileText(dashboard), advice);
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

  test(`${name} fits the grid, and no two panels overlap`, () => {
    const places = dashboard.panels!.map((panel) => ({ title: panel.title, ...panel.gridPos! }));
    for (const place of places) assert.ok(place.x >= 0 && place.x + place.w <= 24, JSON.stringify(place));
    for (const [index, one] of places.entries())
      for (const other of places.slice(index + 1))
        assert.ok(!overlap(one, other), `${one.title} overlaps ${other.title}`);
  });

  test(`${name} queries only the provisioned data source`, () => {
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

test('no dashboard names a stage: a new one appears when its metrics do', () => {
  for (const [name, dashboard] of Object.entries(dashboards))
    assert.doesNotMatch(fileText(dashboard), /\b\d\d-[a-z]+\b/, name);
});

test('each dashboard has its own uid, and each file belongs to a dashboard', () => {
  const uids = Object.values(dashboards).map((dashboard) => dashboard.uid);
  assert.equal(new Set(uids).size, uids.length);
  const files = readdirSync(new URL('grafana/dashboards/', root)).filter((file) => file.endsWith('.json'));
  assert.deepEqual(files.sort(), Object.keys(dashboards).sort());
});

test('rules read only metrics and rules that exist', () => {
  for (const file of ['prometheus/rules/recording.yml', 'prometheus/rules/alerts.yml'])
    for (const match of text(file).matchAll(/^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/gm)) {
      const expr = match[1] ?? match[2]!;
      for (const metric of metricNames(expr)) assert.ok(exists(metric), `${metric} in ${file}: ${expr}`);
    }
});

function graphs(dashboard: Dashboard): Panel[] {
  return dashboard.panels!.filter((panel): panel is Panel => panel.type !== 'row');
}

type Query = { expr: string; refId: string };

function queries(panel: Panel): Query[] {
  return panel.targets as unknown as Query[];
}

function expressions(dashboard: Dashboard): string[] {
  const ofAnnotations = dashboard.annotations.list!.map(({ target }) => target as unknown as Query);
  return [...graphs(dashboard).flatMap(queries), ...ofAnnotations].map(({ expr }) => expr);
}

function overlap(one: GridPos, other: GridPos): boolean {
  const meet = (at: 'x' | 'y', size: 'w' | 'h') =>
    one[at] < other[at] + other[size] && other[at] < one[at] + one[size];
  return meet('x', 'w') && meet('y', 'h');
}

/** The metrics that an expression reads. Fails if it is not PromQL once Grafana has put in its variables. */
function metricNames(expr: string): Set<string> {
  const promQl = expr.replaceAll(/\$(__)?\w+/g, '1m');
  const found = new Set<string>();
  parser.parse(promQl).iterate({
    enter({ type, from, to, node }) {
      assert.ok(!type.isError, `not PromQL at ${from}: ${promQl}`);
      if (type.name === 'Identifier' && node.parent?.name === 'VectorSelector')
        found.add(promQl.slice(from, to));
    },
  });
  return found;
}

function exists(metric: string): boolean {
  return known.has(metric) || known.has(metric.replace(/_(bucket|sum|count)$/, ''));
}

/** The metrics of the three exporters by their sources, of prom-client, of the rules, and of Prometheus. */
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
    [...source.matchAll(/'((?:chat|loadtest|lab|experiment)_[a-z0-9_]+)'/g)].map((match) => match[1]!),
  );
  // The simulator declares its counters without their suffix.
  const counters = declared.filter((name) => name.startsWith('loadtest_')).map((name) => `${name}_total`);
  const recorded = [...text('prometheus/rules/recording.yml').matchAll(/record: (\S+)/g)].map((m) => m[1]!);
  return new Set([...ofNode, ...declared, ...counters, ...recorded, ...ofOthers, 'up', 'ALERTS']);
}

/** Of HAProxy's own exporter and of cAdvisor; panels.alone.integration.ts reads the first from a real one. */
const ofOthers = [
  'haproxy_server_current_sessions',
  'haproxy_server_status',
  'haproxy_process_idle_time_percent',
  'container_cpu_usage_seconds_total',
  'container_memory_working_set_bytes',
  'container_cpu_cfs_throttled_seconds_total',
];
const known = namesDeclared();
