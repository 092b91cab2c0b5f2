/** Logins at a real gateway over real sockets; accounts are in memory, and hashing costs little. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { pino } from 'pino';
import { encodeLogin, encodeLogout, type LoginAck } from '#protocol';
import { Person, refusedAt } from '../../testing/person.ts';
import { until } from '../../testing/until.ts';
import type { AccountOptions } from '../accounts/account-settings.ts';
import { accountsForTest, bobLogin } from '../accounts/accounts.fixture.ts';
import { DeviceLogins } from '../accounts/device-logins.ts';
import { MemoryAccountStore } from '../accounts/memory-account-store.ts';
import type { PersonPart, PersonSession } from '../accounts/person.ts';
import { MemoryBackplane } from '../backplane/memory.ts';
import { BoundedFanOut, boundedFanOutSettings } from '../chat/bounded-fan-out.ts';
import { relayedChat, roomSettings } from '../chat/chat.ts';
import { commonSettings, readSettings } from '../settings.ts';
import { drainInBatches } from './drain.ts';
import { Gateway } from './gateway.ts';
import { gatewaySettings } from './gateway-parts.ts';

const addresses = [
  '--host',
  '127.0.0.1',
  '--port',
  '0',
  '--internal-host',
  '127.0.0.1',
  '--internal-port',
  '0',
];

/** A part that answers `echo`, and writes down what it is told. */
class EchoPart implements PersonPart {
  readonly told: unknown[] = [];
  waiting: () => Promise<number> = async () => 3;
  readonly handlers: PersonPart['handlers'] = new Map([
    ['echo', (session: PersonSession, frame: object) => session.sendText(JSON.stringify(frame))],
  ]);
  signingIn(): Promise<number> {
    return this.waiting();
  }
  signedIn({ person }: PersonSession, positions: object): void {
    this.told.push(['signedIn', person, positions]);
  }
  left({ person }: PersonSession): void {
    this.told.push(['left', person]);
  }
}

class BreakableStore extends MemoryAccountStore {
  broken = false;
  /** Until when a login is being written. */
  written = Promise.resolve();
  readonly digests: string[] = [];
  override async addLogin(...given: Parameters<MemoryAccountStore['addLogin']>) {
    await super.addLogin(...given);
    this.digests.push(given[0].digest);
    await this.written;
  }
  override personOf(digest: string) {
    return this.broken ? Promise.reject(new Error('no answer')) : super.personOf(digest);
  }
  override revoke(login: Parameters<MemoryAccountStore['revoke']>[0]) {
    return this.broken ? Promise.reject(new Error('no answer')) : super.revoke(login);
  }
}

async function setUp(changes: Partial<AccountOptions> = {}, args: readonly string[] = []) {
  const groups = [commonSettings, ...gatewaySettings, roomSettings, boundedFanOutSettings];
  const settings = readSettings(new Command(), groups, [...addresses, ...args]);
  const store = new BreakableStore();
  const { accounts, options, counts } = accountsForTest(changes, store);
  await accounts.register(bobLogin, '');
  const [part, devices] = [new EchoPart(), new DeviceLogins()];
  const gateway = new Gateway(
    'test',
    (metrics) => ({
      settings,
      chat: relayedChat(new MemoryBackplane(), new BoundedFanOut(settings, metrics)),
      drain: drainInBatches(settings),
      people: { accounts, devices, parts: [part], options },
    }),
    pino({ level: 'silent' }),
  );
  const { port } = (await gateway.listen()).chat;
  const url = `ws://127.0.0.1:${port}/ws/tea`;
  const join = (clientId: string, query = '') => Person.join(url + query, clientId);
  /** Joins and logs in as bob, whatever the outcome. */
  const logIn = async (change = {}) => {
    const person = await join('bob');
    const [ack] = await says(person, encodeLogin({ ...bobLogin, ...change }));
    return { person, ack: ack as LoginAck & { token: string } };
  };
  const close = async () => void (await gateway.drain(0));
  return { gateway, store, part, devices, counts, url, port, join, logIn, [Symbol.asyncDispose]: close };
}

/** Sends the frames, and resolves with as many further frames as were sent. */
async function says(person: Person, ...frames: string[]): Promise<unknown[]> {
  const before = person.heard.length;
  for (const frame of frames) person.ws.send(frame);
  await person.hears(before + frames.length);
  return person.heard.slice(before).map((text) => JSON.parse(text));
}

