/** What is open on the page: the room, the posts, or the messages with one person, a list for each. */
import type { PersonClient } from '../core/person-client.ts';
import type { Mark } from '../core/sent-messages.ts';
import { neutralise } from '../core/visible-text.ts';
import type { Composer } from './composer.ts';
import { Correspondence, type Dialogue, type Entry, storedLogin } from './correspondence.ts';
import { find, make } from './elements.ts';
import { MessageList } from './message-list.ts';
import { drawPeople, type PeopleRow, type Place, personOf, showPeople } from './people-list.ts';
import type { PostsView } from './posts-view.ts';
import { remember, remembered } from './tab-memory.ts';

const roomView = find('scroll', HTMLElement);
const directView = find('direct', HTMLElement);
const heading = find('room-name', HTMLElement);
const about = find('own-name', HTMLElement);
const typing = find('typing', HTMLElement);

/** The place to which a reload comes back. */
const openKey = 'open';

type View = { readonly list: MessageList; readonly scroll: HTMLElement };

export type DirectOptions = {
  readonly person: PersonClient;
  readonly composer: Composer;
  /** What is said in the room. */
  readonly list: MessageList;
  readonly posts: PostsView;
  /** The room in words. */
  readonly roomName: string;
  /** Somebody looks at the page. */
  readonly isWatched: () => boolean;
  /** Unread messages of the room. */
  readonly roomUnread: () => number;
  /** The open conversation, or the number of unread messages, has changed. */
  readonly onChange: () => void;
};

export class Direct {
  readonly #options: DirectOptions;
  readonly #letters: Correspondence;
  readonly #views = new Map<string, View>();
  #place: Place = 'room';
  /** Who was logged in when the list was shown. */
  #user: string | undefined;

