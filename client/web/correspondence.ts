/**
 * The conversations of a person with others: what was said, what is unread, and what this tab keeps of
 * it.
 */
import type { DirectMessage } from '#protocol';
import type { Kept, PersonClient } from '../core/person-client.ts';
import type { Mark, SentMessage } from '../core/sent-messages.ts';
import { Soon } from './soon.ts';
import { remember, remembered } from './tab-memory.ts';

/** One message of a conversation; `mark` for one's own. */
export type Entry = {
  readonly id: string;
  readonly own: boolean;
  readonly text: string;
  readonly atMs: number;
  readonly seq?: number;
  readonly mark?: Mark;
};

export type Dialogue = {
  readonly name: string;
  entries: Entry[];
  /** Messages that the person has not seen. */
  unread: number;
};

/** A tab keeps so many messages of each conversation over a reload. Chosen, not measured. */
const keptMax = 200;
/** Changes within so many ms are written to the tab's storage together. Chosen, not measured. */
const keepMs = 250;

/**
 * The storage of a tab (sessionStorage) holds the token and the messages: a reload keeps the person
 * logged in, the end of the tab ends it, no other tab and no other site can read it, and no request
 * carries it. In memory alone each reload would ask for the password; localStorage would leave the token
 * on a shared computer.
 */
const storageKey = 'person';

type Stored = { readonly login: Omit<Kept, 'sent'>; readonly dialogues: readonly Dialogue[] };

/** The login of before this page was loaded; undefined where there is none. */
export function storedLogin(): Stored | undefined {
  try {
    const stored = JSON.parse(remembered(storageKey)) as Stored | '';
    return stored === '' ? undefined : stored;
  } catch {
    return undefined;
  }
}

export type CorrespondenceEvents = {
  /** The list has changed: a name, a number, a presence. */
  readonly onChange: () => void;
  readonly onEntry: (dialogue: Dialogue, entry: Entry) => void;
  readonly onMark: (dialogue: Dialogue, entry: Entry) => void;
  /** Whether the person sees a message of that person at once. */
  readonly sees: (name: string) => boolean;
};

export class Correspondence {
  readonly #person: PersonClient;
  readonly #events: CorrespondenceEvents;
  readonly #stops: readonly (() => void)[];
  readonly #dialogues = new Map<string, Dialogue>();
  readonly #keeping = new Soon(keepMs, () => this.keep());

  constructor(person: PersonClient, events: CorrespondenceEvents) {
    this.#person = person;
    this.#events = events;
    this.#stops = [
      person.events.on('message', (message) => this.#onMessage(message)),
      person.events.on('mark', (message) => this.#onMark(message)),
      person.events.on('presence', () => events.onChange()),
      person.account.events.on('signedIn', () => this.#changed()),
      person.account.events.on('signedOut', () => this.forget()),
    ];
  }

  /** The connection is about to end: what still comes is not acknowledged, and comes again on the next. */
  leave(): void {
    this.keep();
    for (const stop of this.#stops) stop();
  }

  /** Goes on with what the tab has kept. */
  restore({ login, dialogues }: Stored): void {
    for (const dialogue of dialogues) {
      this.#dialogues.set(dialogue.name, dialogue);
      this.#person.presence.watch(dialogue.name);
    }
    const sent = dialogues.flatMap(({ name, entries }) =>
      entries.flatMap(({ id, own, text, atMs, seq, mark }) =>
        own && mark ? [{ id, to: name, text, atMs, mark, ...(seq !== undefined && { seq }) }] : [],
      ),
    );
    this.#person.restore({ ...login, sent });
  }

  /** All conversations, in the order in which they began. */
  get all(): readonly Dialogue[] {
    return [...this.#dialogues.values()];
  }

  /** The conversation with that person, which begins with this if it is new. */
  with(name: string): Dialogue {
    const known = this.#dialogues.get(name);
    if (known) return known;
    const dialogue: Dialogue = { name, entries: [], unread: 0 };
    this.#dialogues.set(name, dialogue);
    this.#person.presence.watch(name);
    this.#changed();
    return dialogue;
  }

  /** False where too many messages wait. */
  say(to: string, text: string): boolean {
    const message = this.#person.say(to, text);
    if (!message) return false;
    this.#add(this.with(to), entryOf(message));
    return true;
  }

  /** The person sees what has come from that person. */
  see(name: string): void {
    const dialogue = this.#dialogues.get(name);
    const last = dialogue?.entries.findLast(({ own }) => !own);
    if (!dialogue || !last) return;
    this.#person.markRead({ from: name, seq: last.seq! });
    if (dialogue.unread === 0) return;
    dialogue.unread = 0;
    this.#changed();
  }

  /** The person is logged out, or another one: this tab keeps nothing of them. */
  forget(): void {
    this.#keeping.cancel();
    this.#dialogues.clear();
    remember(storageKey, '""');
    this.#events.onChange();
  }

  /** Writes what has changed to the tab's storage now: the page is about to go. */
  keep(): void {
    this.#keeping.cancel();
    const login = this.#person.kept;
    if (!login) return;
    const dialogues = this.all.map((each) => ({ ...each, entries: each.entries.slice(-keptMax) }));
    remember(storageKey, JSON.stringify({ login, dialogues } satisfies Stored));
  }

  #onMessage({ from, id, seq, Message, sentAtMs }: DirectMessage): void {
    const dialogue = this.with(from);
    if (!this.#events.sees(from)) dialogue.unread += 1;
    this.#add(dialogue, { id, own: false, text: Message, atMs: sentAtMs, seq });
    if (this.#events.sees(from)) this.see(from);
  }

  #onMark(message: SentMessage): void {
    const dialogue = this.#dialogues.get(message.to);
    const at = dialogue?.entries.findLastIndex(({ id, own }) => own && id === message.id) ?? -1;
    if (!dialogue || at === -1) return;
    dialogue.entries[at] = entryOf(message);
    this.#events.onMark(dialogue, dialogue.entries[at]);
    this.#keeping.ask();
  }

  #add(dialogue: Dialogue, entry: Entry): void {
    dialogue.entries.push(entry);
    if (dialogue.entries.length > 2 * keptMax) dialogue.entries = dialogue.entries.slice(-keptMax);
    this.#events.onEntry(dialogue, entry);
    this.#changed();
  }

  #changed(): void {
    this.#keeping.ask();
    this.#events.onChange();
  }
}

function entryOf({ id, text, atMs, seq, mark }: SentMessage): Entry {
  return { id, own: true, text, atMs, mark, ...(seq !== undefined && { seq }) };
}