const bobsPhone = { user: 'bob', device: 'phone' };
const chat = (clientId: string) => JSON.stringify({ clientId, Message: 'hello' });
const policy = (reason: string) => ({ code: 1008, reason });

test('a login is acknowledged with a token and what waits, and the parts are told of it', async () => {
  await using setup = await setUp();
  const { part } = setup;
  const { person, ack } = await setup.logIn({ upTo: 5, receiptsAfter: 7 });
  assert.deepEqual(
    { ...ack, token: '' },
    { type: 'login_ack', result: 'ok', user: 'bob', token: '', waiting: 3 },
  );
  assert.deepEqual(part.told, [['signedIn', bobsPhone, { upTo: 5, receiptsAfter: 7 }]]);
  assert.deepEqual(await says(person, '{"type":"echo","n":1}', chat('bob')), [
    { type: 'echo', n: 1 },
    { clientId: 'bob', Message: 'hello' },
  ]);
  await person.leave();
  await until(() => part.told.length === 2, 'the part is told of the end');
  assert.deepEqual(part.told[1], ['left', bobsPhone]);
});

test('a wrong password fails and may be followed by the right one; a second login may not', async () => {
  await using setup = await setUp();
  const { person, ack } = await setup.logIn({ password: 'wrong horse' });
  assert.deepEqual(ack, { type: 'login_ack', result: 'fail' });
  assert.equal(((await says(person, encodeLogin(bobLogin)))[0] as LoginAck).result, 'ok');
  person.ws.send(encodeLogin({ ...bobLogin, device: 'tablet' }));
  assert.deepEqual(await person.closed, policy('one login for a connection'));
  const hasty = await setup.join('bob');
  hasty.ws.send(encodeLogin(bobLogin));
  hasty.ws.send(encodeLogin(bobLogin));
  assert.deepEqual(await hasty.closed, policy('one login for a connection'));
});

test('frames of people need a login; other types and broken logins are malformed as ever', async () => {
  await using setup = await setUp();
  for (const frame of ['{"type":"echo"}', '{"type":"logout"}']) {
    const stranger = await setup.join('mallory');
    stranger.ws.send(frame);
    assert.deepEqual(await stranger.closed, policy('log in first'), frame);
  }
  const broken = [
    ...[
      '{"type":"unknown"}',
      '{"type":"login"}',
      '{"type":["login"]}',
      '{"type":"constructor"}',
      '{"type":null}',
    ],
    encodeLogin({ ...bobLogin, user: 'x'.repeat(10_000) }),
    encodeLogin({ ...bobLogin, password: 'x'.repeat(10_000) }),
    JSON.stringify({ type: 'login', ...bobLogin, password: { toString: 'x' } }),
  ];
  for (const frame of broken) {
    const stranger = await setup.join('mallory');
    stranger.ws.send(frame);
    assert.equal((await stranger.closed).code, 1007, frame.slice(0, 80));
  }
  assert.deepEqual(setup.part.told, []);
});

test('from its login on a session speaks in its own name only; before it, as before', async () => {
  await using setup = await setUp();
  const person = await setup.join('anybody');
  assert.deepEqual(await says(person, chat('eve')), [{ clientId: 'eve', Message: 'hello' }]);
  await says(person, encodeLogin(bobLogin));
  person.ws.send(chat('eve'));
  assert.deepEqual(await person.closed, policy('clientId must be the user who is logged in'));
});

test('a token logs in at the upgrade, without a new token, until the logout', async () => {
  await using setup = await setUp();
  const { person, ack } = await setup.logIn();
  await person.leave();
  const query = `?login=${ack.token}`;
  const back = await setup.join('bob', `${query}&upTo=4&receiptsAfter=9`);
  await back.hears(1);
  const expected = { type: 'login_ack', result: 'ok', user: 'bob', waiting: 3 };
  assert.deepEqual(JSON.parse(back.heard[0]!), expected);
  assert.deepEqual(setup.part.told.at(-1), ['signedIn', bobsPhone, { upTo: 4, receiptsAfter: 9 }]);
  back.ws.send(encodeLogout());
  assert.deepEqual(await back.closed, { code: 1000, reason: 'logged out' });
  assert.equal((await refusedAt(setup.url + query)).status, 401);
  for (const bad of ['?login=', '?login=short', `?login=${'A'.repeat(43)}`, `?login=${'x'.repeat(2000)}`])
    assert.equal((await refusedAt(setup.url + bad)).status, 401, bad);
  for (const bad of [`${query}&login=x`, `${query}&upTo=x`, `${query}&upTo=-1`, `${query}&receiptsAfter=1.5`])
    assert.equal((await refusedAt(setup.url + bad)).status, 400, bad);
});

