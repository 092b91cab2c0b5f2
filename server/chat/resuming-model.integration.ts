/**
 * Resume against a simple model: people join, talk, leave and resume on two nodes; the log is trimmed, nodes
 * are restarted, Redis loses its data or its connections, and one node alone is cut from it for a while. The
 * model is the order in which Redis has the messages of a room. Whoever was told a position has heard exactly
 * the messages that follow it, and `recovered: true` means the position that was asked for.
 */
import { test } from 'node:test';
import fc from 'fast-check';
import { ownRedisBinary, startRedisServer } from '#host/redis-server.ts';
import type { Direction } from '#host/silent-proxy.ts';
import { until } from '../../testing/until.ts';
import { catchUpWith, converse, gather, Person, talk, Witness, World } from './resuming-model.fixture.ts';

const peopleCount = 4;
/** At most so many scripts, and no new one after this time; chosen. */
const runs = 60;
const timeMs = 14_000;

type Model = Record<string, never>;
type Real = { world: World; people: readonly Person[] };
type Command = fc.AsyncCommand<Model, Real>;

const command = (name: string, run: (real: Real) => Promise<void>): Command => ({
  check: () => true,
  run: (_model, real) => run(real),
  toString: () => name,
});

const person = fc.nat(peopleCount - 1);
const node = fc.nat(1);
const entries = fc.nat(6);

const join = fc
  .tuple(person, node)
  .map(([who, at]) => command(`join(${who}, ${at})`, ({ people }) => people[who]!.join(at)));

const leave = fc
  .tuple(person, fc.constantFrom(0, 1, 3))
  .map(([who, lost]) => command(`leave(${who}, ${lost})`, async ({ people }) => people[who]!.leave(lost)));

/** Leaves, and comes back at once: often without the newest of what was written to it. */
const comeBack = fc.tuple(person, node, fc.constantFrom(0, 1, 3, 1000)).map(([who, at, lost]) =>
  command(`come back(${who}, ${at}, ${lost})`, async ({ people }) => {
    people[who]!.leave(lost);
    await people[who]!.join(at);
  }),
);

const say = fc.tuple(person, fc.integer({ min: 1, max: 6 }), fc.boolean()).map(([who, count, waits]) =>
  command(`say(${who}, ${count}, ${waits})`, async ({ people }) => {
    let last: string | undefined;
    for (let said = 0; said < count; said++) last = people[who]!.say();
    if (waits) await people[who]!.hears(last);
  }),
);

const trim = entries.map((left) =>
  command(`trim(${left})`, async ({ people, world }) => {
    for (const one of people) one.mayLose();
    await world.trim(left);
  }),
);

const restart = node.map((at) =>
  command(`restart(${at})`, async ({ people, world }) => {
    await world.restart(at);
    for (const one of people) if (!one.isHere) one.leave();
  }),
);

const endConnections = fc.constant(command('end connections', ({ world }) => world.endConnections()));

/** Redis loses everything under people who say nothing, or say something before the nodes have noticed. */
const lose = fc.boolean().map((talking) =>
  command(`lose(${talking})`, async ({ people, world }) => {
    await gather(people, 0);
    for (const one of people) one.mayLose();
    await world.lose();
    if (talking) await talk(people);
  }),
);

type Separation = { at: number; direction: Direction; isLate: boolean; left: number | null };

/** One node alone is cut from Redis while everybody talks; `left`: so many entries are left meanwhile. */
const separate = fc
  .record({
    at: node,
    direction: fc.constantFrom<Direction>('both', 'both', 'from', 'to'),
    /** Healed only after the node has noticed. */
    isLate: fc.boolean(),
    left: fc.option(entries, { freq: 2 }),
  })
  .map((separation) => command(`separate(${JSON.stringify(separation)})`, (real) => run(real, separation)));

async function run({ people, world }: Real, { at, direction, isLate, left }: Separation): Promise<void> {
  await gather(people, at);
  const far = people.filter((one) => one.node === at);
  const near = people.filter((one) => one.node !== at);
  world.cut(at, direction);
  for (const one of far) one.say();
  for (let time = 0; time < 2; time++) await talk(near);
  if (left !== null) {
    for (const one of people) one.mayLose();
    await world.trim(left);
  }
  if (isLate) await until(() => !world.nodes[at]!.chat.ready, 'noticed');
  world.heal(at);
  await catchUpWith(near, far);
}

// Joins and talk are more frequent than failures.
const anyCommand = fc.oneof(
  { arbitrary: join, weight: 6 },
  { arbitrary: say, weight: 6 },
  { arbitrary: leave, weight: 3 },
  { arbitrary: comeBack, weight: 5 },
  { arbitrary: trim, weight: 1 },
  { arbitrary: restart, weight: 1 },
  { arbitrary: endConnections, weight: 1 },
  { arbitrary: lose, weight: 1 },
  { arbitrary: separate, weight: 3 },
);

const binary = await ownRedisBinary();

test('everybody hears exactly what follows its position, and nobody is told wrongly that it is recovered', {
  skip: binary === null && 'there is no redis-server',
}, async () => {
  await using server = await startRedisServer(binary!);
  using witness = await Witness.start(server.url);
  const endAtMs = performance.now() + timeMs;
  const scripts = fc.commands([anyCommand], { maxCommands: 30, size: 'max' });
  // The least that the setting allows, which is some ten entries, and more than any script needs.
  const memories = fc.constantFrom(4096, 1024 ** 2);
  const property = fc.asyncProperty(scripts, memories, async (script, tailBytesMax) => {
    // A limit of fast-check would leave the run that is under way to itself, and its nodes open.
    if (performance.now() > endAtMs) return;
    await using world = await World.start(server, tailBytesMax);
    const people = Array.from({ length: peopleCount }, (_, index) => new Person(world, index));
    await fc.asyncModelRun(() => ({ model: {}, real: { world, people } }), script);
    // All is healed: whoever is still there hears what everybody says now.
    await converse(people);
    await witness.catchUp();
    witness.checkEachOnce();
    for (const one of people) one.check(witness);
  });
  await fc.assert(property, { numRuns: runs, endOnFailure: true });
});
