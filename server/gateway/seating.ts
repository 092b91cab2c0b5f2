/** Seating: this node among the others. It says where people should sit, and sends its own there. */
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, Gauge, type Registry as MetricsRegistry } from 'prom-client';
import { percent, rate, time } from '#host/units.ts';
import { closeCode, encodeReconnectReason } from '#protocol';
import { partitionOf } from '../backplane/partition.ts';
import { redisOptionsOf, type redisSettings } from '../backplane/redis-pub-sub.ts';
import type { streamSettings } from '../backplane/stream-options.ts';
import { type LivingNode, publicUrlPattern } from '../seats/living-node.ts';
import { LocalSessions } from '../seats/local-sessions.ts';
import { Members, renewIntervalMs } from '../seats/members.ts';
import { Placement } from '../seats/placement.ts';
import { RedisRegistry, type Registry } from '../seats/registry.ts';
import { type commonSettings, group, integer, text, type ValuesOf } from '../settings.ts';
import type { admissionSettings } from './admission.ts';
import { createConnect, nodeName } from './connect.ts';
import type { drainSettings } from './drain.ts';
import { Moves, moveIntervalMs } from './moves.ts';
import type { Session } from './session.ts';

/** The defaults are chosen, except for `seatLoadPercent` (see there). */
export const seatingSettings = group('Seats', {
  publicUrl: text(
    publicUrlPattern,
    'ws://host:port or wss://host:port',
    '',
    'address at which clients reach this node (default: from --host and --port)',
  ),
  // Simulated, 200 times each, 64 partitions, growth from 3 nodes to 4. With 100 each node has the mean, and
  // 1.16 times the share of the newcomer moves; with 125 one has 1.21 times the mean, and 1.03 times moves.
  seatLoadPercent: integer(
    100,
    1000,
    100,
    'most partitions on one node, against the mean of all nodes',
    percent,
  ),
  seatSessionsMax: integer(1, 1_000_000, 1_000, 'sessions of one partition before it is spread over nodes'),
  seatStableMs: integer(0, 600_000, 5_000, 'time a seat must have been elsewhere before people move', time),
  connectKeptMax: integer(
    0,
    100_000,
    256,
    'connections that stay open to ask /connect again, in this process',
  ),
  movesPerSecond: integer(
    0,
    100_000,
    100,
    'sessions that one node sends to other nodes per second; 0: none',
    rate,
  ),
});

type Settings = ValuesOf<
  typeof seatingSettings | typeof commonSettings | typeof admissionSettings | typeof drainSettings
>;

export type SeatingOptions = {
  readonly registry: Registry;
  /** Key of the list of nodes, and the secret of all nodes of one chat. */
  readonly key: string;
  readonly secret: string;
  readonly partitions: number;
  readonly partitionOf: (room: string) => number;
};

/** The parts of the gateway that the seating needs. */
export type Host = {
  /** False once the node leaves. */
  readonly accepting: () => boolean;
  readonly sessions: () => number;
  /** Writes all that a session has still to receive, as far as the kernel takes it. */
  readonly flush: (session: Session) => void;
  /** Whether the connection of a plain request may stay open after its answer; `max`: beside how many. */
  readonly keep: (request: IncomingMessage, max: number) => boolean;
};

