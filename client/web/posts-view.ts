/** Posts on the page: one menu is open, and shows its list, the choice of its channels, or a new post. */
import type { Menu, PostContent, Subscribe } from '#protocol';
import type { MenuTitle } from '../core/menus.ts';
import type { PersonClient, PersonEvents } from '../core/person-client.ts';
import { refusalWords } from '../core/post-words.ts';
import { neutralise } from '../core/visible-text.ts';
import { ChannelsForm } from './channels-form.ts';
import { type BookLine, PostBook } from './post-book.ts';
import { PostForm } from './post-form.ts';
import { PostList } from './post-list.ts';
import { type Panel, PostsPanel } from './posts-panel.ts';
import { Soon } from './soon.ts';

/** Changes within so many ms are written to the tab's storage together. Chosen, not measured. */
const keepMs = 250;

/** Posts that come within so many ms change the page together. Chosen, not measured. */
const drawMs = 50;

export type PostsOptions = {
  /** Somebody looks at the page. */
  readonly isWatched: () => boolean;
  /** Whether there are posts, or how many are unread, has changed. */
  readonly onChange: () => void;
};

/** There is one on the page; `enter` and `leave` say whose posts it shows. */
export class PostsView {
  readonly #options: PostsOptions;
  readonly #panel: PostsPanel;
  readonly #list: PostList;
  readonly #channelsForm: ChannelsForm;
  readonly #postForm: PostForm;
  #book = new PostBook();
  #person: PersonClient | undefined;
  #stops: readonly (() => void)[] = [];
  #titles: readonly MenuTitle[] = [];
  /** The menu that is open, and whether it is read. */
  #name: string | undefined;
  #menu: Menu | undefined;
  /** Menus whose subscription waits for a server that is busy. */
  readonly #busy = new Set<string>();
  #isShown = false;
  readonly #keeping = new Soon(keepMs, () => this.keep());
  readonly #drawing = new Soon(drawMs, () => this.#changed());

