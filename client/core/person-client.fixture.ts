/** Clients of persons for tests, on a clock that only the test moves. */
import assert from 'node:assert/strict';
import { wsSockets } from '../terminal/ws-socket.ts';
import type { ChatClientOptions } from './chat-client.ts';
import { PersonClient, type PersonEvents } from './person-client.ts';
import { type PersonServer, passwordOf } from './person-server.fixture.ts';
import { ManualClock, nextEvent } from './room-server.fixture.ts';

const opened: PersonClient[] = [];

/** Closes every client that was made here. */
export function closeAll(): void {
  for (const person of opened.splice(0)) person.chat.close();
}

/** A client that is not connected yet; its clock stands still. */
export function prepare(server: PersonServer, settings: Partial<ChatClientOptions> = {}) {
  const clock = new ManualClock();
  const { url } = server;
  const options = { url, clientId: 'guest', openSocket: wsSockets(), clock, random: () => 0.5, ...settings };
  const person = new PersonClient(options, 'test');
  opened.push(person);
  const heard: string[] = [];
  person.events.on('message', ({ from, seq, Message }) => heard.push(`${from} ${seq} ${Message}`));
  person.events.on('missing', ({ from, to }) => heard.push(`missing ${from} to ${to}`));
  const marks: string[] = [];
  person.events.on('mark', ({ text, mark }) => marks.push(`${text} ${mark}`));
  return { person, clock, heard, marks };
}

/** A client that is logged in. */
export async function logIn(server: PersonServer, user: string) {
  const prepared = prepare(server);
  const { person, clock } = prepared;
  person.chat.connect();
  await nextEvent(person.chat, 'connected');
  assert.equal((await person.account.login({ user, password: passwordOf(user) })).result, 'ok');
  /** Ends the connection, lets `meanwhile` happen, and comes back. */
  const comeBack = async (meanwhile = () => {}) => {
    const waiting = nextEvent(person.chat, 'waiting');
    server.room.cutAll();
    const { waitMs } = await waiting;
    meanwhile();
    clock.advance(waitMs);
    await signedIn(person);
  };
  return { ...prepared, comeBack };
}

/** The next login that succeeds. */
export function signedIn(person: PersonClient): Promise<{ user: string; waiting: number; again: boolean }> {
  return new Promise((resolve) => {
    const stop = person.account.events.on('signedIn', (event) => {
      stop();
      resolve(event);
    });
  });
}

/** The next event of that name for which `holds` is true. */
export function next<Name extends keyof PersonEvents>(
  person: PersonClient,
  name: Name,
  holds: (value: PersonEvents[Name]) => boolean = () => true,
): Promise<PersonEvents[Name]> {
  return new Promise((resolve) => {
    const stop = person.events.on(name, (value) => {
      if (!holds(value)) return;
      stop();
      resolve(value);
    });
  });
}

/** Waits until the server has had so many frames of that type, while time passes for the client. */
export async function frames(server: PersonServer, clock: ManualClock, type: string, count: number) {
  for (let turn = 0; server.framesOf(type).length < count; turn++) {
    assert.ok(turn < 2_000, `${type}: ${server.framesOf(type).length} of ${count}`);
    clock.advance(1);
    await new Promise((done) => setTimeout(done, 1));
  }
  return server.framesOf(type);
}
