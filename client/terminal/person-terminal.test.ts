import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Menu, Post } from '#protocol';
import { PersonServer, passwordOf } from '../core/person-server.fixture.ts';
import { RoomServer } from '../core/room-server.fixture.ts';
import { openTerminal } from './terminal.fixture.ts';

type Opened = Awaited<ReturnType<typeof openTerminal>>;

/** Waits until a row of the screen fits, while the clock of the client moves on. */
async function shows({ clock, shown, tty }: Opened, pattern: RegExp): Promise<void> {
  for (let turn = 0; !shown().some((row) => pattern.test(row)); turn++) {
    assert.ok(turn < 1_000, `${pattern} is not in ${JSON.stringify(tty.screen, undefined, 1)}`);
    clock.advance(10);
    await new Promise((done) => setTimeout(done, 2));
  }
}

/** Types a line when a row of the screen fits. */
async function answer(opened: Opened, question: RegExp, line: string): Promise<void> {
  await shows(opened, question);
  opened.tty.type(`${line}\r`);
}

async function logIn(server: PersonServer, user: string, columns = 100, rows?: number): Promise<Opened> {
  const opened = await openTerminal(server, columns, rows);
  opened.tty.type(`/login ${user}\r`);
  await answer(opened, new RegExp(`password of ${user} `), passwordOf(user));
  await shows(opened, new RegExp(`logged in as ${user}`));
  return opened;
}

test('a password is never on the screen; a wrong one is told; the right one logs in', async () => {
  await using server = await PersonServer.start('alice');
  server.store('bob', 'alice', 'while you were away');
  const opened = await openTerminal(server, 100);
  const { tty, end, client } = opened;
  const seen: string[] = [];
  tty.output.on('drawn', (text: string) => seen.push(text));
  tty.type('/login alice\r');
  await answer(opened, /password of alice \(not shown\):/, 'not hers\u007f\u007f at all');
  await shows(opened, /not logged in: the name or the password is wrong/);
  tty.type('/login alice\r');
  await shows(opened, /password of alice/);
  tty.type(`wrong\u0015${passwordOf('alice')}\r`);
  await shows(opened, /\* logged in as alice; 1 message waits for you/);
  await shows(opened, /bob → you: while you were away · sent 1 Jan/);
  assert.doesNotMatch(seen.join(''), /not hers|the password of/);
  assert.deepEqual(
    server.framesOf('login').map(({ password }) => password),
    ['not he at all', passwordOf('alice')],
  );
  tty.type('/nick eve\r');
  await shows(opened, /you are logged in as alice; \/logout first/);
  tty.type('/logout\r');
  await shows(opened, /logged out; you are alice again|back in room tea/);
  assert.equal(client.ended, false);
  tty.type('/quit\r');
  assert.equal(await end, 'left');
});

test('marks change on the line itself, as long as it is on the screen; after that in a short line', async () => {
  await using server = await PersonServer.start('alice', 'bob');
  const opened = await logIn(server, 'alice', 60, 14);
  const { tty, shown, end } = opened;
  tty.type('/msg bob hello bob\r');
  await shows(opened, /alice \(you\) → bob: hello bob · stored$/);
  server.store('bob', 'alice', 'yes?');
  await shows(opened, /bob → you: yes\?/);
  server.tell('alice', { type: 'received', by: 'bob', upTo: 1, version: 1 });
  await shows(opened, /→ bob: hello bob · received$/);
  assert.equal(shown().filter((row) => row.includes('hello bob')).length, 1);
  assert.ok(
    shown().findIndex((row) => row.includes('hello')) < shown().findIndex((row) => row.includes('yes?')),
  );
  for (let line = 0; line < 14; line++) server.room.say('carol', `line ${line}`);
  await shows(opened, /carol: line 13/);
  server.tell('alice', { type: 'read', by: 'bob', upTo: 1, version: 2 });
  await shows(opened, /^\* to bob: "hello bob" · read$/);
  assert.equal(
    shown().filter((row) => /hello bob · received/.test(row)).length,
    1,
    'the old line is as it was',
  );
  tty.type('/msg nobody hello\r');
  await shows(opened, /^ +· not delivered: nobody has the name nobody$/);
  tty.type('/quit\r');
  assert.equal(await end, 'left');
});

