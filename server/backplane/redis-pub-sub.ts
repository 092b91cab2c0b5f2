/**
 * The backplane between nodes, over Redis pub/sub: the messages of one turn of the event loop are one Redis
 * message.
 *
 * Order: one for all. Redis carries out one PUBLISH after the other, and every node, the publishing one
 * included, delivers only the batches that come back.
 *
 * Losses that pub/sub would not report, and how each one ends in `gap`:
 * - the subscription breaks (crash, CLIENT KILL, output buffer over its limit): the connection closes;
 * - it hangs (frozen Redis, a network that drops packets): PING stays without an answer for some heartbeats;
 * - publishing and subscribing end at different servers (failover, DNS): our own batches do not come back;
 * - Redis became a replica, whose publishes reach only its own clients: ROLE is asked at every heartbeat;
 * - anything else that drops a batch: the publisher's next number, a heartbeat later at most, shows a gap.
 * A batch that is possibly lost is sent again under its old number within the same few heartbeats. After them
 * it is dropped. Only the sessions of its publisher are told: it was promised to no other session.
 *
 * Not reported: a node that dies loses the messages that Redis had not taken from it, but its own sessions
 * never received their echo and lose their connections too. Not detected on one Redis: an old primary that
 * is cut off *together* with some nodes and their clients, which go on as a smaller chat. Only a quorum rules
 * that out: on Redis Cluster, a primary that does not see most primaries is not used.
 *
 * On Redis Cluster the rooms are cut into groups, and each group is such a backplane with a channel and two
 * connections of its own: sharded pub/sub (SPUBLISH, SSUBSCRIBE) at the primary of the channel's slot. When
 * the slot gets another primary, the subscription ends with a push, an error or the connection: a gap.
 */
import { splitUrls } from '#host/secrets.ts';
import { groupsOf, type RedisGroup } from '../redis/groups.ts';
import { databaseOf, group, secret, serviceUrl, text, type ValuesOf } from '../settings.ts';
import type { Backplane, BackplaneEvents } from './backplane.ts';
import { batchVersion } from './batch.ts';
import { GroupedBackplane } from './grouped.ts';
import { countGaps, createBackplaneMeter, meterOfPart } from './meter.ts';
import type { RedisOptions } from './redis-link.ts';
import { RedisPublisher } from './redis-publisher.ts';
import { RedisSubscriber } from './redis-subscriber.ts';
import { waitFor } from './timing.ts';

export const redisSettings = group('Redis backplane', {
  redisUrl: serviceUrl(
    ['redis:', 'rediss:'],
    'redis://127.0.0.1:6379',
    'Redis that carries frames between nodes; or several nodes of one Redis Cluster, with commas between them',
  ),
  redisNamespace: text(
    /^[A-Za-z0-9_.-]{1,64}$/,
    '1 to 64 characters of A-Za-z0-9_.-',
    'chat',
    'start of the channel name; chats that share a Redis need one each, or a database number each',
  ),
  redisSecret: secret('secret of all nodes of one chat, which sign their batches with it'),
});

/**
 * The options that a configuration gives. Pub/sub ignores the database, so its number is in the channel.
 * `keys`: the start of the keys of what is stored for longer than batches of one version are read.
 */
export function redisOptionsOf(settings: ValuesOf<typeof redisSettings>) {
  const { redisUrl, redisNamespace, redisSecret } = settings;
  const database = databaseOf(new URL(splitUrls(redisUrl)[0]!));
  const start = database === 0 ? redisNamespace : `${redisNamespace}:db${database}`;
  return { url: redisUrl, channel: `${start}:${batchVersion}`, secret: redisSecret, keys: start };
}

/** `url`: of one Redis, or of several nodes of one cluster. */
export type RedisPubSubOptions = Partial<Omit<RedisOptions, 'place'>> & { url: string };

/**
 * Chosen, not measured. A dead link is noticed within 2.5 s. The largest batch stays far below the 8 MiB at
 * which Redis starts to count a subscriber as slow.
 */
