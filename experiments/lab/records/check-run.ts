/** Whether a value is a whole run: what every report and every path takes from it. */
import type { Run } from './schema.ts';

type Fields = Readonly<Record<string, unknown>>;
type Kind = 'text' | 'plain name' | 'number' | 'list' | 'object' | 'object or nothing';

const recordFields = {
  shape: 'text',
  run: 'plain name',
  experiment: 'plain name',
  question: 'text',
  startedAt: 'text',
  seconds: 'number',
  notes: 'list',
  limits: 'list',
  environment: 'object',
  skipped: 'list',
} as const;
const variantFields = { name: 'text', stage: 'text', settings: 'object' } as const;
const trialFields = {
  number: 'number',
  variant: 'text',
  stage: 'text',
  purpose: 'text',
  outcome: 'text',
  startedAt: 'text',
  reasons: 'list',
  facts: 'object',
  loadtest: 'object or nothing',
} as const;
const loadtestFields = {
  workload: 'object',
  audit: 'object',
  deliveryLatencyMs: 'object',
  instrument: 'object',
  series: 'object',
} as const;

/** What is missing or wrong, as one clause with the field and what it must be; null for a whole run. */
export function faultOfRun({ record, trials }: Run): string | null {
  return (
    faultIn('record', record, recordFields) ??
    firstOf(record.variants, (variant, i) => faultIn(`record.variants[${i}]`, variant, variantFields)) ??
    firstOf(trials, (trial, i) => faultOfTrial(`trials[${i}]`, trial))
  );
}

function faultOfTrial(name: string, trial: unknown): string | null {
  const fault = faultIn(name, trial, trialFields);
  const { loadtest } = (trial ?? {}) as Fields;
  if (fault !== null || !isObject(loadtest)) return fault;
  return faultIn(`${name}.loadtest`, loadtest, loadtestFields);
}

function faultIn(name: string, value: unknown, fields: Readonly<Record<string, Kind>>): string | null {
  if (!isObject(value)) return `${name} must be an object`;
  const wrong = Object.entries(fields).find(([field, kind]) => !isOf(kind, value[field]));
  return wrong === undefined ? null : `${name}.${wrong[0]} must be ${phrases[wrong[1]]}`;
}

const phrases: Readonly<Record<Kind, string>> = {
  text: 'a text',
  'plain name': 'a plain name of a directory',
  number: 'a number',
  list: 'a list',
  object: 'an object',
  'object or nothing': 'an object or null',
};

function isOf(kind: Kind, value: unknown): boolean {
  if (kind === 'text') return typeof value === 'string';
  if (kind === 'plain name') return typeof value === 'string' && /^\w[\w.-]*$/.test(value);
  if (kind === 'number') return typeof value === 'number';
  if (kind === 'list') return Array.isArray(value);
  return isObject(value) || (kind === 'object or nothing' && (value === undefined || value === null));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function firstOf<T>(items: readonly T[], faultOf: (item: T, index: number) => string | null): string | null {
  for (const [index, item] of items.entries()) {
    const fault = faultOf(item, index);
    if (fault !== null) return fault;
  }
  return null;
}