  constructor(options: DirectOptions) {
    this.#options = options;
    const { person } = options;
    this.#letters = new Correspondence(person, {
      onChange: () => this.#draw(),
      onEntry: (dialogue, entry) => this.#onEntry(dialogue, entry),
      onMark: ({ name }, { id, mark }) => this.#views.get(name)?.list.setMark({ id, words: wordsOf(mark!) }),
      sees: (name) => this.#sees(name),
    });
    person.account.events.on('signedIn', () => this.#onSignedIn());
    person.account.events.on('signedOut', () => this.open('room'));
    person.events.on('missing', ({ from, to }) => {
      const count = to - from + 1;
      const text = `${count === 1 ? '1 message' : `${count} messages`} to you are gone: you were away for too long.`;
      for (const { list } of this.#views.values()) list.note(text, 'warning');
    });
    const stored = storedLogin();
    if (stored) this.#letters.restore(stored);
    showPeople(person.account.user);
    this.open(stored ? placeOf(remembered(openKey)) : 'room');
  }

  /** What is open. */
  get place(): Place {
    return this.#place;
  }

  /** The person whose conversation is open. */
  get peer(): string | undefined {
    return personOf(this.#place);
  }

  /** Messages of persons that nobody has seen. */
  get unread(): number {
    return this.#letters.all.reduce((sum, { unread }) => sum + unread, 0);
  }

  /** Shows a place. */
  open(place: Place): void {
    this.#place = place;
    const { peer } = this;
    remember(openKey, place);
    if (peer !== undefined) this.#letters.with(peer);
    roomView.hidden = place !== 'room';
    directView.hidden = peer === undefined;
    for (const [each, { scroll }] of this.#views) scroll.hidden = each !== peer;
    if (peer !== undefined) {
      const view = this.#view(peer);
      view.scroll.hidden = false;
      view.list.scrollToEnd();
    }
    const { composer, posts } = this.#options;
    posts.show(place === 'posts');
    composer.show(place !== 'posts');
    composer.switchTo(place === 'room' ? '' : place);
    this.look();
    this.#draw();
  }

  /** Sends a message to the person of the open conversation. */
  say(line: string): void {
    const { peer } = this;
    if (peer === undefined) return;
    const list = this.#view(peer).list;
    list.scrollToEnd();
    if (!this.#letters.say(peer, line)) list.note(`Not sent, too many messages wait: ${line}`, 'warning');
  }

  /** Says a sentence of the page in what is open. */
  warn(sentence: string): void {
    const list = this.peer === undefined ? this.#options.list : this.#view(this.peer).list;
    list.note(sentence, 'warning');
  }

  /** A key was pressed in the line. */
  write(): void {
    if (this.peer !== undefined) this.#options.person.presence.write(this.peer);
  }

  /** Somebody looks: what is open and in view counts as read. */
  look(): void {
    if (this.peer !== undefined && this.#sees(this.peer)) this.#letters.see(this.peer);
  }

  keep(): void {
    this.#letters.keep();
  }

  leave(): void {
    this.#letters.leave();
    for (const { scroll } of this.#views.values()) scroll.remove();
    roomView.hidden = false;
    directView.hidden = true;
    this.#options.posts.show(false);
    this.#options.composer.show(true);
    typing.textContent = '';
    showPeople(undefined);
  }

  /** Draws who is there, who writes, and what is unread. */
  draw(): void {
    this.#draw();
  }

  #onSignedIn(): void {
    const { user } = this.#options.person.account;
    if (user !== this.#user) showPeople(user);
    this.#user = user;
    this.#draw();
  }

  #sees(name: string): boolean {
    return this.peer === name && this.#options.isWatched() && this.#view(name).list.follows;
  }

  #onEntry({ name }: Dialogue, entry: Entry): void {
    const view = this.#views.get(name);
    if (view) this.#put(view.list, name, entry);
  }

  #put(list: MessageList, name: string, { own, text, atMs, id, mark }: Entry): void {
    const { user = '' } = this.#options.person.account;
    const message = { clientId: own ? user : name, Message: text };
    list.message(message, own, new Date(atMs), mark && { id, words: wordsOf(mark) });
  }

  #view(name: string): View {
    const known = this.#views.get(name);
    if (known) return known;
    const empty = make(
      'p',
      'hint',
      'Nothing has been said here. A message waits for them while they are away.',
    );
    const dropped = make('p', 'hint');
    const log = make('div', '');
    log.setAttribute('role', 'log');
    log.setAttribute('aria-label', `Messages with ${name}`);
    const scroll = make('section', 'scroll', dropped, empty, log);
    scroll.setAttribute('aria-label', `Conversation with ${name}`);
    directView.append(scroll);
    const view = { list: new MessageList({ scroll, log, empty, dropped }, () => this.look()), scroll };
    this.#views.set(name, view);
    for (const entry of this.#letters.with(name).entries) this.#put(view.list, name, entry);
    return view;
  }

  #draw(): void {
    const { person, roomName } = this.#options;
    const { presence, account } = person;
    const { user } = account;
    const name = this.peer;
    const titles = { room: roomName, posts: 'Posts' };
    heading.textContent = name === undefined ? titles[this.#place as 'room' | 'posts'] : neutralise(name);
    const state = name === undefined ? undefined : presence.stateOf(name);
    about.textContent = name === undefined ? `as ${neutralise(user ?? person.chat.clientId)}` : (state ?? '');
    const isTyping = name !== undefined && presence.typing.includes(name);
    typing.textContent = isTyping ? `${name} is typing …` : '';
    drawPeople(this.#rows, this.#place);
    this.#options.onChange();
  }

  get #rows(): PeopleRow[] {
    const { person, posts, roomName, roomUnread } = this.#options;
    const { presence } = person;
    const ofNobody = { presence: undefined, isTyping: false };
    const room: PeopleRow = { place: 'room', title: roomName, unread: roomUnread(), ...ofNobody };
    const ofPosts: PeopleRow = { place: 'posts', title: 'Posts', unread: posts.unread, ...ofNobody };
    const people = this.#letters.all.map(
      ({ name, unread }): PeopleRow => ({
        place: `@${name}`,
        title: name,
        unread,
        presence: presence.stateOf(name),
        isTyping: presence.typing.includes(name),
      }),
    );
    return [room, ...(posts.isOffered ? [ofPosts] : []), ...people];
  }
}

function placeOf(text: string): Place {
  return text === 'posts' || text.startsWith('@') ? (text as Place) : 'room';
}

/** How far a message has come, in words. */
function wordsOf(mark: Mark): string {
  const words: Partial<Record<Mark, string>> = {
    waiting: 'waits for the connection',
    full: 'not delivered: their mailbox is full',
    unknown: 'not delivered: nobody has this name',
  };
  return words[mark] ?? mark;
}