test('while the store does not answer a token is not refused but told to come back', async () => {
  await using setup = await setUp();
  const { person, ack } = await setup.logIn();
  setup.store.broken = true;
  const refused = await refusedAt(`${setup.url}?login=${ack.token}`);
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  person.ws.send(encodeLogout());
  assert.equal((await person.closed).code, 1013, 'the token is still valid, and the client knows');
});

test('where a part does not answer, the login is busy and its token is worth nothing', async () => {
  await using setup = await setUp();
  setup.part.waiting = () => Promise.reject(new Error('no answer'));
  const { person, ack } = await setup.logIn();
  assert.equal(ack.result, 'busy');
  setup.part.waiting = async () => 0;
  assert.equal(((await says(person, encodeLogin(bobLogin)))[0] as LoginAck).result, 'ok');
});

test('a device that logs in again closes its older session, by password and by token', async () => {
  await using setup = await setUp();
  const first = await setup.logIn();
  const tablet = await setup.logIn({ device: 'tablet' });
  const second = await setup.logIn();
  const elsewhere = { code: 4013, reason: 'logged in elsewhere' };
  assert.deepEqual(await first.person.closed, elsewhere);
  assert.equal(
    (await refusedAt(`${setup.url}?login=${first.ack.token}`)).status,
    401,
    'one token for a device',
  );
  const third = await setup.join('bob', `?login=${second.ack.token}`);
  assert.deepEqual(await second.person.closed, elsewhere);
  await third.hears(1);
  assert.deepEqual(await says(tablet.person, '{"type":"echo"}'), [{ type: 'echo' }]);
  await until(() => setup.devices.size === 2, 'two devices are left');
});

test('where the login is required nobody hears or says anything before it', async () => {
  await using setup = await setUp({ accounts: 'required' });
  const [bob, silent, mallory] = [
    await setup.join('bob'),
    await setup.join('x'),
    await setup.join('mallory'),
  ];
  assert.equal(setup.gateway.sessions, 3);
  mallory.ws.send(chat('bob'));
  assert.deepEqual(await mallory.closed, policy('log in first'));
  await says(bob, encodeLogin(bobLogin));
  assert.deepEqual(await says(bob, chat('bob')), [{ clientId: 'bob', Message: 'hello' }]);
  assert.deepEqual(silent.heard, []);
  const { ack } = await setup.logIn({ device: 'tablet' });
  const back = await setup.join('bob', `?login=${ack.token}`);
  await back.hears(1);
  await says(bob, chat('bob'));
  await back.hears(2);
  assert.deepEqual(silent.heard, []);
});

test('where the login is required it must come within the time of a handshake', async () => {
  await using setup = await setUp({ accounts: 'required' }, ['--handshake-timeout', '1s']);
  const silent = await setup.join('x');
  const { person } = await setup.logIn();
  assert.deepEqual(await silent.closed, policy('log in first'));
  assert.deepEqual(await says(person, '{"type":"echo"}'), [{ type: 'echo' }], 'who is logged in stays');
  const { values } = await setup.gateway.metrics.evictions.get();
  assert.deepEqual(values, [{ labels: { reason: 'login' }, value: 1 }]);
});

test('accounts are created at the port of the chat', async () => {
  await using setup = await setUp({}, ['--origins', 'https://chat.example']);
  const post = (origin: string) =>
    fetch(`http://127.0.0.1:${setup.port}/accounts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify({ user: 'eve', password: 'correct horse' }),
    });
  assert.equal((await post('https://evil.example')).status, 403);
  assert.equal((await post('https://chat.example')).status, 201);
  assert.equal((await setup.logIn({ user: 'eve' })).ack.result, 'ok');
});

test('a session that ends while its login is written leaves none behind', async () => {
  await using setup = await setUp();
  const { store } = setup;
  const written = Promise.withResolvers<void>();
  store.written = written.promise;
  const person = await setup.join('bob');
  person.ws.send(encodeLogin(bobLogin));
  await until(() => store.digests.length === 1, 'the login is being written');
  person.ws.terminate();
  await until(() => setup.gateway.sessions === 0, 'the session is over');
  assert.ok(await store.personOf(store.digests[0]!));
  written.resolve();
  await until(async () => (await store.personOf(store.digests[0]!)) === undefined, 'it is revoked');
  assert.deepEqual([setup.devices.size, setup.part.told], [0, []]);
});
