import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readSecret, redact, redactedJson } from './secrets.ts';

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
