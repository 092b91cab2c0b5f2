/** Posts on channels: what this person hears of, and posts of their own. */
import {
  type DeleteAck,
  type DeletePost,
  encodeDeletePost,
  encodePublish,
  type PostServerFrame,
  type Publish,
  type PublishAck,
  type Subscribe,
  type SubscribeAck,
} from '#protocol';
import type { Clock } from './clock.ts';
import {
  type HeldSubscription,
  type Lost,
  PostSubscriptions,
  type SubscriptionEvents,
} from './post-subscriptions.ts';

/** A request that waits for its answer. It is sent again on the next connection. */
type Request = {
  readonly type: 'publish_ack' | 'delete_ack';
  readonly key: string;
  readonly text: string;
  readonly done: (ack: PublishAck | DeleteAck | Lost) => void;
};

export class Posts {
  readonly #send: (text: string) => boolean;
  readonly #subscriptions: PostSubscriptions;
  #requests: Request[] = [];

  /** `send` is false while nothing can be sent. */
  constructor(clock: Clock, send: (text: string) => boolean, events: SubscriptionEvents) {
    this.#send = send;
    this.#subscriptions = new PostSubscriptions(clock, send, events);
  }

  /** What this person is subscribed to, by menu. */
  get subscriptions(): readonly HeldSubscription[] {
    return this.#subscriptions.all;
  }

  /** Goes on with subscriptions of an earlier page, from the next login on. */
  restore(subscriptions: readonly HeldSubscription[]): void {
    this.#subscriptions.restore(subscriptions);
  }

  /** Replaces the subscription in a menu; without channels it ends. The posts since then come first. */
  subscribe(subscribe: Subscribe): Promise<SubscribeAck | Lost> {
    return this.#subscriptions.subscribe(subscribe);
  }

  publish(publish: Publish & { readonly id: string }): Promise<PublishAck | Lost> {
    return this.#request('publish_ack', publish.id, encodePublish(publish)) as Promise<PublishAck | Lost>;
  }

  delete(post: DeletePost): Promise<DeleteAck | Lost> {
    const key = `${post.menu} ${post.id}`;
    return this.#request('delete_ack', key, encodeDeletePost(post)) as Promise<DeleteAck | Lost>;
  }

  take(frame: PostServerFrame): void {
    if (frame.type === 'post') return this.#subscriptions.take(frame);
    if (frame.type === 'subscribe_ack') return this.#subscriptions.answered(frame);
    const key = keyOf(frame);
    const request = this.#requests.find((each) => each.type === frame.type && each.key === key);
    if (!request) return;
    this.#requests = this.#requests.filter((each) => each !== request);
    request.done(frame);
  }

  /** A login has just succeeded. */
  resume(): void {
    this.#subscriptions.resume();
    for (const { text } of this.#requests) this.#send(text);
  }

  /** The connection ended: nothing is sent until `resume()`. */
  pause(): void {
    this.#subscriptions.pause();
  }

  /** Forgets everything, when the person is another one. */
  clear(): void {
    this.#subscriptions.clear();
    for (const { done } of this.#requests.splice(0)) done({ result: 'lost' });
  }

  #request(type: Request['type'], key: string, text: string): Promise<unknown> {
    return new Promise((done) => {
      this.#requests.push({ type, key, text, done });
      this.#send(text);
    });
  }
}

/** What an answer names: the id of a frame `publish`, or the post that was deleted. */
function keyOf(frame: Extract<PostServerFrame, { type: 'publish_ack' | 'delete_ack' }>): string {
  return frame.type === 'delete_ack' ? `${frame.menu} ${frame.id}` : (frame.id ?? '');
}
