/** A chat client of a person with an account: what is theirs, over all connections of one login. */
import {
  type DirectClientFrame,
  type DirectMessage,
  type DirectServerFrame,
  type Post,
  parseFilenamesAck,
  parsePostServerFrame,
  readDirectFrame,
  type SubscribeAck,
} from '#protocol';
import { Account } from './account.ts';
import { hasAccounts } from './account-service.ts';
import { ChatClient, type ChatClientOptions } from './chat-client.ts';
import { Emitter } from './emitter.ts';
import { Images } from './images.ts';
import { Mailbox, type Missing } from './mailbox.ts';
import { Menus } from './menus.ts';
import { Posts } from './posts.ts';
import { Presence } from './presence.ts';
import { type SentMessage, SentMessages } from './sent-messages.ts';

export type PersonEvents = {
  /** A message to this person: each once, in the order of the mailbox. */
  message: DirectMessage;
  /** Messages are gone that this device never got. */
  missing: Missing;
  /** The mark of a message that this person sent has changed. */
  mark: SentMessage;
  /** Somebody who is watched came or went, or somebody began or stopped to write. */
  presence: undefined;
  /** Each once, in the order of their ids in its menu. */
  post: Post;
  /**
   * The server has answered a subscription, before its posts come. `again`: nobody asked just now, it goes on
   * after a reconnect, a reload or a refusal.
   */
  subscribed: SubscribeAck & { readonly again: boolean };
};

/** What a page keeps of a login, to go on after it is loaded again. The token is a secret. */
export type Kept = {
  readonly user: string;
  readonly token: string;
  readonly upTo: number | undefined;
  readonly receiptsAfter: number;
  readonly sent: readonly SentMessage[];
};

export class PersonClient {
  readonly events = new Emitter<PersonEvents>();
  readonly chat: ChatClient;
  readonly account: Account;
  readonly presence: Presence;
  readonly posts: Posts;
  readonly menus: Menus;
  readonly images: Images;
  readonly #mailbox: Mailbox;
  readonly #sent: SentMessages;
  #receiptsAfter = 0;
  #hasAccounts: boolean | undefined;
  /** What the mailbox and the marks belong to. */
  #user: string | undefined;

