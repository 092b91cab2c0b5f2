/** The chat on a terminal that a test can read. */
import type { ChatClient } from '../core/chat-client.ts';
import { PersonClient } from '../core/person-client.ts';
import { ManualClock, nextEvent, type RoomServer } from '../core/room-server.fixture.ts';
import { runTerminal, type TerminalEnd } from './terminal.ts';
import { Tty } from './tty.fixture.ts';
import { wsSockets } from './ws-socket.ts';

export const settings = {
  colours: false,
  roomName: 'room tea',
  messageBytesMax: 200,
  messagesPerSecondMax: 100,
  echoWaitMs: 1_000,
};

/** A terminal of this many columns, with alice in the room. */
export async function openTerminal(server: Pick<RoomServer, 'url'>, columns: number, rows?: number) {
  const tty = new Tty(columns, rows);
  const clock = new ManualClock();
  const openSocket = wsSockets();
  const person = new PersonClient({ url: server.url, clientId: 'alice', openSocket, clock }, 'test');
  const client = person.chat;
  const end: Promise<TerminalEnd> = runTerminal(person, {
    ...settings,
    input: tty.input,
    output: tty.output,
  });
  await nextEvent(client, 'connected');
  await drawn();
  /** The screen below the greeting, without the times of day. */
  const shown = (): string[] => {
    const rows = tty.screen.map((row) => row.replace(/^\d\d:\d\d:\d\d /, ''));
    return rows.slice(rows.findIndex((row) => row.startsWith('* you are in')) + 1);
  };
  return { tty, person, client, clock, end, shown };
}

/** Waits until everything is on the screen: printing waits one turn of the event loop. */
export async function drawn(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((done) => setImmediate(done));
}

/** Does something that brings a message, and waits until that is on the screen. */
export async function hearAfter(client: ChatClient, act: () => void): Promise<void> {
  const received = nextEvent(client, 'message');
  act();
  await received;
  await drawn();
}