test('what is on the screen counts as read, and a character of unknown width is not drawn over', async () => {
  await using server = await PersonServer.start('alice', 'bob');
  const opened = await logIn(server, 'alice');
  const { tty, shown } = opened;
  tty.type('/msg bob hi\r');
  await shows(opened, /→ bob: hi · stored/);
  server.store('bob', 'alice', 'an emoji 👋');
  await shows(opened, /an emoji/);
  server.tell('alice', { type: 'read', by: 'bob', upTo: 1, version: 1 });
  await shows(opened, /^\* to bob: "hi" · read$/);
  assert.equal(shown().filter((row) => /an emoji/.test(row)).length, 1);
  for (let turn = 0; server.framesOf('read').length === 0; turn++) {
    assert.ok(turn < 500);
    opened.clock.advance(10);
    await new Promise((done) => setTimeout(done, 2));
  }
  assert.deepEqual(server.framesOf('read'), [{ type: 'read', peer: 'bob', upTo: 1 }]);
  tty.type('/quit\r');
  await opened.end;
});

test('watched people come and go, and typing is shown for a while; one’s own is told', async () => {
  await using server = await PersonServer.start('alice', 'bob');
  const opened = await logIn(server, 'alice');
  const { tty, shown, clock } = opened;
  tty.type('/watch bob Not-A-Name\r');
  await shows(opened, /nobody can have the name Not-A-Name/);
  await shows(opened, /^\* bob is away$/);
  server.tell('alice', { type: 'presence', users: { bob: 'online' } });
  await shows(opened, /^\* bob is online$/);
  tty.type('/who\r');
  await shows(opened, /you watch: bob online/);
  server.tell('alice', { type: 'presence', from: 'bob', state: 'typing' });
  for (let turn = 0; !tty.screen.some((row) => row === 'bob is typing …'); turn++) {
    assert.ok(turn < 500, 'typing is shown');
    await new Promise((done) => setTimeout(done, 2));
  }
  clock.advance(6_000);
  await new Promise((done) => setTimeout(done, 20));
  assert.equal(shown().includes('bob is typing …'), false);
  tty.type('/msg bob h');
  for (let turn = 0; server.framesOf('presence').length === 0; turn++) {
    assert.ok(turn < 500, 'the server is told');
    await new Promise((done) => setTimeout(done, 2));
  }
  assert.deepEqual(server.framesOf('presence'), [{ type: 'presence', to: 'bob', state: 'typing' }]);
  tty.type('\u0015/quit\r');
  await opened.end;
});

test('an account is made with a password that is typed twice', async () => {
  await using server = await PersonServer.start('bob');
  const opened = await openTerminal(server, 100);
  const { tty } = opened;
  tty.type('/register bob\r');
  await answer(opened, /a password for bob/, 'long enough');
  await answer(opened, /the same again/, 'long enough');
  await shows(opened, /no account was made: somebody has the name bob already/);
  tty.type('/register carol\r');
  await answer(opened, /a password for carol/, 'long enough');
  await answer(opened, /the same again/, 'something else');
  await shows(opened, /the two are not the same; no account was made/);
  tty.type('/register carol\r');
  await answer(opened, /a password for carol/, 'long enough');
  await answer(opened, /the same again/, 'long enough');
  await shows(opened, /the account carol is made/);
  await shows(opened, /logged in as carol; no messages wait for you/);
  assert.equal(server.passwords.get('carol'), 'long enough');
  tty.type('/quit\r');
  await opened.end;
});

test('a server without accounts says so kindly, keeps the connection, and its help lists no such command', async () => {
  await using server = await RoomServer.start();
  const opened = await openTerminal(server, 120);
  const { tty, client, shown } = opened;
  tty.type('/login alice\r');
  await shows(opened, /this server has no accounts: its stage is older than 07-mailbox/);
  tty.type('/help\r');
  await shows(opened, /up arrow/);
  // Whether the server has accounts is known by now, so nothing more would be listed.
  assert.equal(await opened.person.hasAccounts(), false);
  assert.equal(
    shown().some((row) => /\/(login|msg|post)/.test(row) && !row.includes('this server')),
    false,
  );
  assert.equal(client.connected, true);
  tty.type('/quit\r');
  await opened.end;

  await using able = await PersonServer.start();
  const other = await openTerminal(able, 120);
  other.tty.type('/help\r');
  await shows(other, /^\* \/msg <name> <text> +a message to one person/);
  other.tty.type('/msg bob hi\r');
  await shows(other, /log in first: \/login <name>, or \/register <name>/);
  other.tty.type('/quit\r');
  await other.end;
});

