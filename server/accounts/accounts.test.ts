import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoginToken } from '#protocol';
import { accountsForTest, bobLogin } from './accounts.fixture.ts';
import { digestOf } from './login-token.ts';
import { MemoryAccountStore } from './memory-account-store.ts';

const here = '192.0.2.7';
const wanted = () => true;
const wrong = { ...bobLogin, password: 'wrong horse' };

test('who is registered logs in, and comes back with the token; what is kept is neither', async () => {
  const { accounts, counts } = accountsForTest();
  assert.deepEqual(await accounts.register(bobLogin, here), { result: 'created' });
  assert.deepEqual(await accounts.register({ ...bobLogin, password: 'another one' }, here), {
    result: 'taken',
  });
  const outcome = await accounts.login(bobLogin, here, wanted);
  assert.equal(outcome.result, 'ok');
  if (outcome.result !== 'ok') return;
  assert.ok(isLoginToken(outcome.token));
  const person = { user: 'bob', device: 'phone' };
  assert.deepEqual(outcome.login, { person, digest: digestOf(outcome.token) });
  assert.notEqual(outcome.login.digest, outcome.token);
  assert.deepEqual(await accounts.personOf(outcome.token), outcome.login);
  assert.equal(await accounts.personOf('A'.repeat(43)), undefined);
  assert.deepEqual(await accounts.login(wrong, here, wanted), { result: 'fail' });
  assert.deepEqual(await accounts.login({ ...bobLogin, user: 'eve' }, here, wanted), { result: 'fail' });
  assert.deepEqual(await counts('chat_logins_total'), { ok: 1, fail: 2, token_ok: 1, token_fail: 1 });
  assert.deepEqual(await counts('chat_accounts_total'), { created: 1, taken: 1 });
  assert.ok(!JSON.stringify(await accounts.store.passwordHashOf('bob')).includes('horse'));
});

test('an unknown user costs as much time as a wrong password', async () => {
  const { accounts } = accountsForTest({ passwordMemoryBytes: 8 * 1024 ** 2, passwordPasses: 2 });
  await accounts.register(bobLogin, here);
  const timesMs = { known: [] as number[], unknown: [] as number[] };
  for (let n = 0; n < 9; n++)
    for (const [kind, login] of [
      ['known', wrong],
      ['unknown', { ...wrong, user: `eve-${n}` }],
    ] as const) {
      const startedAtMs = performance.now();
      await accounts.login(login, here, wanted);
      timesMs[kind].push(performance.now() - startedAtMs);
    }
  const [known, unknown] = [timesMs.known, timesMs.unknown].map((all) => all.toSorted((a, b) => a - b)[4]!);
  assert.ok(unknown! > known! / 2 && unknown! < known! * 2, `${known} and ${unknown} ms`);
});

test('after so many failures a user must wait, whatever the password; so must an address', async () => {
  const { accounts, counts } = accountsForTest({ loginFailuresPerUserMax: 3, loginFailuresPerAddressMax: 5 });
  await accounts.register(bobLogin, here);
  for (let n = 0; n < 20; n++) assert.equal((await accounts.login(bobLogin, here, wanted)).result, 'ok');
  for (let n = 0; n < 3; n++)
    assert.equal((await accounts.login(wrong, `10.0.0.${n}`, wanted)).result, 'fail');
  const late = await accounts.login(bobLogin, here, wanted);
  assert.ok(late.result === 'limited' && late.retryAfterMs > 50_000, JSON.stringify(late));
  const eve = (n: number) => accounts.login({ ...wrong, user: `eve-${n}` }, here, wanted);
  for (let n = 0; n < 5; n++) assert.equal((await eve(n)).result, 'fail');
  assert.equal((await eve(5)).result, 'limited');
  assert.equal((await accounts.login({ ...wrong, user: 'mia' }, '10.0.0.9', wanted)).result, 'fail');
  assert.deepEqual(await counts('chat_logins_total'), { ok: 20, fail: 9, limited: 2 });
});

test('attempts at the same time are counted before they are checked', async () => {
  const { accounts } = accountsForTest({ loginFailuresPerUserMax: 3, loginsWaitingMax: 1000 });
  const all = Array.from({ length: 100 }, (_unused, n) => accounts.login(wrong, `10.0.0.${n}`, wanted));
  const results = (await Promise.all(all)).map(({ result }) => result);
  assert.equal(results.filter((result) => result === 'fail').length, 3);
  assert.equal(results.filter((result) => result === 'limited').length, 97);
});

test('ten thousand unknown users from as many addresses leave bounded traces', async () => {
  const { accounts } = accountsForTest({ loginsAtOnce: 4 });
  for (let n = 0; n < 11_000; n += 20) {
    const some = Array.from({ length: 20 }, (_unused, i) => n + i);
    await Promise.all(some.map((i) => accounts.login({ ...wrong, user: `u${i}` }, `a${i}`, wanted)));
  }
  assert.deepEqual(accounts.remembered, [10_000, 10_000, 0]);
});

test('while too many wait for the hash the others are told to come back, and are not counted', async () => {
  const { accounts } = accountsForTest({ loginsAtOnce: 1, loginsWaitingMax: 2, loginFailuresPerUserMax: 4 });
  await accounts.register(bobLogin, here);
  // The look into the store lets all of them pass: the queue is what refuses.
  const all = await Promise.all(Array.from({ length: 4 }, () => accounts.login(bobLogin, here, wanted)));
  assert.deepEqual(all.map(({ result }) => result).toSorted(), ['busy', 'ok', 'ok', 'ok']);
  for (const one of all) if (one.result === 'busy') assert.ok(one.retryAfterMs > 0);
  assert.equal((await accounts.login(bobLogin, here, wanted)).result, 'ok');
});

test('nobody is hashed for who has gone meanwhile', async () => {
  const { accounts, counts } = accountsForTest();
  await accounts.register(bobLogin, here);
  assert.equal((await accounts.login(bobLogin, here, () => false)).result, 'busy');
  assert.deepEqual(await counts('chat_logins_total'), { busy: 1 });
});

test('where the store does not answer, everything is busy and nothing is a failed attempt', async () => {
  class Broken extends MemoryAccountStore {
    override passwordHashOf(): Promise<string | undefined> {
      return Promise.reject(new Error('no answer'));
    }
    override exists(): Promise<boolean> {
      return Promise.reject(new Error('no answer'));
    }
  }
  const { accounts } = accountsForTest({ loginFailuresPerUserMax: 2 }, new Broken());
  for (let n = 0; n < 5; n++) assert.equal((await accounts.login(bobLogin, here, wanted)).result, 'busy');
  assert.equal((await accounts.register(bobLogin, here)).result, 'busy');
});

test('an address registers so many, and nobody does where registration is closed', async () => {
  const { accounts } = accountsForTest({ registrationsPerAddressMax: 2 });
  const register = (n: number, address = here) => accounts.register({ ...bobLogin, user: `u${n}` }, address);
  assert.deepEqual([await register(1), await register(2)], [{ result: 'created' }, { result: 'created' }]);
  const third = await register(3);
  assert.ok(third.result === 'limited' && third.retryAfterMs > 0);
  assert.deepEqual(await register(3, '10.0.0.1'), { result: 'created' });
  const closed = accountsForTest({ registration: 'closed' });
  assert.deepEqual(await closed.accounts.register(bobLogin, here), { result: 'closed' });
});
