import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { ConfigError, readConfig } from './settings.ts';

afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('CHAT_')) delete process.env[name];
});

test('a flag outranks its environment variable, which outranks the default', () => {
  assert.equal(readConfig([]).config.internalPort, 8081);
  process.env.CHAT_INTERNAL_PORT = '9001';
  assert.equal(readConfig([]).config.internalPort, 9001);
  assert.equal(readConfig(['--internal-port', '9002']).config.internalPort, 9002);
});

test('all problems are told at once, each with what to do, what was required and what was given', () => {
  process.env.CHAT_SESSIONS_MAX = '-5';
  assert.throws(
    () => readConfig(['--port', 'high']),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.problems, [
        'Set --port (or CHAT_PORT) to a whole number from 0 to 65535; given was "high".',
        'Set --sessions-max (or CHAT_SESSIONS_MAX) to a whole number from 1 to 1000000; given was "-5".',
      ]);
      return true;
    },
  );
});

test('the outcome is frozen, and a list is split and trimmed', () => {
  const { config } = readConfig(['--origins', 'https://a.example, https://b.example']);
  assert.deepEqual(config.origins, ['https://a.example', 'https://b.example']);
  assert.throws(() => Object.assign(config, { port: 1 }), TypeError);
});
