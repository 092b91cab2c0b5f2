/** Nodes of a chat whose people can resume, in this process and over a real Redis, for tests. */
import { type Joined, type Position, parseJoined } from '#protocol';
import type { ResumeRequest } from '../backplane/backplane.ts';
import { RedisStreamsBackplane, type RedisStreamsOptions } from '../backplane/redis-streams.ts';
import { createMetrics } from '../ops/metrics.ts';
import type { Chat } from './chat.ts';
import { FakeConnection, options as fanOutOptions } from './fan-out.fixture.ts';
import { CursorFanOut } from './fan-out.ts';
import { Member } from './member.ts';
import { resumingChat } from './resuming.ts';

/** Somebody in a room, with all that came. */
export class Guest {
  readonly connection = new FakeConnection();
  readonly member: Member;
  readonly #node: TestNode;

  constructor(node: TestNode, room: string) {
    this.#node = node;
    this.member = new Member(this.connection, room);
  }

  get room(): string {
    return this.member.room;
  }

  /** What it was told at the join. */
  get joined(): Joined {
    const joined = parseJoined(this.connection.payloads[0] ?? '');
    if (!joined) throw new Error(`the first frame is ${this.connection.payloads[0]}`);
    return joined;
  }

  /** The messages that came, without the frame `joined`. */
  get texts(): string[] {
    const messages = this.connection.payloads.filter((payload) => !parseJoined(payload));
    return messages.map((payload) => (JSON.parse(payload) as { Message: string }).Message);
  }

  /** The position to come back with. */
  get position(): Position {
    const { epoch, offset } = this.joined;
    return { epoch, offset: offset + this.texts.length };
  }

  /** False: it is told 1013. */
  say(text: string): boolean {
    return this.#node.chat.publish(this.member, { clientId: 'g', Message: text });
  }

  leave(): void {
    this.connection.open = false;
    this.#node.chat.leave(this.member);
  }
}

/** One node, with short heartbeats. */
export class TestNode {
  readonly chat: Chat;
  readonly backplane: RedisStreamsBackplane;
  /** Everything that was told to sessions, and who they were. */
  readonly gaps: { reason: string; affects: (room: string) => boolean }[] = [];
  readonly #guests = new Set<Guest>();

  constructor(options: RedisStreamsOptions) {
    const defaults = { heartbeatIntervalMs: 50, patienceTicks: 200, partitions: 4 };
    this.backplane = new RedisStreamsBackplane({ ...defaults, ...options });
    const metrics = createMetrics('test', { sessions: () => 0, rooms: () => 0, waiting: () => 0 });
    this.chat = resumingChat(this.backplane, new CursorFanOut({ ...fanOutOptions, roomsMax: 1000 }, metrics));
  }

  /** `closeAfterMs`: the time from a gap until its people are closed, as a gateway closes them one by one. */
  static async start(options: RedisStreamsOptions, { closeAfterMs = 0 } = {}): Promise<TestNode> {
    const node = new TestNode(options);
    await node.chat.start((reason, affects = () => true) => {
      node.gaps.push({ reason, affects });
      const affected = [...node.#guests].filter(({ room }) => affects(room));
      if (closeAfterMs === 0) node.#close(affected);
      else setTimeout(() => node.#close(affected), closeAfterMs);
    });
    return node;
  }

  #close(guests: readonly Guest[]): void {
    for (const guest of guests) {
      if (!guest.connection.open) continue;
      this.chat.flush(guest.member);
      guest.connection.close(1012);
      this.chat.leave(guest.member);
    }
  }

  /** Joins as the gateway does; undefined where the join could not be prepared in time. */
  join(room: string, request?: ResumeRequest): Promise<Guest | undefined> {
    return new Promise((resolve) => {
      this.chat.prepare!(room, request, (prepared) => {
        if (!prepared) return resolve(undefined);
        const guest = new Guest(this, room);
        if (this.chat.join(guest.member, request)) return resolve(undefined);
        this.#guests.add(guest);
        resolve(guest);
      });
    });
  }

  /** Joins with a position, or asks for the present one. Fails where that is not prepared in time. */
  async enter(room: string, position?: Position): Promise<Guest> {
    const guest = await this.join(room, { position });
    if (!guest) throw new Error(`the join of ${room} was not prepared in time`);
    return guest;
  }

  /** Ends it, as a crash does for its people. */
  async stop(): Promise<void> {
    for (const guest of this.#guests) guest.leave();
    await this.chat.close();
  }
}
