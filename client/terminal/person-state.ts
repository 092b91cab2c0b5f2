/** What a terminal tells of the login, of people who come and go, and of who writes just now. */
import type { PersonClient } from '../core/person-client.ts';
import { refusalWords } from '../core/post-words.ts';
import type { LineStyle } from './line-format.ts';
import type { Screen } from './screen.ts';

/** The line above the input: the lost connection, or else who writes. */
export class StateLine {
  readonly #person: PersonClient;
  readonly #screen: Screen;
  readonly #style: LineStyle;
  #offline = '';

  constructor(person: PersonClient, screen: Screen, style: LineStyle) {
    this.#person = person;
    this.#screen = screen;
    this.#style = style;
    person.events.on('presence', () => this.#show());
  }

  /** Why there is no connection; empty while there is one. */
  offline(text: string): void {
    this.#offline = text;
    this.#show();
  }

  #show(): void {
    const { columns } = this.#screen;
    const { typing } = this.#person.presence;
    if (this.#offline !== '') this.#screen.status(this.#style.status(this.#offline, columns));
    else this.#screen.status(typing.length === 0 ? '' : this.#style.hint(typingWords(typing), columns));
  }
}

/** Tells of logins, of gaps, of subscriptions that ended, and when somebody who is watched comes or goes. */
export function tellOfAccount(
  person: PersonClient,
  notice: (text: string) => void,
  warning: (text: string) => void,
): void {
  const { account, presence } = person;
  account.events.on('signedIn', ({ user, waiting, again }) => {
    const messages = waiting === 1 ? '1 message waits' : `${waiting} messages wait`;
    if (!again) notice(`logged in as ${user}; ${waiting === 0 ? 'no messages wait' : messages} for you`);
    else if (waiting > 0) notice(`${messages} for you`);
  });
  account.events.on('signedOut', ({ user, why }) => {
    if (why === 'left') notice(`logged out; you are ${person.chat.clientId} again`);
    else warning(`the login of ${user} has expired: /login ${user} again`);
  });
  person.events.on('missing', ({ from, to }) => {
    const count = to - from + 1;
    warning(`${count === 1 ? '1 message is' : `${count} messages are`} gone: you were away for too long`);
  });
  person.events.on('subscribed', ({ again, older, ...ack }) => {
    if (!again || ack.result === 'busy') return;
    if (ack.result !== 'ok') warning(`no more posts of ${ack.menu}: ${refusalWords(ack)}`);
    else if (older) warning(`posts of ${ack.menu} are missing: you were away for too long`);
  });
  const known = new Map<string, string>();
  person.events.on('presence', () => {
    for (const user of presence.watched) {
      const state = presence.stateOf(user);
      // While there is no connection nothing is known, and nothing has changed.
      if (state === undefined || known.get(user) === state) continue;
      known.set(user, state);
      notice(`${user} is ${state}`);
    }
  });
}

/** `bob is typing …`, `bob and eve are typing …` */
export function typingWords(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(' and ');
  return `${shown} ${names.length === 1 ? 'is' : 'are'} typing …`;
}
