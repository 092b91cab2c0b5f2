/**
 * Mailboxes against a simple model: people with several devices say things, acknowledge, read, lose their
 * connections and come back, on two nodes that crash, with a store whose calls and answers get lost, signals
 * that get lost, and time that passes. Whatever was acknowledged to its sender is received once and in order
 * by every device, except for what it is told to be gone; and no receipt goes back.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DirectServerFrame } from '#protocol';
import { until } from '../../testing/until.ts';
import { FakeSession, type MakeStore, Nodes, testSettings, turns } from './mailbox.fixture.ts';

const places = [
  ['alice', 'phone'],
  ['alice', 'laptop'],
  ['bob', 'phone'],
  ['bob', 'laptop'],
  ['carol', 'phone'],
] as const;
const users = ['alice', 'bob', 'carol'];

class World {
  readonly nodes: Nodes;
  /** What was acknowledged: for each user the id by `seq`. */
  readonly acknowledged = new Map(users.map((user) => [user, new Map<number, string>()]));
  /** Time has passed in which messages may be removed. */
  mayExpire = false;
  said = 0;

  constructor(nodes: Nodes) {
    this.nodes = nodes;
  }
}

/** A device, as its client remembers it across connections. */
class Client {
  readonly user: string;
  readonly device: string;
  readonly #world: World;
  session: FakeSession | undefined;
  upTo = 0;
  receiptsAfter = 0;
  readonly got = new Map<number, { id: string; from: string }>();
  readonly marks = new Map<string, number>();
  /** Said, and not answered with `ok` or `full`. */
  readonly unanswered = new Map<string, string>();

  constructor(world: World, user: string, device: string) {
    this.#world = world;
    this.user = user;
    this.device = device;
  }

  async connect(node: number): Promise<void> {
    this.drop();
    const session = new FakeSession(this.user, this.device, (frame) => {
      if (this.session === session) this.#take(frame);
    });
    const positions = { upTo: this.upTo, receiptsAfter: this.receiptsAfter };
    const waiting = await this.#world.nodes.enter(session, { node, ...positions }).catch(() => undefined);
    if (waiting === undefined) return; // Answered with `busy`.
    this.session = session;
    for (const [id, to] of this.unanswered) this.#world.nodes.say(session, to, id);
  }

  drop(): void {
    if (this.session) this.#world.nodes.leave(this.session);
    this.session = undefined;
  }

  say(to: string, count: number): void {
    for (let n = 0; n < count && this.isHere; n++) {
      const id = `${++this.#world.said}`;
      this.unanswered.set(id, to);
      this.#world.nodes.say(this.session!, to, id);
    }
  }

  receive(): void {
    if (this.isHere) this.#world.nodes.send(this.session!, { type: 'received', upTo: this.upTo });
  }

  read(peer: string): void {
    if (this.isHere) this.#world.nodes.send(this.session!, { type: 'read', peer, upTo: this.upTo });
  }

  get isHere(): boolean {
    return this.session?.open ?? false;
  }

  #take(frame: DirectServerFrame): void {
    const world = this.#world;
    if (frame.type === 'message') {
      assert.equal(frame.seq, this.upTo + 1, `${this.user} ${this.device}: the next one, once`);
      this.upTo = frame.seq;
      this.got.set(frame.seq, frame);
    } else if (frame.type === 'gap') {
      assert.ok(world.mayExpire, `${this.user} ${this.device}: a gap though nothing was old`);
      assert.equal(frame.from, this.upTo + 1);
      assert.ok(frame.to >= frame.from);
      this.upTo = frame.to;
    } else if (frame.type === 'received' || frame.type === 'read') {
      const name = `${frame.type} ${frame.by}`;
      assert.ok(frame.version > this.receiptsAfter, 'versions rise');
      assert.ok(frame.upTo > (this.marks.get(name) ?? 0), 'no receipt goes back');
      this.receiptsAfter = frame.version;
      this.marks.set(name, frame.upTo);
    } else if (frame.type === 'server_ack') {
      if (frame.result === 'ok') this.#acknowledged(frame.id, frame.to, frame.seq!);
      if (frame.result !== 'busy') this.unanswered.delete(frame.id);
    }
  }

  #acknowledged(id: string, to: string, seq: number): void {
    const known = this.#world.acknowledged.get(to)!;
    assert.equal(known.get(seq) ?? id, id, 'a number has one message');
    for (const [other, otherId] of known) if (otherId === id) assert.equal(other, seq, 'and a message one');
    known.set(seq, id);
  }
}

type Real = { world: World; clients: readonly Client[] };
type Command = fc.AsyncCommand<Record<string, never>, Real>;

const command = (name: string, run: (real: Real) => Promise<void> | void): Command => ({
  check: () => true,
  run: async (_model, real) => run(real),
  toString: () => name,
});

const who = fc.nat(places.length - 1);
const whom = fc.constantFrom(...users);
const node = fc.nat(1);