  /** `device`: 1 to 32 of `A-Za-z0-9_.-`; the server knows by it what this device has received. */
  constructor(options: Omit<ChatClientOptions, 'ticket'>, device: string) {
    this.account = new Account(device, () => this.#positions());
    this.chat = new ChatClient({ ...options, ticket: this.account });
    this.account.attach(this.chat);
    const { clock } = this.chat;
    const say = (frame: DirectClientFrame): boolean => this.#send(JSON.stringify(frame));
    this.#mailbox = new Mailbox(clock, {
      received: (upTo) => say({ type: 'received', upTo }),
      read: (peer, upTo) => say({ type: 'read', peer, upTo }),
    });
    this.#sent = new SentMessages(
      clock,
      ({ to, id, text }) => say({ type: 'message', to, id, Message: text }),
      (message) => this.events.emit('mark', message),
    );
    this.presence = new Presence(
      clock,
      {
        watch: (users) => say({ type: 'watch', users }),
        typing: (to) => say({ type: 'presence', to, state: 'typing' }),
      },
      () => this.events.emit('presence', undefined),
    );
    this.posts = new Posts(clock, (text) => this.#send(text), {
      onPost: (post) => this.events.emit('post', post),
      onAnswer: (ack, again) => this.events.emit('subscribed', { ...ack, again }),
    });
    this.menus = new Menus(() => this.chat.address);
    this.images = new Images((text) => this.#send(text));
    this.account.events.on('signedIn', ({ user }) => this.#onSignedIn(user));
    this.account.events.on('signedOut', ({ why }) => why === 'left' && this.#clear());
    this.chat.events.on('typed', (text) => this.#onTyped(text));
    this.chat.events.on('closed', () => this.#pause());
  }

  /**
   * Whether the server has accounts; asked once, when connected. A server without them would end the
   * connection at the first frame that it does not know. Rejects where it does not answer.
   */
  async hasAccounts(): Promise<boolean> {
    if (this.account.user !== undefined) return true;
    if (!this.chat.connected && !this.chat.ended) {
      await new Promise<void>((done) => {
        this.chat.events.on('connected', () => done());
        this.chat.events.on('closed', ({ final }) => final && done());
      });
    }
    const { address } = this.chat;
    if (address && !this.chat.ended) this.#hasAccounts ??= await hasAccounts(address);
    return this.#hasAccounts ?? false;
  }

  /** Messages to persons that the server has not answered yet. */
  get unanswered(): number {
    return this.#sent.openCount;
  }

  /**
   * Sends a message to a person; it stays the same object, and `mark` tells how far it has come. Undefined:
   * nobody is logged in, or too many messages wait already.
   */
  say(to: string, text: string): SentMessage | undefined {
    if (this.account.user === undefined) return undefined;
    this.presence.wrote(to);
    return this.#sent.put(to, text);
  }

  /**
   * Waits until the server has answered every message, or for so long; resolves to how many have no
   * answer.
   */
  settle(waitMs: number): Promise<number> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.unanswered === 0) finish();
      };
      const finish = (): void => {
        stop();
        cancel();
        resolve(this.unanswered);
      };
      const stop = this.events.on('mark', check);
      const cancel = this.chat.clock.after(waitMs, finish);
      check();
    });
  }

  /** The person has seen this message, and with it all of the same sender before it. */
  markRead({ from, seq }: Pick<DirectMessage, 'from' | 'seq'>): void {
    this.#mailbox.markRead(from, seq);
  }

  /** Goes on with a login of before, from the next connection on. */
  restore({ user, token, upTo, receiptsAfter, sent }: Kept): void {
    this.#user = user;
    if (upTo !== undefined) this.#mailbox.restore(upTo);
    this.#receiptsAfter = receiptsAfter;
    this.#sent.restore(sent);
    this.account.restore(user, token);
  }

  /** What `restore` needs beside the messages; undefined while nobody is logged in. */
  get kept(): Omit<Kept, 'sent'> | undefined {
    const { user, token } = this.account;
    return user === undefined || token === undefined ? undefined : { user, token, ...this.#kept };
  }

  get #kept(): Pick<Kept, 'upTo' | 'receiptsAfter'> {
    return { upTo: this.#mailbox.upTo, receiptsAfter: this.#receiptsAfter };
  }

  #positions() {
    const { upTo, receiptsAfter } = this.#kept;
    return { ...(upTo !== undefined && { upTo }), ...(receiptsAfter > 0 && { receiptsAfter }) };
  }

  #send(text: string): boolean {
    return this.account.isSignedIn && this.chat.sendTyped(text);
  }

  #onSignedIn(user: string): void {
    if (this.#user !== undefined && this.#user !== user) this.#clear();
    this.#user = user;
    for (const part of [this.#mailbox, this.#sent, this.presence, this.posts]) part.resume();
  }

  #pause(): void {
    for (const part of [this.#mailbox, this.#sent, this.presence, this.posts, this.images]) part.pause();
  }

  #clear(): void {
    this.#user = undefined;
    this.#receiptsAfter = 0;
    for (const part of [this.#mailbox, this.#sent, this.presence, this.posts]) part.clear();
    this.images.pause();
  }

  #onTyped(text: string): void {
    if (!this.account.isSignedIn) return;
    const post = parsePostServerFrame(text);
    if (post) return this.posts.take(post);
    const addresses = parseFilenamesAck(text);
    if (addresses) return this.images.take(addresses);
    const value = objectOf(text);
    const frame = value && readDirectFrame(value);
    if (frame) this.#onFrame(frame);
  }

  #onFrame(frame: DirectServerFrame): void {
    switch (frame.type) {
      case 'server_ack':
        return this.#sent.answered(frame);
      case 'message':
        return this.#onMessage(frame);
      case 'gap': {
        const missing = this.#mailbox.passGap(frame);
        return missing && this.events.emit('missing', missing);
      }
      case 'received':
      case 'read':
        this.#receiptsAfter = Math.max(this.#receiptsAfter, frame.version);
        return this.#sent.reached(frame.by, frame.type, frame.upTo);
      case 'presence':
        return 'users' in frame ? this.presence.changed(frame.users) : this.presence.writes(frame.from);
    }
  }

  #onMessage(message: DirectMessage): void {
    const { isNew, gap } = this.#mailbox.take(message.seq);
    if (!isNew) return;
    this.presence.stopped(message.from);
    if (gap) this.events.emit('missing', gap);
    this.events.emit('message', message);
  }
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
