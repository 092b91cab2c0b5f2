/** The metrics of posts. */
import { Counter, Gauge, Registry } from 'prom-client';

export type PostMeter = ReturnType<typeof createPostMeter>;

/** Declares the metrics in the registry. The default is one that nothing reads, for tests. */
export function createPostMeter(registry = new Registry()) {
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter<L>({ name, help, registers: [registry], labelNames });
  return {
    published: counter('chat_posts_published_total', 'Posts that people published, by result', ['result']),
    deleted: counter('chat_posts_deleted_total', 'Posts that their authors deleted'),
    subscribed: counter('chat_posts_subscribed_total', 'Frames that subscribed to channels, by result', [
      'result',
    ]),
    subscriptions: new Gauge({
      name: 'chat_posts_subscriptions',
      help: 'Subscriptions to channels of menus, in this process',
      registers: [registry],
    }),
    delivered: counter('chat_posts_delivered_total', 'Posts handed to the sockets of their readers'),
    healed: counter(
      'chat_posts_healed_total',
      'Times that posts were read from the store because their announcement was lost or came out of turn',
    ),
    delayed: counter(
      'chat_posts_delayed_total',
      'Times that the posts of a reader had to wait, because it had not taken those before',
    ),
  };
}
