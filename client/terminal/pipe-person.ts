/** A person with an account in a pipe: logs in, sends lines to one person, prints messages of persons. */
import type { DirectMessage } from '#protocol';
import type { PersonClient } from '../core/person-client.ts';
import { neutralise } from '../core/visible-text.ts';
import { loginWords } from './account-commands.ts';
import { markWords } from './direct-lines.ts';
import { escapedJson, seconds } from './line-format.ts';
import { noAccounts } from './place.ts';

/** Attempts to log in while the server is busy. Chosen, not measured. */
const loginsMax = 5;
/** So many messages wait for their answers at a time. Chosen, not measured. */
const openMax = 64;

/** `bob → you: hello`, or a line of JSON with all that the server said. */
export function directLine({ from, id, seq, Message, sentAtMs }: DirectMessage, json: boolean): string {
  if (json) return escapedJson({ from, id, seq, Message, sentAtMs });
  return `${neutralise(from)} → you: ${neutralise(Message)}`;
}

/**
 * Logs in, again while the server is busy. Resolves to why that failed, in words; undefined if it did
 * not.
 */
export async function logInPipe(
  person: PersonClient,
  user: string,
  password: string,
  notice: (text: string) => void,
): Promise<string | undefined> {
  const { account, chat } = person;
  if (!(await person.hasAccounts().catch(() => true))) return noAccounts;
  for (let attempt = 1; ; attempt++) {
    const outcome = await account.login({ user, password });
    if (outcome.result === 'ok') return undefined;
    if (outcome.result !== 'busy' || attempt === loginsMax) return loginWords(outcome);
    notice(`the server is busy: logging in again in ${seconds(outcome.retryAfterMs)}`);
    await new Promise<void>((done) => chat.clock.after(outcome.retryAfterMs, done));
  }
}

/** Sends lines to one person, and counts those that their mailbox did not take. */
export class DirectPipe {
  readonly #person: PersonClient;
  readonly #to: string;
  readonly #onRoom = new Set<() => void>();
  /** Messages that were not stored. */
  failed = 0;

  constructor(person: PersonClient, to: string, notice: (text: string) => void) {
    this.#person = person;
    this.#to = to;
    person.events.on('mark', (message) => {
      if (message.mark === 'full' || message.mark === 'unknown') {
        this.failed += 1;
        notice(`${JSON.stringify(message.text)} ${markWords(message)}`);
      }
      if (person.unanswered < openMax) this.#wake();
    });
    person.chat.events.on('closed', ({ final }) => final && this.#wake());
  }

  /** Resolves to false when the client ended before the line could be sent. */
  async put(line: string): Promise<boolean> {
    while (this.#person.unanswered >= openMax && !this.#person.chat.ended)
      await new Promise<void>((done) => this.#onRoom.add(done));
    return !this.#person.chat.ended && this.#person.say(this.#to, line) !== undefined;
  }

  #wake(): void {
    for (const done of this.#onRoom) done();
    this.#onRoom.clear();
  }
}