export class Seating {
  /** The handler of `GET /connect`. */
  readonly connect: RequestListener;
  readonly #settings: Settings;
  readonly #options: SeatingOptions;
  readonly #placement: Placement;
  readonly #local = new LocalSessions<Session>();
  readonly #moves: Moves<Session>;
  readonly #moved: Counter;
  #host: Host | undefined;
  #members: Members | undefined;
  #url = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: Settings, options: SeatingOptions, metrics: MetricsRegistry) {
    this.#settings = settings;
    this.#options = options;
    this.#placement = new Placement({
      partitions: options.partitions,
      loadFactor: settings.seatLoadPercent / 100,
      seatSessionsMax: settings.seatSessionsMax,
    });
    const { movesPerSecond: perSecondMax, seatStableMs: stableMs } = settings;
    const move = (session: Session) => this.#move(session);
    const { placement, local } = { placement: this.#placement, local: this.#local };
    this.#moves = new Moves({ placement, local, perSecondMax, stableMs, move }, performance.now());
    const declared = declareMetrics(metrics, {
      members: () => this.#members?.nodes.length ?? 0,
      elsewhere: () => this.#elsewhere(),
    });
    this.#moved = declared.moved;
    this.connect = createConnect({
      partitionOf: options.partitionOf,
      seat: (partition, not) => this.#placement.seat(partition, this.#urlOf(not)),
      origins: settings.origins,
      waitMsMax: settings.reconnectWaitMsMax,
      count: (status) => declared.answers.inc({ status }),
      keep: (request) => this.#host?.keep(request, settings.connectKeptMax) ?? false,
    });
  }

  /** Joins the nodes of the chat. `address`: where this node listens. */
  async start(address: AddressInfo, host: Host): Promise<void> {
    const { registry, key, secret } = this.#options;
    this.#host = host;
    this.#url = this.#settings.publicUrl || defaultUrl(this.#settings.host, address.port);
    this.#members = new Members({
      registry,
      key,
      secret,
      self: () => this.#self(),
      changed: (nodes) => this.#review(nodes),
    });
    await this.#members.start();
    this.#timer = setInterval(() => this.#moves.tick(performance.now()), moveIntervalMs);
  }

  /** A session has joined its room. */
  join(session: Session): void {
    const partition = this.#options.partitionOf(session.member.room);
    this.#local.join(session, partition, session.resumable);
    // At once: before the next list comes, another node may be the seat.
    if (this.#placement.isSeat(partition, this.#url)) this.#local.settle(partition);
  }

  /** A session that had joined has ended. */
  leave(session: Session): void {
    this.#local.leave(session, this.#options.partitionOf(session.member.room));
  }

  /** The node does not accept any more: resolves when no other node sends people here. */
  async withdraw(): Promise<void> {
    clearInterval(this.#timer);
    if (!this.#members) return;
    await this.#members.renewAfresh();
    if (this.#members.nodes.length > 1) await sleep(renewIntervalMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#members?.close();
  }

  #self(): LivingNode {
    return {
      url: this.#url,
      accepting: this.#host!.accepting(),
      sessions: this.#host!.sessions(),
      sessionsMax: this.#settings.sessionsMax,
      sessionsByPartition: this.#local.counts(),
    };
  }

  #review(nodes: readonly LivingNode[]): void {
    this.#placement.update(nodes);
    if (this.#members!.fresh && this.#host!.accepting()) this.#moves.review(this.#url, performance.now());
    else this.#moves.pause();
  }

  #move(session: Session): void {
    this.#host!.flush(session);
    // The pace spreads the moves already: the wait has to spread those of one batch only.
    session.close(closeCode.seatMoved, encodeReconnectReason(Math.random() * moveIntervalMs));
    this.#moved.inc();
  }

  #urlOf(node: string | undefined): string | undefined {
    if (node === undefined) return undefined;
    return this.#members?.nodes.find(({ url }) => nodeName(url) === node)?.url;
  }

  #elsewhere(): number {
    let sum = 0;
    for (const [partition, sessions] of this.#local.counts())
      if (!this.#placement.isSeat(partition, this.#url)) sum += sessions;
    return sum;
  }
}

/** The seating of a stage whose partitions are logs in Redis: the list of nodes is there too. */
export function seatingOnRedis(
  settings: Settings & ValuesOf<typeof redisSettings | typeof streamSettings>,
  metrics: MetricsRegistry,
): Seating {
  const { url, channel, secret } = redisOptionsOf(settings);
  const { partitions } = settings;
  const key = `{${channel}}:members`;
  const registry = new RedisRegistry({ url, key, answerMsMax: renewIntervalMs });
  const part = (room: string) => partitionOf(room, partitions);
  return new Seating(settings, { registry, key, secret, partitions, partitionOf: part }, metrics);
}

/** A node that listens on all addresses is reached by the name of its machine or container. */
function defaultUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? hostname() : host;
  return `ws://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function declareMetrics(registry: MetricsRegistry, read: { members(): number; elsewhere(): number }) {
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge('chat_members', 'Nodes of the chat that live, as this node knows', read.members);
  gauge('chat_sessions_elsewhere', 'Sessions here that should sit on another node', read.elsewhere);
  return {
    moved: new Counter({
      name: 'chat_moves_total',
      help: 'Sessions that were sent to the node on which they should sit',
      registers,
    }),
    answers: new Counter({
      name: 'chat_connect_answers_total',
      help: 'Answers to clients that asked where to connect, by HTTP status',
      registers,
      labelNames: ['status'],
    }),
  };
}
