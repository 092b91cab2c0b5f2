import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import {
  holdsSecret,
  notShown,
  parseServiceUrl,
  readSecret,
  redact,
  redactedJson,
  redactUrl,
  splitUrls,
} from './secrets.ts';

const directory = mkdtempSync(join(tmpdir(), 'secrets-'));
after(() => rmSync(directory, { recursive: true }));

test('passwords and secret parameters of URLs are hidden, wherever they stand in a text', () => {
  for (const [text, shown] of [
    ['ws://127.0.0.1:8080/ws', 'ws://127.0.0.1:8080/ws'],
    ['ws://h/ws?room=1&token=abc&x=2#t', 'ws://h/ws?room=1&token=***&x=2#t'],
    [
      'no connection to ws://h/ws?access_token=a%20b, refused',
      'no connection to ws://h/ws?access_token=*** refused',
    ],
    ['redis://user:p@ss@h:6379/1', 'redis://***@h:6379/1'],
    ['redis://h?password=x y', 'redis://h?password=*** y'],
    ['rediss://:p/w#d?@h', 'rediss://***@h'],
    ['a=b and me@example.org', 'a=b and me@example.org'],
  ] as const)
    assert.equal(redact(text), shown);
});

test('JSON keeps its structure, and only texts are changed', () => {
  const value = { urls: ['ws://h/ws?token=a', 'x'], n: 1, deep: { 'redis://:p@h': null } };
  const shown = { urls: ['ws://h/ws?token=***', 'x'], n: 1, deep: { 'redis://:p@h': null } };
  assert.deepEqual(JSON.parse(redactedJson(value)), shown);
});

test('a secret comes from its option or from a file, and is never shown in a mistake', () => {
  const file = join(directory, 'token');
  const read = (given: string | undefined, path?: string) =>
    readSecret({ flag: '--token', given, file: path });
  assert.equal(read(undefined), undefined);
  assert.equal(read('s3cret'), 's3cret');
  writeFileSync(file, 's3cret\n');
  assert.equal(read(undefined, file), 's3cret');
  assert.throws(() => read('s3cret', file), { message: 'give --token or --token-file; both were given' });
  for (const wrong of ['s3cret\r\nX-Evil: 1', 's3 cret', 's3crét', ''])
    assert.throws(
      () => read(wrong),
      /^Error: --token must hold visible ASCII characters; given: (nothing|something else \(not shown\))$/,
    );
  writeFileSync(file, '\n');
  assert.throws(() => read(undefined, file), /--token-file must hold visible .* given: nothing/);
  assert.throws(() => read(undefined, join(directory, 'none')), /--token-file must name a file .*none/);
});

test('a URL is shown without user, password and query', () => {
  for (const [given, shown] of [
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
    ['rediss://redis.example/2', 'rediss://redis.example/2'],
    ['redis://user:secret@host:6379/', 'redis://host:6379'],
    ['redis://:sec@ret@host:6379/1', 'redis://host:6379/1'],
    ['redis://host:6379?password=secret', 'redis://host:6379'],
    ['redis://[::1]:6379?db=1&password=secret', 'redis://[::1]:6379'],
  ] as const)
    assert.equal(redactUrl(given), shown);
});

test('of a text that may be read in several ways nothing is shown', () => {
  for (const given of [
    'secret@host:6379',
    'host:6379',
    ':secret@host',
    'redis://user:12/secret@host:6379',
    'redis://user:12#secret@host:6379',
    'redis://user:12?secret@host:6379',
    'redis://user:se/cret@host',
    'redis:secret@host',
    '',
  ])
    assert.equal(redactUrl(given), notShown, given);
});

test('no password is ever shown, whatever its characters, encoded or not', () => {
  const password = fc.string({ minLength: 6, unit: 'grapheme-ascii' }).map((text) => `S3${text}cret`);
  fc.assert(
    fc.property(password, fc.boolean(), fc.nat(2), (secret, encoded, place) => {
      const given = encoded ? encodeURIComponent(secret) : secret;
      const urls = [`redis://user:${given}@host:6379/1`, `redis://host?password=${given}`, `${given}@host`];
      const shown = redactUrl(urls[place]!);
      assert.ok(!shown.includes('S3') && !shown.includes('cret'), `${urls[place]} is shown as ${shown}`);
      assert.ok(place > 0 || shown === notShown || holdsSecret(urls[place]!));
    }),
    { numRuns: 2_000 },
  );
});

test('a secret is noticed where it may be one', () => {
  for (const given of ['redis://:x@host', 'redis://host?password=x', 'x@host', 'redis://u:1/x@host'])
    assert.equal(holdsSecret(given), true, given);
  for (const given of ['redis://host', 'redis://user@host:1/2', 'rediss://host/'])
    assert.equal(holdsSecret(given), false, given);
  assert.equal(parseServiceUrl('redis://host:99999'), null);
});

test('a list of URLs is cut only before a URL, because a password may contain a comma', () => {
  for (const [given, urls] of [
    ['redis://a', ['redis://a']],
    ['redis://u:p,w@a', ['redis://u:p,w@a']],
    [' redis://u:p,w@a:1 , rediss://b/0 ', ['redis://u:p,w@a:1', 'rediss://b/0']],
    ['redis://a,b', ['redis://a,b']],
  ] as const)
    assert.deepEqual(splitUrls(given), urls);
  assert.equal(redactUrl('redis://a,b'), notShown);
  assert.equal(holdsSecret('redis://a,redis://b'), false);
  for (const given of [
    'redis://a,redis://:S3CRET@b',
    'redis://:S3CRET@a,redis://b',
    'redis://a,redis://b?x=1',
  ])
    assert.equal(holdsSecret(given), true, given);
});
