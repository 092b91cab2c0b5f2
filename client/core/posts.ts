/** Posts on channels: subscriptions that outlive a connection, and posts of this person. */
import {
  type DeleteAck,
  type DeletePost,
  encodeDeletePost,
  encodePublish,
  encodeSubscribe,
  type Post,
  type PostServerFrame,
  type Publish,
  type PublishAck,
  type Subscribe,
  type SubscribeAck,
} from '#protocol';

/** The client ended, or the login, before the server answered. */
export type Lost = { readonly result: 'lost'; readonly detail?: string };

/** A request that waits for its answer. It is sent again on the next connection. */
type Request = {
  readonly type: 'subscribe_ack' | 'publish_ack' | 'delete_ack';
  readonly key: string;
  readonly text: string;
  readonly done: (ack: SubscribeAck | PublishAck | DeleteAck | Lost) => void;
};

/** A subscription in one menu: what was asked for, and the post that came last. */
type Subscription = Omit<Subscribe, 'lastPostId'> & { lastPostId: number };

export class Posts {
  readonly #send: (text: string) => boolean;
  readonly #onPost: (post: Post) => void;
  readonly #subscriptions = new Map<string, Subscription>();
  #requests: Request[] = [];

  /** `send` is false while nothing can be sent. `onPost` gets each post once, in the order of their ids. */
  constructor(send: (text: string) => boolean, onPost: (post: Post) => void) {
    this.#send = send;
    this.#onPost = onPost;
  }

  /** What this person is subscribed to, by menu. */
  get subscriptions(): readonly Subscribe[] {
    return [...this.#subscriptions.values()];
  }

  /** Replaces the subscription in a menu; without channels it ends. The posts since then come first. */
  subscribe(subscribe: Subscribe): Promise<SubscribeAck | Lost> {
    const { menu, channels, filters, lastPostId = 0 } = subscribe;
    if (channels.some((codes) => codes.length === 0)) this.#subscriptions.delete(menu);
    else this.#subscriptions.set(menu, { menu, channels, filters, lastPostId });
    return this.#request('subscribe_ack', menu, encodeSubscribe(subscribe)) as Promise<SubscribeAck | Lost>;
  }

  publish(publish: Publish & { readonly id: string }): Promise<PublishAck | Lost> {
    return this.#request('publish_ack', publish.id, encodePublish(publish)) as Promise<PublishAck | Lost>;
  }

  delete(post: DeletePost): Promise<DeleteAck | Lost> {
    const key = `${post.menu} ${post.id}`;
    return this.#request('delete_ack', key, encodeDeletePost(post)) as Promise<DeleteAck | Lost>;
  }

  take(frame: PostServerFrame): void {
    if (frame.type === 'post') return this.#takePost(frame);
    const key = keyOf(frame);
    const request = this.#requests.find((each) => each.type === frame.type && each.key === key);
    if (!request) return;
    this.#requests = this.#requests.filter((each) => each !== request);
    // What the server has refused is not asked for again.
    if (frame.type === 'subscribe_ack' && frame.result !== 'ok') this.#subscriptions.delete(frame.menu);
    request.done(frame);
  }

  /** A login has just succeeded: subscriptions go on after the last post that came. */
  resume(): void {
    for (const subscription of this.#subscriptions.values()) {
      const { menu, channels, filters, lastPostId } = subscription;
      this.#send(encodeSubscribe({ menu, channels, filters, lastPostId }));
    }
    for (const { type, key, text } of this.#requests)
      if (type !== 'subscribe_ack' || !this.#subscriptions.has(key)) this.#send(text);
  }

  /** Forgets everything, when the person is another one. */
  clear(): void {
    this.#subscriptions.clear();
    for (const { done } of this.#requests.splice(0)) done({ result: 'lost' });
  }

  #takePost(post: Post): void {
    const subscription = this.#subscriptions.get(post.menu);
    if (!subscription || post.id <= subscription.lastPostId) return;
    subscription.lastPostId = post.id;
    this.#onPost(post);
  }

  #request(type: Request['type'], key: string, text: string): Promise<unknown> {
    return new Promise((done) => {
      this.#requests.push({ type, key, text, done });
      this.#send(text);
    });
  }
}

/**
 * What an answer names: the menu of a subscription, the id of a frame `publish`, the post that was
 * deleted.
 */
function keyOf(frame: Exclude<PostServerFrame, { type: 'post' }>): string {
  if (frame.type === 'delete_ack') return `${frame.menu} ${frame.id}`;
  return frame.type === 'publish_ack' ? (frame.id ?? '') : frame.menu;
}
