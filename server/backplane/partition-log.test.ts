import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BatchQueue } from './batch.ts';
import { PartitionLog } from './partition-log.ts';
import { RoomTail } from './room-tail.ts';
import { countByRoom, type ReadEntry, type RoomRun } from './stream-entry.ts';

/** The log as Redis would write it: entries of some messages, each for one of a few rooms. */
class WrittenLog {
  readonly entries: ReadEntry[] = [];
  readonly epoch: string;
  readonly #counts = new Map<string, number>();
  /** All messages of each room. */
  readonly texts = new Map<string, string[]>();

  constructor(epoch = 'e') {
    this.epoch = epoch;
  }

  write(rooms: readonly string[]): ReadEntry {
    const queue = new BatchQueue();
    for (const room of rooms) {
      const texts = this.texts.get(room) ?? [];
      queue.push(room, Buffer.from(`${room} ${texts.length}`));
      this.texts.set(room, [...texts, `${room} ${texts.length}`]);
    }
    const header = { kind: 'messages', publisher: '0'.repeat(16), sequence: 1, publishedAtMs: 0 } as const;
    const batch = queue.take(header, 1e9);
    const runs: RoomRun[] = [];
    const previous = this.entries.at(-1)?.entry.id ?? '0-0';
    const entry = { id: `${this.entries.length + 1}-7`, batch, runs };
    for (const [room, messages] of countByRoom(batch)) {
      const first = this.#counts.get(room) ?? 0;
      runs.push({ entry, room, base: 0, first, messages });
      this.#counts.set(room, first + messages);
    }
    const read = { entry, previous, epoch: this.epoch, header };
    this.entries.push(read);
    return read;
  }
}

const room = fc.constantFrom('a', 'b', 'c');
const batches = fc.array(fc.array(room, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 30 });

test('whatever was forgotten and read back, a recovered gap is the whole gap', () => {
  const steps = fc.array(fc.oneof(fc.constant('forget'), fc.integer({ min: 1, max: 5 })), { maxLength: 30 });
  fc.assert(
    fc.property(batches, fc.nat(30), steps, fc.nat(40), room, (all, begin, script, offset, name) => {
      const written = new WrittenLog();
      for (const rooms of all) written.write(rooms);
      const start = Math.min(begin, all.length);
      const log = new PartitionLog('e', written.entries[start - 1]?.entry.id ?? '0-0', () => false);
      for (const entry of written.entries.slice(start)) assert.equal(log.append(entry), true);
      for (const step of script) {
        if (step === 'forget') log.forgetOldest();
        else {
          const older = written.entries.findIndex(({ entry }) => entry.id === log.before) + 1;
          log.prepend(written.entries.slice(Math.max(0, older - step), older).reverse());
        }
      }
      const tail = log.rooms.get(name);
      if (!tail) return;
      const texts = written.texts.get(name)!;
      const { epoch } = log.giveUp(name, tail);
      const recovery = log.recover(name, tail, { epoch, offset }, 1e9);
      if (offset > texts.length) assert.equal((recovery as { outcome: string }).outcome, 'future');
      else if (recovery !== 'older') {
        assert.equal(recovery.recovered, true);
        assert.deepEqual(recovery.missed.map(String), texts.slice(offset));
      } else {
        // It must say so only where an entry that is needed is not here.
        const needed = written.entries.findIndex(({ entry }) => {
          const run = entry.runs.find((one) => one.room === name);
          return run !== undefined && run.first + run.messages > offset;
        });
        assert.ok(needed < written.entries.findIndex(({ entry }) => entry.id === log.before) + 1);
      }
    }),
    { numRuns: 500 },
  );
});

test('an entry that does not follow the one before is not taken', () => {
  const written = new WrittenLog();
  const [one, , three] = [written.write(['a']), written.write(['a']), written.write(['a'])];
  const log = new PartitionLog('e', '0-0', () => false);
  assert.equal(log.append(one), true);
  assert.equal(log.append(three), false, 'one is missing');
  assert.equal(log.append(one), false, 'it is repeated');
  assert.equal(log.append({ ...written.entries[1]!, epoch: 'other' }), false, 'it is of another life');
  assert.equal(log.cursor, one.entry.id);
});

