import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { test } from 'node:test';
import { fitsPassword, hashPassword, unmatchableHash } from './password-hash.ts';

const cheap = { memoryKib: 64, passes: 1 };

test('what is kept names its parameters, differs each time, and fits its password only', async () => {
  const kept = await hashPassword('correct horse', cheap);
  assert.match(kept, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.notEqual(await hashPassword('correct horse', cheap), kept);
  assert.equal(await fitsPassword('correct horse', kept), true);
  for (const wrong of ['correct horsE', 'correct horse ', ''])
    assert.equal(await fitsPassword(wrong, kept), false);
  assert.equal(await fitsPassword('anything', unmatchableHash(cheap)), false);
});

test('a hash of other parameters is checked with its own', async () => {
  const kept = await hashPassword('correct horse', { memoryKib: 128, passes: 3 });
  assert.equal(await fitsPassword('correct horse', kept), true);
  assert.equal(await fitsPassword('correct horse', kept.replace('t=3', 't=2')), false);
});

test('it is argon2id: the same bytes as of a direct call', async () => {
  const kept = await hashPassword('correct horse', cheap);
  const [, , , , salt, hash] = kept.split('$');
  const nonce = Buffer.from(salt!, 'base64');
  const parameters = {
    message: 'correct horse',
    nonce,
    parallelism: 1,
    tagLength: 32,
    memory: 64,
    passes: 1,
  };
  assert.equal(argon2Sync('argon2id', parameters).toString('base64').replace(/=+$/, ''), hash);
});

test('the same letters from different keyboards are the same password', async () => {
  const kept = await hashPassword('caf\u00e9 com leite', cheap);
  assert.equal(await fitsPassword('cafe\u0301 com leite', kept), true);
});

test('a text that is no hash is an error, not a password that fits', async () => {
  const kept = await hashPassword('correct horse', cheap);
  for (const broken of ['', 'plain', kept.slice(0, -1), kept.replace('argon2id', 'argon2i')])
    await assert.rejects(fitsPassword('correct horse', broken), /format of PHC/);
});