const cars: Menu = {
  name: 'cars',
  title: 'Cars for sale',
  trees: [
    {
      name: 'place',
      depths: [1, 2],
      children: [
        { name: 'Portugal', children: [{ name: 'Lisbon' }, { name: 'Porto' }] },
        { name: 'Spain', children: [{ name: 'Madrid' }] },
      ],
    },
    { name: 'kind', depths: [0, 1], children: [{ name: 'van' }, { name: 'bus' }] },
  ],
  features: ['old', 'red'],
  quantities: [{ name: 'price', unit: 'EUR' }],
};

test('channels are chosen by numbers and names; posts come with names; one is published and deleted', async () => {
  await using server = await PersonServer.start('alice');
  server.menus = [cars];
  const asked: Record<string, unknown>[] = [];
  server.other = ({ socket }, frame) => {
    asked.push(frame);
    const { menu, id } = frame;
    const acks: Record<string, unknown> = {
      subscribe: { type: 'subscribe_ack', menu, result: 'ok', channels: 4, posts: 1 },
      publish: { type: 'publish_ack', menu, id, result: 'ok', items: [{ id: 17, date: 5 }] },
      delete: { type: 'delete_ack', menu, id, result: id === 17 ? 'ok' : 'foreign' },
    };
    socket.send(JSON.stringify(acks[String(frame.type)]));
    if (frame.type !== 'subscribe') return;
    const post: Post = {
      ...{ menu: 'cars', id: 3, date: 1, from: 'bob', to: [[0, 1], [1]], body: 'a bus' },
      ...{ features: [1], ranges: { price: 900 } },
    };
    socket.send(JSON.stringify({ type: 'post', ...post }));
  };
  const opened = await logIn(server, 'alice', 140);
  const { tty } = opened;
  tty.type('/subscribe\r');
  await shows(opened, /1 cars – Cars for sale/);
  await answer(opened, /which menu\?/, 'cars');
  await shows(opened, /^\* 4 Spain · 5 Madrid$/);
  await answer(opened, /place: which ones\?/, '2, por');
  await shows(opened, /por may be several of them:/);
  await answer(opened, /place: which ones\?/, 'porto, 4');
  await answer(opened, /kind: which ones\?/, 'all');
  await shows(opened, /subscribed to cars: 2 channels/);
  await shows(opened, /post cars 3 · Portugal › Porto, bus · bob, 1 Jan .*: a bus \(red, price 900\)/);
  assert.deepEqual(asked[0], {
    ...{ type: 'subscribe', menu: 'cars', channels: [[[0, 1], [1]], [[]]], filters: [] },
  });
  tty.type('/post cars\r');
  await answer(opened, /place: which one\?/, 'madrid');
  await answer(opened, /kind: which one\?/, 'van');
  await answer(opened, /text of the post/, 'a van, hardly used');
  await answer(opened, /features, as 1, 3/, '1');
  await answer(opened, /price in EUR/, '4500');
  await shows(opened, /published as cars 17; \/delete cars 17 takes it back/);
  const items = [
    {
      ...{ to: [[1, 0], [0]], body: 'a van, hardly used' },
      ...{ features: [0], ranges: { price: 4500 } },
    },
  ];
  assert.deepEqual({ ...asked[1], id: '' }, { type: 'publish', menu: 'cars', id: '', items });
  tty.type('/delete cars 3\r');
  await shows(opened, /cars 3 is not deleted: it is not yours/);
  tty.type('/delete cars 17\r');
  await shows(opened, /cars 17 is deleted/);
  tty.type('/posts\r');
  await shows(opened, /subscribed to cars \(2 channels\)/);
  tty.type('/quit\r');
  await opened.end;
});

test('a table of commands keeps its columns, a command ends a question, a missing file is told', async () => {
  await using server = await PersonServer.start('alice');
  server.menus = [cars];
  const opened = await logIn(server, 'alice', 80, 60);
  const { tty, shown, end } = opened;
  tty.type('/help\r');
  await shows(opened, /^\* \/delete /);
  const rows = shown();
  const first = rows.findIndex((row) => row.startsWith('* /rooms '));
  const column = rows[first]!.indexOf('the room');
  assert.match(rows[first + 1]!, /^ +\S/);
  assert.ok(rows[first + 1]!.search(/\S/) > column, 'below the text, and not below the command');
  tty.type('/image /no/such file.png\r');
  await shows(opened, /\/image: \/no\/such file\.png cannot be read: there is no such file/);
  tty.type('/post\r');
  await shows(opened, /1 cars – Cars for sale/);
  tty.type('/quit\r');
  assert.equal(await end, 'left');
});