test('entries that were read back are taken while each joins the one after it', () => {
  const written = new WrittenLog();
  const all = Array.from({ length: 5 }, () => written.write(['a']));
  const [one, two, three, four, five] = all as [ReadEntry, ReadEntry, ReadEntry, ReadEntry, ReadEntry];
  const log = new PartitionLog('e', four.entry.id, () => false);
  log.append(five);
  const { bytes } = log;
  log.prepend([three, two]);
  assert.deepEqual([log.before, log.bytes], [four.entry.id, bytes], 'the fourth is missing');
  log.prepend([{ ...four, epoch: 'other' }]);
  assert.equal(log.before, four.entry.id, 'it is of another life');
  log.prepend([four, two, one]);
  assert.equal(log.before, three.entry.id, 'the third is missing');
  const tail = log.rooms.get('a')!;
  assert.equal(tail.first, 3);
  const { epoch } = log.giveUp('a', tail);
  assert.equal(log.recover('a', tail, { epoch, offset: 2 }, 1e9), 'older');
  log.prepend([three, two, one]);
  const recovery = log.recover('a', tail, { epoch, offset: 1 }, 1e9);
  assert.ok(recovery !== 'older');
  assert.deepEqual(recovery.missed.map(String), written.texts.get('a')!.slice(1));
});

test('of a room, only messages that join those that are here are added', () => {
  const written = new WrittenLog();
  const runs = Array.from({ length: 4 }, () => written.write(['a']).entry.runs[0]!);
  const tail = new RoomTail('a', 0, 3);
  tail.append(runs[3]!);
  tail.prepend([runs[0]!, runs[1]!]);
  assert.equal(tail.first, 3, 'the third is missing');
  tail.prepend([{ ...runs[2]!, base: 9 }]);
  assert.equal(tail.first, 3, 'it is of another life of the room');
  tail.prepend([runs[0]!, runs[2]!]);
  assert.equal(tail.first, 2, 'the second is missing');
});

test('what is known of a room lasts while somebody needs it, and no longer', () => {
  const written = new WrittenLog();
  const needed = new Set(['a']);
  const log = new PartitionLog('e', '0-0', (name) => needed.has(name));
  log.append(written.write(['a', 'b']));
  assert.equal(log.forgetOldest(), true);
  assert.equal(log.forgetOldest(), false);
  assert.deepEqual([...log.rooms.keys()], ['a']);
  assert.equal(log.bytes, 0);
  needed.clear();
  log.release('a');
  assert.equal(log.rooms.size, 0);
});

test('a room that began anew in Redis has another epoch, and nothing from before it', () => {
  const log = new PartitionLog('e', '0-0', () => true);
  const tail = new RoomTail('a', 0, 5);
  log.rooms.set('a', tail);
  const old = log.giveUp('a', tail);
  const written = new WrittenLog().write(['a', 'a']);
  written.entry.runs[0]!.base = 99;
  assert.equal(log.append(written), true);
  const recovery = log.recover('a', tail, { epoch: old.epoch, offset: 1 }, 1e9);
  assert.deepEqual(
    { ...(recovery as object), epoch: '' },
    {
      epoch: '',
      offset: 2,
      recovered: false,
      outcome: 'epoch',
      missed: [],
    },
  );
  assert.notEqual((recovery as { epoch: string }).epoch, old.epoch);
});

test('more missed bytes than a resume may bring are not recovered', () => {
  const written = new WrittenLog();
  const log = new PartitionLog('e', '0-0', () => true);
  for (let count = 0; count < 10; count++) log.append(written.write(['a']));
  const tail = log.rooms.get('a')!;
  const { epoch } = log.giveUp('a', tail);
  const outcome = (offset: number) => {
    const recovery = log.recover('a', tail, { epoch, offset }, 9);
    return recovery === 'older' ? recovery : recovery.outcome;
  };
  assert.deepEqual(
    [outcome(0), outcome(6), outcome(8), outcome(10)],
    ['too_much', 'too_much', 'recovered', 'nothing_missed'],
  );
});

test('what a node gave up may still be in Redis: it is asked for, although the node had the whole log before', () => {
  const written = new WrittenLog();
  for (const rooms of [['a'], ['a']]) written.write(rooms);
  const log = new PartitionLog('e', '0-0', () => true);
  for (const entry of written.entries) log.append(entry);
  log.isWhole = true;
  const tail = log.rooms.get('a')!;
  const { epoch } = log.recover('a', tail, undefined, 1e9) as { epoch: string };
  const recover = () => log.recover('a', tail, { epoch, offset: 0 }, 1e9);
  assert.equal((recover() as { outcome: string }).outcome, 'recovered');
  log.forgetOldest();
  assert.equal(recover(), 'older');
  log.isWhole = true;
  assert.equal((recover() as { outcome: string }).outcome, 'trimmed');
});
