/** One person in one room: events of the client go to the page, lines of the person to the client. */
import { closeCode, pathOfRoom } from '#protocol';
import { browserSocket } from '../core/browser-socket.ts';
import type { ChatClient, ChatEvents } from '../core/chat-client.ts';
import { Outbox } from '../core/outbox.ts';
import { PersonClient } from '../core/person-client.ts';
import { describeEnd } from '../core/reconnect.ts';
import { resumption } from '../core/resume.ts';
import type { Composer } from './composer.ts';
import type { Seat } from './join-form.ts';
import type { MessageList } from './message-list.ts';
import { showCountdown, showState } from './state-line.ts';
import { deviceName } from './tab-memory.ts';

/** Below the server's limit for one session. */
const linesPerSecondMax = 50;
/** A line that has not come back for so long says that the connection is dead. Chosen, not measured. */
const echoMsMax = 10_000;

export type Listeners = {
  /** A message of another came. */
  readonly onHeard: () => void;
  /** The server asks for a token, or for another one. */
  readonly onTokenNeeded: () => void;
  /** The server asks who this is. */
  readonly onLoginNeeded: () => void;
};

export class Conversation {
  readonly seat: Seat;
  readonly person: PersonClient;
  readonly #client: ChatClient;
  readonly #outbox: Outbox;
  readonly #list: MessageList;
  readonly #composer: Composer;
  readonly #listeners: Listeners;
  readonly #stops: (() => void)[] = [];
  #echoTimer: ReturnType<typeof setTimeout> | undefined;
  #unechoed = 0;
  readonly #returns: boolean;
  #wasConnected = false;
  #left = false;

  /** `returns`: the list holds what this person heard in the room before. */
  constructor(seat: Seat, returns: boolean, list: MessageList, composer: Composer, listeners: Listeners) {
    this.seat = seat;
    this.#returns = returns;
    this.#list = list;
    this.#composer = composer;
    this.#listeners = listeners;
    const options = { url: chatUrlOf(seat), clientId: seat.name, openSocket: browserSocket };
    this.person = new PersonClient(options, deviceName());
    this.#client = this.person.chat;
    this.#outbox = new Outbox(this.#client, linesPerSecondMax, (lines) => this.#onUnconfirmed(lines));
    const { events } = this.#client;
    this.#stops.push(
      events.on('connected', (event) => this.#onConnected(event)),
      events.on('message', (message) => {
        const own = this.#outbox.isEcho(message);
        if (own) this.#onEcho(message.Message);
        else listeners.onHeard();
        list.message(message, own);
      }),
      events.on('resumed', (event) => this.#onResumed(event)),
      events.on('closed', (event) => this.#onClosed(event)),
      events.on('waiting', ({ waitMs }) => showCountdown(waitMs)),
    );
  }

  /** Starts to connect, once everybody listens. */
  connect(): void {
    showState('connecting', 'Connecting…');
    this.#client.connect();
  }

  get ended(): boolean {
    return this.#client.ended;
  }

  say(line: string): void {
    void this.#outbox.put(line).then((sent) => sent && this.#awaitEcho());
  }

  retryNow(): void {
    if (this.#client.connected || this.ended) return;
    this.#client.retryNow();
  }

  leave(): void {
    this.#left = true;
    for (const stop of this.#stops) stop();
    clearTimeout(this.#echoTimer);
    this.#client.close();
  }

  #onConnected({ again }: ChatEvents['connected']): void {
    this.#wasConnected = true;
    showState('connected', 'Connected');
    // A client of its own knows no position; after that, the client itself tells what was missed.
    if (!again && this.#returns) this.#onResumed({ complete: false, lateCount: 0 });
  }

  #onResumed(event: ChatEvents['resumed']): void {
    this.#list.note(`Back in the room: ${resumption(event)}.`, event.complete ? 'note' : 'warning');
  }

  #onClosed({ end, final }: ChatEvents['closed']): void {
    clearTimeout(this.#echoTimer);
    this.#unechoed = 0;
    if (end.kind === 'closed' && end.code === closeCode.policy && end.reason.includes('token')) {
      return this.#listeners.onTokenNeeded();
    }
    if (end.kind === 'closed' && end.code === closeCode.policy && /\blog in\b/.test(end.reason))
      return this.#listeners.onLoginNeeded();
    const why = describeEnd(end);
    if (this.#wasConnected) this.#list.note(`Disconnected: ${why}.`, 'warning');
    this.#wasConnected = false;
    if (final) showState('ended', `Disconnected: ${why}. This page does not try again by itself.`);
    else showState('offline', `Offline. ${why[0]!.toUpperCase()}${why.slice(1)}.`);
  }

  #awaitEcho(): void {
    this.#unechoed += 1;
    if (this.#unechoed === 1) this.#watchEcho();
  }

  #onEcho(line: string): void {
    this.#composer.settle(line);
    this.#unechoed = Math.max(0, this.#unechoed - 1);
    clearTimeout(this.#echoTimer);
    if (this.#unechoed > 0) this.#watchEcho();
  }

  /** TCP notices a dead link after minutes, and a browser cannot ping. */
  #watchEcho(): void {
    clearTimeout(this.#echoTimer);
    const cause = `what you wrote did not come back within ${echoMsMax / 1000} s`;
    this.#echoTimer = setTimeout(() => this.#client.abandon(cause), echoMsMax);
  }

  #onUnconfirmed(lines: readonly string[]): void {
    if (this.#left) return;
    for (const line of lines) {
      this.#composer.settle(line);
      this.#list.note(`Perhaps not delivered: ${line}`, 'warning');
    }
  }
}

/** Where the chat is: below the path of the page, so that a proxy may put both under a prefix. */
export function chatUrlOf({ room, token }: Seat): string {
  const url = new URL(`.${pathOfRoom(room)}`, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  url.search = '';
  if (token !== '') url.searchParams.set('token', token);
  return url.href;
}