  constructor(options: PostsOptions) {
    this.#options = options;
    this.#list = new PostList({ onFollow: () => this.look(), onDelete: (id) => void this.#delete(id) });
    this.#channelsForm = new ChannelsForm((subscribe) => void this.#subscribe(subscribe));
    this.#postForm = new PostForm((menu, content, id) => void this.#publish(menu, content, id));
    this.#panel = new PostsPanel({
      onMenu: (name) => {
        this.#panel.say('');
        void this.#open(name);
      },
      onPanel: (panel) => this.#show(panel),
    });
  }

  /** Begins with a person who is about to connect; `user`: who was logged in before a reload. */
  enter(person: PersonClient, user: string | undefined): void {
    this.#person = person;
    this.#stops = [
      person.events.on('post', (post) => this.#onPost(post)),
      person.events.on('subscribed', (ack) => this.#onSubscribed(ack)),
      person.account.events.on('signedIn', () => void this.#findMenus()),
      person.account.events.on('signedOut', () => this.#forget()),
    ];
    const stored = user === undefined ? undefined : this.#book.restore(user);
    if (stored) person.posts.restore(stored.subscriptions);
    this.#name = stored?.menu;
  }

  leave(): void {
    this.keep();
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#person = undefined;
    this.#reset();
  }

  /** Whether the server has posts, and somebody who may read them is logged in. */
  get isOffered(): boolean {
    return this.#titles.length > 0 || this.#name !== undefined;
  }

  /** Posts that nobody has seen. */
  get unread(): number {
    return this.#book.unread();
  }

  show(isShown: boolean): void {
    this.#isShown = isShown;
    this.#panel.reveal(isShown);
    if (isShown) this.look();
  }

  focus(): void {
    this.#panel.focus();
  }

  /** Somebody looks: what is open and in view counts as read. */
  look(): void {
    if (this.#name === undefined || !this.#sees(this.#name) || !this.#book.see(this.#name)) return;
    this.#changed();
  }

  keep(): void {
    this.#keeping.cancel();
    const { user } = this.#person?.account ?? {};
    if (user !== undefined) this.#book.keep(user, this.#name, this.#person!.posts.subscriptions);
  }

  /** The server is asked again after each login: it may be another one, or not have answered before. */
  async #findMenus(): Promise<void> {
    const person = this.#person;
    try {
      const titles = (await person?.menus.titles()) ?? [];
      if (person !== this.#person) return;
      this.#titles = titles;
      if (titles.length === 0) this.#panel.say('', 'This server has no posts.');
    } catch (error) {
      if (person !== this.#person) return;
      const why = (error as Error).message;
      this.#panel.say('', `The server does not say which menus it has: ${why}.`);
    }
    const name = this.#titles.find((title) => title.name === this.#name) ?? this.#titles[0];
    if (name && (!this.#menu || name.name !== this.#name)) await this.#open(name.name);
    else this.#changed();
  }

  async #open(name: string): Promise<void> {
    const person = this.#person!;
    this.#name = name;
    this.#menu = undefined;
    this.#show('list', false);
    let why = 'the server has no such menu';
    try {
      this.#menu = await person.menus.read(name);
    } catch (error) {
      why = (error as Error).message;
    }
    if (person !== this.#person || name !== this.#name) return;
    if (!this.#menu) this.#panel.say('', `The menu cannot be read: ${why}.`);
    this.#beginList();
    this.look();
    this.#changed();
  }

  #beginList(): void {
    const name = this.#name ?? '';
    const { user } = this.#person?.account ?? {};
    this.#list.begin(this.#menu, user, this.#book.lines(name), this.#book.dropped(name));
  }

  /** Shows the list, or a form in its place. */
  #show(panel: Panel, movesFocus = true): void {
    if (panel !== 'list' && !this.#menu) return;
    this.#panel.show(panel, movesFocus);
    if (panel === 'channels') this.#channelsForm.open(this.#menu!, this.#held);
    if (panel === 'post') this.#postForm.open(this.#menu!);
    if (panel === 'list') this.look();
    else this.#panel.say('');
  }

  get #held(): Subscribe | undefined {
    return this.#person?.posts.subscriptions.find(({ menu }) => menu === this.#name);
  }

  async #subscribe(subscribe: Subscribe): Promise<void> {
    const person = this.#person!;
    this.#channelsForm.wait(true);
    const ack = await person.posts.subscribe(subscribe);
    if (person !== this.#person) return;
    this.#channelsForm.wait(false);
    if (ack.result !== 'ok') return this.#channelsForm.fail(`Nothing was changed: ${words(ack)}.`);
    if (subscribe.menu === this.#name) this.#show('list');
  }

  async #publish(menu: Menu, content: PostContent, id: string): Promise<void> {
    const person = this.#person!;
    this.#postForm.wait(true);
    const ack = await person.posts.publish({ menu: menu.name, id, items: [content] });
    if (person !== this.#person) return;
    this.#postForm.wait(false);
    const [item] = 'items' in ack ? (ack.items ?? []) : [];
    if (ack.result !== 'ok' || !item) return this.#postForm.fail(`Not published: ${words(ack)}.`);
    // A subscription may not bring it, or bring it once more: it is shown once.
    this.#take({ ...content, ...item, menu: menu.name, from: person.account.user ?? '' });
    this.#postForm.reset();
    if (menu.name === this.#name) this.#show('list');
    this.#panel.say('Your post is published.');
  }

  async #delete(id: number): Promise<void> {
    const person = this.#person!;
    const menu = this.#name!;
    if (!confirm('Delete this post? It cannot be brought back.')) return;
    const ack = await person.posts.delete({ menu, id });
    if (person !== this.#person) return;
    const isGone = ack.result === 'ok' || ack.result === 'unknown';
    if (!isGone) return this.#panel.say('', `The post was not deleted: ${words(ack)}.`);
    this.#panel.say('Your post is deleted.');
    this.#book.remove(menu, id);
    if (menu === this.#name) this.#list.remove(id);
    this.#changed();
  }

  #onPost(post: PersonEvents['post']): void {
    if (!this.#take(post)) return;
    const isOwn = post.from === this.#person?.account.user;
    if (!isOwn && !this.#sees(post.menu)) this.#book.cameUnseen(post.menu);
    this.#drawing.ask();
  }

  /** Takes a post in; false where it is there already. */
  #take(post: PersonEvents['post']): boolean {
    const taken = this.#book.add(post);
    if (taken === 'known') return false;
    if (taken === 'again' && post.menu === this.#name) this.#list.remove(post.id);
    this.#add(post.menu, { kind: 'post', post });
    return true;
  }

  /** The answer comes before the posts. */
  #onSubscribed(ack: PersonEvents['subscribed']): void {
    const { menu, result, older, again } = ack;
    if (result === 'busy' && again) this.#busy.add(menu);
    else this.#busy.delete(menu);
    if (result === 'ok' && !again) {
      this.#book.begin(menu, this.#person?.account.user);
      if (menu === this.#name && this.#menu) this.#beginList();
    }
    const ended = again && result !== 'ok' && result !== 'busy';
    if (ended) this.#panel.say('', `You get no posts of ${this.#titleOf(menu)} any more: ${words(ack)}.`);
    else if (older && again)
      this.#note(menu, 'warning', 'Posts are missing here: you were away for too long.');
    else if (older) this.#note(menu, 'note', 'Older posts fit too: the server sends the newest.');
    this.#changed();
  }

  #titleOf(menu: string): string {
    return neutralise(this.#person?.menus.known(menu)?.title ?? menu);
  }

  #note(menu: string, kind: 'note' | 'warning', text: string): void {
    this.#add(menu, this.#book.note(menu, kind, text));
  }

  #add(menu: string, line: BookLine): void {
    // While the menu is read, the book has it.
    if (menu === this.#name && this.#menu) this.#list.add(line);
    this.#keeping.ask();
  }

  #sees(menu: string): boolean {
    const isList = this.#isShown && this.#panel.panel === 'list' && menu === this.#name;
    return isList && this.#options.isWatched() && this.#list.follows;
  }

  #changed(): void {
    this.#drawing.cancel();
    this.#keeping.ask();
    this.#draw();
    this.#options.onChange();
  }

  #draw(): void {
    this.#panel.drawMenus(this.#titles, (name) => this.#book.unread(name), this.#name, !!this.#menu);
    this.#panel.drawState(this.#menu, this.#held, this.#busy.has(this.#name ?? ''));
  }

  #forget(): void {
    this.#keeping.cancel();
    this.#book.forget();
    this.#reset();
    this.#options.onChange();
  }

  #reset(): void {
    this.#book = new PostBook();
    this.#titles = [];
    this.#name = undefined;
    this.#menu = undefined;
    this.#busy.clear();
    this.#drawing.cancel();
    this.#postForm.reset();
    this.#channelsForm.wait(false);
    this.#postForm.wait(false);
    this.#list.begin(undefined, undefined, [], 0);
    this.#show('list', false);
    this.#panel.say('');
    this.#draw();
  }
}

const words = (ack: Parameters<typeof refusalWords>[0]): string => neutralise(refusalWords(ack));
