import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Command } from 'commander';
import { secretFile } from '../testing/secret-file.ts';
import {
  commonSettings,
  infiniteLimitsOf,
  limit,
  limitsOf,
  list,
  readSettings,
  SettingsError,
  secret,
  serviceUrl,
} from './settings.ts';

const part = {
  title: 'Part:',
  settings: {
    origins: list('allowed origins'),
    token: secret('shared token'),
    redisUrl: serviceUrl(['redis:', 'rediss:'], 'redis://127.0.0.1:6379', 'Redis'),
    sessionsMax: limit(1, 1_000_000, 15_000, 'sessions'),
  },
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

test('an empty value is a mistake, from a flag and from the environment: it would switch a check off', () => {
  Object.assign(process.env, { CHAT_HOST: '', CHAT_TOKEN: '', CHAT_ORIGINS: ' ,,', CHAT_LOG_LEVEL: '' });
  const problems = [
    'Set --host (or CHAT_HOST) to an IP address or a host name; given was "".',
    'Set --internal-host (or CHAT_INTERNAL_HOST) to an IP address or a host name; given was "".',
    'Set --log-level (or CHAT_LOG_LEVEL) to one of debug, info, warn, error, silent; given was "".',
    'Set --origins (or CHAT_ORIGINS) to a comma-separated list; given was " ,,".',
    'Set --token (or CHAT_TOKEN) to visible ASCII characters; given was (not shown).',
  ];
  const message = problems.join('\n');
  assert.throws(() => read('--internal-host', ''), { constructor: SettingsError, message });
});

test('a host is an address or a name, a log level one of five, a Redis URL has a host', () => {
  for (const host of ['127.0.0.1', '::', 'localhost', 'chat-1.example'])
    assert.equal(read('--host', host).host, host);
  for (const host of ['not a host', 'http://x', '-x', 'x:8080'])
    assert.throws(() => read('--host', host), host);
  assert.throws(() => read('--log-level', 'loud'), /one of debug, .*given was "loud"/);
  assert.equal(read('--redis-url', 'rediss://host:1/2').redisUrl, 'rediss://host:1/2');
  for (const url of ['host:6379', 'http://host', 'redis://', 'redis://host/one'])
    assert.throws(() => read('--redis-url', url), /redis-url/, url);
});

function readVariable(name: string, value: string) {
  process.env[name] = value;
  try {
    return read();
  } finally {
    delete process.env[name];
  }
}

test('several nodes of a Redis Cluster are URLs with commas between them', () => {
  for (const urls of [
    'redis://a:1,redis://b:2',
    'rediss://a, rediss://b/0,rediss://[::1]:7',
    'redis://p,w@host',
  ])
    assert.equal(read('--redis-url', urls).redisUrl, urls);
  for (const urls of [
    'redis://a:1,b:2',
    'redis://a,rediss://b',
    'redis://a/1,redis://b/1',
    'redis://a,redis://b?db=1',
    'redis://a,http://b',
    'redis://a,',
    ',redis://a',
  ])
    assert.throws(() => readVariable('CHAT_REDIS_URL', urls), /or several, with commas .*not shown/, urls);
});

test('a secret comes from the environment or from a file, not from the command line, and is not shown', () => {
  process.env.CHAT_TOKEN = 'of the environment'.replaceAll(' ', '-');
  assert.equal(read().token, 'of-the-environment');
  assert.equal(
    read('--token-file', secretFile('of-a-file\n')).token,
    'of-the-environment',
    'the value outranks',
  );
  delete process.env.CHAT_TOKEN;
  assert.equal(read('--token-file', secretFile('of-a-file\n')).token, 'of-a-file');
  process.env.CHAT_TOKEN_FILE = secretFile('of-a-named-file');
  assert.equal(read().token, 'of-a-named-file');
  const file = secretFile('S3CRET with spaces');
  const refusals = [
    ['--token', 'S3CRET'],
    ['--token-file', file],
    ['--token-file', `${file}-that-is-not-there`],
    ['--redis-url', 'redis://:S3CRET@host'],
    ['--redis-url', 'redis://host?password=S3CRET'],
    ['--redis-url', 'redis://host,redis://:S3CRET@other'],
    ['--redis-url', 'redis://:S3CRET@host,redis://other'],
    ['--redis-url', 'redis://host,redis://S3CRET@other:x'],
    ['--redis-url', 'S3CRET@host:6379'],
    ['--redis-url-file', secretFile('redis://x:1/S3CRET@host')],
  ];
  for (const refused of refusals) {
    assert.throws(
      () => read(...refused),
      (error: Error) => error instanceof SettingsError && !error.message.includes('S3CRET'),
      refused.join(' '),
    );
  }
  assert.throws(() => read('--token', 'x'), /Set --token-file or CHAT_TOKEN instead of --token: other users/);
  assert.throws(() => read('--token-file', `${file}-no`), /a file that can be read; .*ENOENT/);
  process.env.CHAT_REDIS_URL = 'redis://:S3CRET@host';
  assert.equal(read().redisUrl, 'redis://:S3CRET@host');
});

test('the limits of a group are known by their keys, and can all be infinite', () => {
  assert.deepEqual(limitsOf([commonSettings, part]), { sessionsMax: 15_000 });
  assert.deepEqual(infiniteLimitsOf([part]), { sessionsMax: Number.POSITIVE_INFINITY });
});