const anyCommand = fc.oneof(
  {
    arbitrary: fc
      .tuple(who, node)
      .map(([one, at]) => command(`connect(${one}, ${at})`, ({ clients }) => clients[one]!.connect(at))),
    weight: 6,
  },
  {
    arbitrary: who.map((one) => command(`drop(${one})`, ({ clients }) => clients[one]!.drop())),
    weight: 4,
  },
  {
    arbitrary: fc
      .tuple(who, whom, fc.constantFrom(1, 2, 5, 120))
      .map(([one, to, count]) =>
        command(`say(${one}, ${to}, ${count})`, ({ clients }) => clients[one]!.say(to, count)),
      ),
    weight: 8,
  },
  {
    arbitrary: who.map((one) => command(`receive(${one})`, ({ clients }) => clients[one]!.receive())),
    weight: 8,
  },
  {
    arbitrary: fc
      .tuple(who, whom)
      .map(([one, peer]) => command(`read(${one}, ${peer})`, ({ clients }) => clients[one]!.read(peer))),
    weight: 4,
  },
  {
    arbitrary: fc.nat(12).map((count) => command(`turns(${count})`, () => turns(count))),
    weight: 8,
  },
  {
    arbitrary: node.map((at) => command(`crash(${at})`, ({ world }) => world.nodes.crash(at))),
    weight: 1,
  },
  {
    arbitrary: fc
      .tuple(
        fc.constantFrom('store', 'page', 'received', 'receipt', 'receipts', 'arrive', 'leave'),
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
      )
      .map(([name, late, count]) =>
        command(`lose(${count} ${late ? 'answers' : 'calls'} of ${name})`, ({ world }) => {
          let left = count;
          const hook = (called: string) => {
            if (called === name && left-- > 0) throw new Error('no answer');
          };
          if (late) world.nodes.after = hook;
          else world.nodes.before = hook;
        }),
      ),
    weight: 4,
  },
  {
    arbitrary: fc.boolean().map((isDeaf) =>
      command(`deaf(${isDeaf})`, ({ world }) => {
        world.nodes.isDeaf = isDeaf;
      }),
    ),
    weight: 2,
  },
  {
    arbitrary: fc.constantFrom(31_000, 8 * 86_400_000, testSettings.mailboxAgeMs).map((ms) =>
      command(`pass(${ms})`, ({ world }) => {
        world.nodes.clock.nowMs += ms;
        world.mayExpire ||= ms > 31_000;
      }),
    ),
    weight: 1,
  },
);

/** All is healed, everybody comes back, and takes what is there. */
async function converge({ world, clients }: Real): Promise<void> {
  const { nodes } = world;
  nodes.before = () => {};
  nodes.after = () => {};
  nodes.isDeaf = false;
  await until(
    async () => {
      for (const client of clients) {
        if (!client.isHere || client.unanswered.size > 0) await client.connect(client.upTo % 2);
        await turns(5);
        client.receive();
      }
      await turns(5);
      const isDone = async (client: Client) => {
        const { messages, last } = await nodes.store.page(client.user, client.upTo, 1);
        return client.unanswered.size === 0 && messages.length === 0 && client.upTo === last;
      };
      return (await Promise.all(clients.map(isDone))).every(Boolean);
    },
    'everybody has everything',
    10_000,
  );
  // What came after the last acknowledgement is acknowledged too.
  for (const client of clients) client.receive();
}

function checkAll({ world, clients }: Real): void {
  for (const { user, device, got } of clients)
    for (const [seq, id] of world.acknowledged.get(user)!) {
      const found = got.get(seq)?.id;
      if (found === undefined && world.mayExpire) continue; // It was told of the gap.
      assert.equal(found, id, `${user} ${device} has what was acknowledged as ${seq}`);
    }
}

/** What everybody has received of a sender, the devices of the sender are told at last. */
async function checkReceipts({ world, clients }: Real): Promise<void> {
  if (world.mayExpire) return;
  for (const by of users)
    for (const sender of users) {
      const seqs = clients
        .filter(({ user }) => user === by)
        .flatMap(({ got }) => [...got].flatMap(([seq, { from }]) => (from === sender ? [seq] : [])));
      if (seqs.length === 0) continue;
      for (const client of clients.filter(({ user }) => user === sender)) {
        const isTold = () => client.marks.get(`received ${by}`) === Math.max(...seqs);
        const what = `${sender} ${client.device} is told what ${by} has`;
        await until(isTold, what).catch(async (error: Error) => {
          const { closeCode } = client.session!;
          const { receipts, version } = await world.nodes.store.receipts(sender, 0);
          const { owed } = await world.nodes.store.arrive({ user: by, device: 'phone' });
          const known = {
            marks: [...client.marks],
            after: client.receiptsAfter,
            closeCode,
            max: Math.max(...seqs),
          };
          throw new Error(`${error.message}: ${JSON.stringify({ known, receipts, version, owed })}`);
        });
      }
    }
}

/** Runs scripts until the time is over. The store is a new one for each. */
export async function checkMailboxModel(makeStore: MakeStore, runs: number, timeMs: number): Promise<void> {
  const endAtMs = performance.now() + timeMs;
  const scripts = fc.commands([anyCommand], { maxCommands: 40, size: 'max' });
  const property = fc.asyncProperty(scripts, async (script) => {
    // A limit of fast-check would leave the run that is under way to itself.
    if (performance.now() > endAtMs) return;
    // Leases are renewed often, so that what was lost is soon made up for.
    const settings = { presenceLeaseMs: 60 };
    await using nodes = await new Nodes({ count: 2, settings, makeStore }).start();
    const world = new World(nodes);
    const clients = places.map(([user, device]) => new Client(world, user, device));
    // A device that comes for the first time begins at what is there, so all come at first.
    for (const client of clients) await client.connect(0);
    const real = { world, clients };
    await fc.asyncModelRun(() => ({ model: {}, real }), script);
    await converge(real);
    checkAll(real);
    await checkReceipts(real);
  });
  await fc.assert(property, { numRuns: runs, endOnFailure: true });
}
