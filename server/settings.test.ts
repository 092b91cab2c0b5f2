import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Command } from 'commander';
import {
  commonSettings,
  infiniteLimitsOf,
  limit,
  limitsOf,
  list,
  readSettings,
  SettingsError,
} from './settings.ts';

const part = {
  title: 'Part:',
  settings: { origins: list('allowed origins'), sessionsMax: limit(1, 1_000_000, 15_000, 'sessions') },
};
const read = (...argv: string[]) => readSettings(new Command(), [commonSettings, part], argv);

afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('CHAT_')) delete process.env[name];
});

test('a flag outranks its environment variable, which outranks the default', () => {
  assert.equal(read().internalPort, 8081);
  process.env.CHAT_INTERNAL_PORT = '9001';
  assert.equal(read().internalPort, 9001);
  assert.equal(read('--internal-port', '9002').internalPort, 9002);
});

test('all problems of all groups are reported at once: what to do, what is required, what was given', () => {
  process.env.CHAT_SESSIONS_MAX = '-5';
  const problems = [
    'Set --port (or CHAT_PORT) to a whole number from 0 to 65535; given was "high".',
    'Set --sessions-max (or CHAT_SESSIONS_MAX) to a whole number from 1 to 1000000; given was "-5".',
  ];
  const expected = { constructor: SettingsError, message: problems.join('\n') };
  assert.throws(() => read('--port', 'high'), expected);
});

test('the values are frozen, and a list is split and trimmed', () => {
  const values = read('--origins', 'https://a.example, https://b.example');
  assert.deepEqual(values.origins, ['https://a.example', 'https://b.example']);
  assert.throws(() => Object.assign(values, { port: 1 }), TypeError);
});

test('the limits of a group are known by their keys, and can all be infinite', () => {
  assert.deepEqual(limitsOf([commonSettings, part]), { sessionsMax: 15_000 });
  assert.deepEqual(infiniteLimitsOf([part]), { sessionsMax: Number.POSITIVE_INFINITY });
});