const defaults = {
  channel: 'chat:1',
  secret: '',
  batchBytesMax: 256 * 1024,
  queueBytesMax: 8 * 1024 * 1024,
  heartbeatIntervalMs: 500,
  silentTicksMax: 4,
  startDeadlineMs: 10_000,
  closeDeadlineMs: 2_000,
};

/** The backplane over one Redis; over a cluster, a backplane for each group of the rooms. */
export function redisPubSub({ url, ...given }: RedisPubSubOptions): Backplane {
  const options = { meter: createBackplaneMeter(), ...defaults, ...given };
  const groups = groupsOf(url, options.channel);
  if (groups.length === 1) return new RedisPubSubBackplane({ ...options, ...groups[0]! });
  const partOf = (one: RedisGroup) =>
    new RedisPubSubBackplane({ ...options, ...one, meter: meterOfPart(options.meter) });
  return new GroupedBackplane(groups.map(partOf));
}

type Running = { publisher: RedisPublisher; subscriber: RedisSubscriber; heartbeat: NodeJS.Timeout };

class RedisPubSubBackplane implements Backplane {
  readonly #options: RedisOptions;
  #running: Running | undefined;
  #closing = false;

  constructor(options: RedisOptions) {
    this.#options = options;
  }

  get ready(): boolean {
    if (!this.#running || this.#closing) return false;
    const { publisher, subscriber } = this.#running;
    return publisher.link.client !== undefined && subscriber.receivesOwnBatches;
  }

  get congested(): boolean {
    return this.#running?.publisher.congested ?? false;
  }

  get waitsFor(): string {
    const { publisher, subscriber } = this.#running ?? {};
    const link = publisher?.link.client ? subscriber?.link : publisher?.link;
    return `Redis at ${this.#options.place.shown}: ${link?.lastFailure ?? 'closed'}`;
  }

  async start(events: BackplaneEvents): Promise<void> {
    const { publisher, subscriber } = this.#run(events);
    subscriber.link.open();
    publisher.link.open();
    if (await waitFor(() => this.ready, this.#options.startDeadlineMs)) return;
    const { lastFailure } = publisher.link.client ? subscriber.link : publisher.link;
    this.#stop();
    throw new Error(`Redis at ${this.#options.place.shown} cannot be used: ${lastFailure}`);
  }

  want(): void {}

  unwant(): void {}

  publish(room: string, payload: Buffer): boolean {
    return this.ready && this.#running!.publisher.publish(room, payload);
  }

  async close(): Promise<void> {
    if (!this.#running || this.#closing) return;
    this.#closing = true;
    const { publisher } = this.#running;
    const sent = () => waitFor(() => publisher.idle, this.#options.closeDeadlineMs);
    if (await sent()) {
      publisher.sendEmpty('goodbye');
      await sent();
    }
    this.#stop();
  }

  #run(events: BackplaneEvents): Running {
    const counted = countGaps(events, this.#options.meter);
    const options = this.#options;
    const publisher = new RedisPublisher({
      ...options,
      gap: counted.gap,
      demoted: (reason) => subscriber.link.fail(reason),
    });
    const subscriber = new RedisSubscriber({
      ...options,
      own: publisher,
      events: counted,
      // The node is ready when a batch of its own has come back: it need not wait for the next heartbeat.
      subscribed: () => {
        publisher.resubscribed();
        publisher.sendEmpty('messages');
      },
    });
    const tick = () => {
      subscriber.tick(publisher.acknowledged);
      publisher.tick();
    };
    this.#running = { publisher, subscriber, heartbeat: setInterval(tick, options.heartbeatIntervalMs) };
    return this.#running;
  }

  #stop(): void {
    clearInterval(this.#running?.heartbeat);
    this.#running?.publisher.link.close();
    this.#running?.subscriber.link.close();
    this.#running = undefined;
  }
}
