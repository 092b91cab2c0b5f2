/** Whether a parsed file has the fields that reports read, so that none of them fails on a foreign file. */

/** The type of a field; a nested template for an object; a list of one template for its items. */
type Template = Kind | { readonly [field: string]: Template } | readonly [Template];
type Kind = 'string' | 'plain name' | 'number' | 'boolean' | 'object' | 'list' | 'null or object';

const environment = { cpuModel: 'string', cpus: 'number', platform: 'string', node: 'string' } as const;
const record: Template = {
  ...{ run: 'plain name', experiment: 'plain name', shape: 'string', target: 'string', startedAt: 'string' },
  ...{ seed: 'number', seconds: 'number', interrupted: 'boolean', limits: ['string'], notes: ['string'] },
  environment: { ...environment, memoryBytes: 'number' },
  variants: [
    {
      ...{ name: 'string', stage: 'string', settings: 'object', targetLimits: 'object' },
      ...{ answer: 'null or object', bound: 'null or object' },
    },
  ],
  skipped: [{ name: 'string', reason: 'string' }],
};
const trial: Template = {
  ...{ number: 'number', variant: 'string', stage: 'string', purpose: 'string', outcome: 'string' },
  ...{ reasons: ['string'], facts: 'object' },
};
const latency: Template = { p50: 'number', p99: 'number', p999: 'number', max: 'number' };
const loadRecord: Template = {
  varied: { quantity: 'string', unit: 'string' },
  method: { kind: 'string' },
  timing: { warmUpSeconds: 'number', measureSeconds: 'number', drainSeconds: 'number' },
  workload: 'object',
};
const loadTrial: Template = {
  ...{
    load: 'number',
    phases: ['object'],
    observedLimits: 'list',
    probes: 'list',
    nodes: 'list',
  },
  ...{ metrics: 'list', server: 'null or object', loadtest: 'null or object' },
};
const server: Template = { cpuCores: 'number', rssIdleBytes: 'number', rssMaxBytes: 'number' };
const loadtest: Template = {
  workload: { durationSeconds: 'number' },
  limits: [{ expression: 'string', held: 'boolean', observed: 'number' }],
  audit: { expected: 'number', lost: 'number' },
  deliveryLatencyMs: latency,
  scheduleLagMs: latency,
  deliveriesPerSecond: 'number',
  connections: { opened: 'number' },
  instrument: { cpuSeconds: 'number' },
  histograms: { deliveryLatencyUs: 'string' },
  series: { atSeconds: 'list' },
};
/** By shape. */
const methods: Readonly<Record<string, Template>> = {
  capacity: { start: 'number', loadMin: 'number', loadMax: 'number' },
  'fixed-load': { loads: ['number'], repetitions: 'number', emphasis: 'string' },
};
const faultRecord: Template = { workload: { participants: 'number', repetitions: 'number' } };
const faultTrial: Template = {
  ...{ published: 'number', lostSilently: 'number', participants: 'number', held: 'number' },
  closes: 'object',
};

const scenarioRecord: Template = {
  workload: { clients: 'number', ratePerSecond: 'number', repetitions: 'number' },
  margins: { descriptors: 'number', memoryBytes: 'number' },
};
const scenarioTrial: Template = {
  ...{ scenario: 'string', family: 'string', offenders: 'number', gets: ['string'], got: 'object' },
  ...{ neighbours: { sent: 'number', lost: 'number' }, kept: 'null or object', seconds: 'number' },
};

const figuresRecord: Template = {
  ...{ figures: [{ key: 'string', title: 'string', kind: 'string' }], procedure: ['string'] },
  repetitions: 'number',
};

/** The first field that is missing or of another type, such as `trials[3].load`; null where all is there. */
export function missingField(run: { record?: unknown; trials?: unknown }): string | null {
  const missing = firstMissing({ record, trials: [trial] }, run, '');
  if (missing !== null) return missing;
  const { record: checked, trials } = run as { record: Fields; trials: Fields[] };
  if (checked.shape === 'faults') return firstMissing({ record: faultRecord, trials: [faultTrial] }, run, '');
  if (checked.shape === 'scenarios')
    return firstMissing({ record: scenarioRecord, trials: [scenarioTrial] }, run, '');
  if (checked.shape === 'figures')
    return firstMissing({ record: figuresRecord, trials: [{ figures: 'object' }] }, run, '');
  const method = methods[String(checked.shape)];
  if (method === undefined) return null;
  const optional = trials.flatMap((one, index) => [
    one.server === null ? null : firstMissing(server, one.server, `trials[${index}].server`),
    one.loadtest === null ? null : firstMissing(loadtest, one.loadtest, `trials[${index}].loadtest`),
  ]);
  return (
    firstMissing({ record: loadRecord, trials: [loadTrial] }, run, '') ??
    firstMissing(method, checked.method, 'record.method') ??
    optional.find((field) => field !== null) ??
    null
  );
}

type Fields = Readonly<Record<string, unknown>>;

function firstMissing(template: Template, value: unknown, path: string): string | null {
  if (template === 'plain name' && typeof value === 'string')
    return isOfKind(template, value) ? null : `${path} as a plain name of a directory`;
  if (typeof template === 'string') return isOfKind(template, value) ? null : path;
  if (isList(template)) {
    if (!Array.isArray(value)) return path;
    return firstOf(value.map((item, index) => () => firstMissing(template[0], item, `${path}[${index}]`)));
  }
  if (!isOfKind('object', value)) return path;
  const prefix = path === '' ? '' : `${path}.`;
  return firstOf(
    Object.entries(template).map(
      ([field, kind]) =>
        () =>
          firstMissing(kind, (value as Fields)[field], `${prefix}${field}`),
    ),
  );
}

function firstOf(checks: readonly (() => string | null)[]): string | null {
  for (const check of checks) {
    const missing = check();
    if (missing !== null) return missing;
  }
  return null;
}

function isList(template: Template): template is readonly [Template] {
  return Array.isArray(template);
}

function isOfKind(kind: Kind, value: unknown): boolean {
  // A path here would make a report write outside of the results.
  if (kind === 'plain name') return typeof value === 'string' && /^\w[\w.-]*$/.test(value);
  if (kind === 'list') return Array.isArray(value);
  if (kind === 'null or object') return value === null || isOfKind('object', value);
  if (kind === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === kind;
}
