/** The stage contract about messages: their recipients, their order, and the counters. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { encodeMessage } from '#protocol';
import { Person, refusedAt } from '../../testing/person.ts';
import { noRate, type ServerProcess } from '../../testing/server.ts';
import { frameHeaderBytes } from '../chat/frame.ts';
import { isPerCore, type StageDeclaration } from './stage.ts';

export function conversationContract(
  stage: StageDeclaration,
  start: (...options: string[]) => Promise<ServerProcess>,
): void {
  describe('conversation', () => {
    let server: ServerProcess;
    const people: Person[] = [];
    before(async () => {
      server = await start(...noRate);
    });
    after(async () => {
      for (const { ws } of people) ws.terminate();
      await server[Symbol.asyncDispose]();
    });
    const join = async (room: string, ...ids: string[]): Promise<Person[]> => {
      const joined = await Person.joinAll(server.url(room), ids);
      people.push(...joined);
      return joined;
    };

    test('every session of the room receives a message, the sender included, and no other session does', async () => {
      const [alice, bob] = await join('', 'alice', 'bob');
      const [carol] = await join('tea', 'carol');
      const [dave] = await join('Tea', 'dave');
      alice!.say('to the global room');
      carol!.say('to tea');
      dave!.say('to Tea');
      // A message in the wrong room would arrive before the last line.
      await Promise.all([alice, bob, carol, dave].map((person) => person!.hears(1)));
      for (const person of [alice, carol, dave]) person!.say('the last line');
      await Promise.all([alice, bob, carol, dave].map((person) => person!.hears(2)));
      const heard = ({ messages }: Person) =>
        messages.map(({ clientId, Message }) => `${clientId}: ${Message}`);
      assert.deepEqual(heard(alice!), ['alice: to the global room', 'alice: the last line']);
      assert.deepEqual(heard(bob!), heard(alice!));
      assert.deepEqual(heard(carol!), ['carol: to tea', 'carol: the last line']);
      assert.deepEqual(heard(dave!), ['dave: to Tea', 'dave: the last line']);
    });

    test('the connection decides the room, and only the two fields are relayed, in their one form', async () => {
      const [alice] = await join('strict', 'alice');
      alice!.ws.send(
        '{ "Message":"hi\\u0021", "room":"tea", "clientId":"alice", "isAdmin":true, "__proto__":{"a":1} }',
      );
      await alice!.hears(1);
      assert.deepEqual(alice!.heard, ['{"clientId":"alice","Message":"hi!"}']);
    });

    test('any text arrives unchanged, up to the limits and in fragments', async () => {
      const [alice, bob] = await join('text', 'alice', 'bob');
      const odd = ['', 'naïve 日本語 👋🏽', '"\\\n\u0000\u001b[2J\u2028', '\ud800 alone'];
      const texts = [...odd, 'é'.repeat(2_048), '\u0001'.repeat(4_096)];
      for (const text of texts) alice!.say(text);
      const fragmented = encodeMessage({ clientId: 'x'.repeat(64), Message: 'in three frames' });
      alice!.ws.send(fragmented.slice(0, 7), { fin: false });
      alice!.ws.send(fragmented.slice(7, 30), { fin: false });
      alice!.ws.send(fragmented.slice(30));
      for (const person of [alice!, bob!]) {
        await person.hears(texts.length + 1);
        assert.deepEqual(person.texts, [...texts, 'in three frames']);
      }
    });

    test('all receive every message once, in the order that the stage promises', async () => {
      const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
      const talkers = await join('order', ...ids);
      for (let number = 0; number < 200; number++) {
        for (const talker of talkers) talker.say(`${number}`);
        if (number % 20 === 0) await talkers[number % ids.length]!.hears(number);
      }
      for (const talker of talkers) {
        await talker.hears(200 * ids.length);
        for (const id of ids) {
          const own = talker.messages.filter(({ clientId }) => clientId === id);
          const numbers = own.map(({ Message }) => Number(Message));
          assert.deepEqual(numbers, [...Array(200).keys()], `${talker.clientId} of ${id}`);
        }
        if (stage.order === 'one for all') assert.deepEqual(talker.heard, talkers[0]!.heard);
      }
    });

    const faults: [name: string, code: number, data: string | Buffer, binary: boolean][] = [
      ['a binary frame', 1003, encodeMessage({ clientId: 'mallory', Message: 'x' }), true],
      ['invalid UTF-8', 1007, Buffer.from([0x7b, 0xc3, 0x28]), false],
      ['a text that is not JSON', 1007, 'hello', false],
      ['an empty frame', 1007, '', false],
      ['an array', 1007, '["clientId","Message"]', false],
      ['null', 1007, 'null', false],
      ['a missing field', 1007, '{"clientId":"mallory"}', false],
      ['a number for a string', 1007, '{"clientId":"mallory","Message":1}', false],
    ];
    for (const [index, [name, code, data, binary]] of faults.entries()) {
      test(`${name} costs only its sender the connection (${code})`, async () => {
        const [alice, mallory] = await join(`fault-${index}`, 'alice', 'mallory');
        alice!.say('before');
        await mallory!.hears(1);
        const closes = `chat_closes_total{code="${code}"}`;
        const before = (await server.metrics())(closes);
        mallory!.ws.send(data, { binary });
        assert.equal((await mallory!.closed).code, code);
        alice!.say('after');
        assert.deepEqual((await alice!.hears(2)).texts, ['before', 'after']);
        await server.reaches(closes, before + 1);
      });
    }

    test('a ping is answered with its payload', async () => {
      const [alice] = await join('ping', 'alice');
      const pong = new Promise((resolve) => alice!.ws.once('pong', (data) => resolve(data.toString())));
      alice!.ws.ping('are you there');
      assert.equal(await pong, 'are you there');
    });

    test('any other path, and a path with an invalid room name, is 404 before the upgrade', async () => {
      const before = (await server.metrics())('chat_rejections_total{reason="path"}');
      const paths = ['/', '/chat', '/wss', '/ws/', '/ws/a/b', '/ws/a%20b', `/ws/${'x'.repeat(65)}`];
      for (const path of paths) assert.equal((await refusedAt(server.origin + path)).status, 404, path);
      const counted = (await server.metrics())('chat_rejections_total{reason="path"}') - before;
      assert.equal(counted, paths.length);
      const http = server.origin.replace(/^ws/, 'http');
      assert.equal((await fetch(`${http}/nothing`)).status, 404);
      for (const path of ['/ws', '/ws?token=x', '/ws/tea'])
        assert.equal((await fetch(http + path)).status, 426, path);
    });

    test('liveness, readiness and the name of the stage are on the internal port only', async () => {
      assert.equal((await server.get('/healthz')).status, 200);
      assert.equal((await server.get('/readyz')).status, 200);
      const metrics = await server.get('/metrics');
      assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain/);
      assert.match(metrics.headers.get('server-timing') ?? '', /^cpu;dur=\d+\.\d{3}$/);
      const buildInfo = new RegExp(`^chat_build_info\\{.*stage="${stage.name}".*\\} 1$`, 'm');
      assert.match(await metrics.text(), buildInfo);
      for (const path of ['/metrics', '/healthz', '/readyz']) {
        assert.equal((await fetch(server.origin.replace(/^ws/, 'http') + path)).status, 404, path);
      }
    });

    test('each event loop counts its time: active, idle, and collecting garbage', async () => {
      const text = await (await server.get('/metrics')).text();
      const counted = (name: string) =>
        [...text.matchAll(new RegExp(`^chat_${name}_seconds_total\\{loop="(\\d+)"\\} (\\S+)$`, 'gm'))].map(
          ([, loop, seconds]) => ({ loop: Number(loop), seconds: Number(seconds) }),
        );
      const active = counted('event_loop_active');
      const loops = active.map(({ loop }) => loop);
      assert.deepEqual(loops, [...Array(isPerCore(stage) ? loops.length : 1).keys()]);
      assert.ok(loops.length >= 1 && active.every(({ seconds }) => seconds > 0), text);
      assert.equal(counted('event_loop_idle').filter(({ seconds }) => seconds > 0).length, loops.length);
      assert.equal(counted('gc').length, loops.length);
    });

    test('sessions, rooms, messages, deliveries and bytes are counted exactly', async () => {
      const before = await server.metrics();
      const talkers = await join('counted', 'ann', 'ben', 'cas');
      const texts = ['x', 'y'.repeat(200), 'z'.repeat(4_000)];
      for (const text of texts) talkers[0]!.say(text);
      await Promise.all(talkers.map((talker) => talker.hears(texts.length)));
      const frameBytes = texts
        .map((text) => Buffer.byteLength(encodeMessage({ clientId: 'ann', Message: text })))
        .reduce((sum, payloadBytes) => sum + frameHeaderBytes(payloadBytes) + payloadBytes, 0);
      const totals = ['messages_received', 'deliveries', 'delivered_bytes'].map((name) => `${name}_total`);
      const names = ['sessions', 'rooms', ...totals];
      // Each process that has sessions of a room counts the room.
      const roomsFit = (rooms: number) => (isPerCore(stage) ? rooms >= 1 && rooms <= 3 : rooms === 1);
      await server.eventually(
        (now) => names.map((name) => now(`chat_${name}`) - before(`chat_${name}`)),
        ([sessions, rooms, ...totals]) =>
          sessions === 3 && roomsFit(rooms!) && isDeepStrictEqual(totals, [3, 9, 3 * frameBytes]),
      );
      const rounded = 'chat_fan_out_seconds_count';
      const rounds = (await server.metrics())(rounded) - before(rounded);
      assert.ok(rounds >= 1 && rounds <= 9, `one observation per round, not per delivery: ${rounds}`);
      await Promise.all(talkers.map((talker) => talker.leave()));
      await server.eventually(
        (now) => ['chat_sessions', 'chat_rooms'].map((name) => now(name) - before(name)),
        ([sessions, rooms]) => sessions === 0 && rooms === 0,
      );
    });
  });
}
