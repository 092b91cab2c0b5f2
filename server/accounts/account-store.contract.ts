/** The contract of every store of accounts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../../testing/until.ts';
import type { AccountStore } from './account-store.ts';
import type { Person } from './person.ts';

/** `open` makes a store in which there is nothing yet. */
export function accountStoreContract(
  name: string,
  open: () => Promise<AccountStore & AsyncDisposable>,
  skip: string | false = false,
): void {
  const check = (title: string, run: (store: AccountStore) => Promise<void>) =>
    test(title, { skip }, async () => {
      await using store = await open();
      await run(store);
    });
  const phone = { user: 'bob', device: 'phone' };
  const login = (digest: string, person: Person = phone) => ({ person, digest });

  describe(name, () => {
    check('an account is there once it is created, with its hash', async (store) => {
      assert.deepEqual([await store.exists('bob'), await store.passwordHashOf('bob')], [false, undefined]);
      assert.equal(await store.create('bob', 'hash'), true);
      assert.deepEqual([await store.exists('bob'), await store.passwordHashOf('bob')], [true, 'hash']);
      assert.equal(await store.exists('bo'), false);
    });

    check('of a hundred who want a name at once one gets it', async (store) => {
      const all = Array.from({ length: 100 }, (_unused, n) => store.create('bob', `hash-${n}`));
      const created = (await Promise.all(all)).flatMap((isCreated, n) => (isCreated ? [`hash-${n}`] : []));
      assert.equal(created.length, 1);
      assert.equal(await store.passwordHashOf('bob'), created[0]);
    });

    check('the same creation again is no other one', async (store) => {
      assert.deepEqual([await store.create('bob', 'hash'), await store.create('bob', 'hash')], [true, true]);
      assert.equal(await store.create('bob', 'other'), false);
    });

    check('a login is whose it is, until it is revoked', async (store) => {
      await store.addLogin(login('d1'), 60_000, 10);
      assert.deepEqual(await store.personOf('d1'), phone);
      assert.equal(await store.personOf('d2'), undefined);
      await store.revoke(login('d1'));
      await store.revoke(login('d1'));
      assert.equal(await store.personOf('d1'), undefined);
    });

    check('a login expires', async (store) => {
      await store.addLogin(login('d1'), 40, 10);
      await until(async () => (await store.personOf('d1')) === undefined, 'expired');
      await store.addLogin(login('d2'), 60_000, 10);
      assert.deepEqual(await store.personOf('d2'), phone);
    });

    check('the newest login of a device takes the place of the one before', async (store) => {
      await store.addLogin(login('d1'), 60_000, 10);
      await store.addLogin(login('d2', { user: 'bob', device: 'tablet' }), 60_000, 10);
      await store.addLogin(login('d3'), 60_000, 10);
      const found = await Promise.all(['d1', 'd2', 'd3'].map((digest) => store.personOf(digest)));
      assert.deepEqual(
        found.map((person) => person?.device),
        [undefined, 'tablet', 'phone'],
      );
      await store.revoke(login('d1'));
      assert.deepEqual(await store.personOf('d3'), phone, 'the end of the older one does not end it');
    });

    check('a user has so many logins: beyond them the oldest ends', async (store) => {
      const devices = ['a', 'b', 'c', 'd', 'e'];
      for (const device of devices) {
        await store.addLogin(login(`d-${device}`, { user: 'bob', device }), 60_000, 3);
        await until(clockMoves(), 'the next login is of a later moment');
      }
      await store.addLogin(login('d-eve', { user: 'eve', device: 'a' }), 60_000, 3);
      const found = await Promise.all(devices.map((device) => store.personOf(`d-${device}`)));
      assert.deepEqual(
        found.map((person) => person?.device),
        [undefined, undefined, 'c', 'd', 'e'],
      );
      assert.equal((await store.personOf('d-eve'))?.user, 'eve');
    });

    check('logins of one device at the same time leave one', async (store) => {
      const digests = Array.from({ length: 20 }, (_unused, n) => `d${n}`);
      await Promise.all(digests.map((digest) => store.addLogin(login(digest), 60_000, 10)));
      const found = await Promise.all(digests.map((digest) => store.personOf(digest)));
      assert.equal(found.filter(Boolean).length, 1);
    });
  });
}

/** True from the next millisecond on. */
function clockMoves(): () => boolean {
  const nowMs = Date.now();
  return () => Date.now() > nowMs + 1;
}
