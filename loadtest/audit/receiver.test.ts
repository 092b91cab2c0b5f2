import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  earlierRunId,
  frameOf,
  payloadBytes,
  receive,
  runId,
  senders,
  type Writing,
  writings,
} from './receiver.fixture.ts';

/** The delivery of message `number` to a recipient, or something else in its place. */
type Event = {
  kind:
    | 'message'
    | 'corrupted'
    | 'misrouted'
    | 'other-run'
    | 'earlier-step'
    | 'ping'
    | 'typed'
    | 'fragmented';
  number: number;
  where: number;
};

function bytesOf({ kind, number, where }: Event, writing: Writing): Buffer {
  if (kind === 'ping') return Buffer.from([0x89, 2, 1, 2]);
  if (kind === 'typed') return Buffer.concat([Buffer.from([0x81, 19]), Buffer.from('{"type":"presence"}')]);
  if (kind === 'misrouted') return frameOf(number, 1, writing);
  if (kind === 'earlier-step') return frameOf(number, 0, writing, earlierRunId);
  if (kind === 'other-run') return frameOf(number, 0, writing, runId + 2);
  if (kind === 'fragmented') {
    const payload = frameOf(number, 0, 'canonical').subarray(2);
    return Buffer.concat([
      Buffer.from([0x01, 30]),
      payload.subarray(0, 30),
      Buffer.from([0x80, payload.length - 30]),
      payload.subarray(30),
    ]);
  }
  const frame = frameOf(number, 0, kind === 'corrupted' ? 'canonical' : writing);
  if (kind === 'corrupted') frame[2 + (where % payloadBytes)]! ^= 1 + (where % 255);
  return frame;
}

const anyEvent = fc.record({
  kind: fc.constantFrom<Event['kind']>(
    ...(Array(12).fill('message') as 'message'[]),
    'corrupted',
    'misrouted',
    'other-run',
    'earlier-step',
    'ping',
    'typed',
    'fragmented',
  ),
  where: fc.nat(),
  keep: fc.integer({ min: 0, max: 19 }),
  shift: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(5) }),
});
/** Deliveries to one recipient: mostly all in order, with drops, duplicates, disorder and damage. */
const anyDeliveries = fc.array(anyEvent, { maxLength: 60 }).map((events) =>
  events
    .map(({ kind, where, keep, shift }, number) => ({
      event: { kind, where, number },
      copies: keep === 0 ? 0 : keep === 1 ? 2 : 1,
      at: number + shift,
    }))
    .sort((a, b) => a.at - b.at)
    .flatMap(({ event, copies }) => new Array<Event>(copies).fill(event)),
);

function expectedOf(deliveries: readonly Event[]) {
  const counts = { delivered: 0, duplicated: 0, reordered: 0, misrouted: 0, corrupted: 0, late: 0 };
  const received = new Set<number>();
  for (const { kind, number } of deliveries) {
    if (kind === 'corrupted') counts.corrupted++;
    else if (kind === 'earlier-step') counts.late++;
    else if (kind === 'misrouted' || kind === 'other-run') counts.misrouted++;
    else if (kind === 'message' || kind === 'fragmented') {
      if (received.has(number)) {
        counts.duplicated++;
        continue;
      }
      counts.delivered++;
      if ([...received].some((other) => other > number && other % senders === number % senders))
        counts.reordered++;
      received.add(number);
    }
  }
  return counts;
}

test('every fault of the streams is counted exactly, however they are written, cut and interleaved', () => {
  const anyChunkSizes = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 60, max: 3000 })),
    { minLength: 1, maxLength: 9 },
  );
  fc.assert(
    fc.property(
      fc.array(anyDeliveries, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(...(Object.keys(writings) as Writing[])),
      anyChunkSizes,
      fc.constantFrom(1, 4, 8, 32, 1024),
      (recipients, writing, chunkSizes, referenceFrames) => {
        const streams = recipients.map((deliveries) =>
          Buffer.concat(deliveries.map((event) => bytesOf(event, writing))),
        );
        const seen = receive(streams, chunkSizes, referenceFrames, frameOf(0, 0, writing).length);
        const expected = recipients.map(expectedOf).reduce(
          (sum, one) => ({
            delivered: sum.delivered + one.delivered,
            duplicated: sum.duplicated + one.duplicated,
            reordered: sum.reordered + one.reordered,
            misrouted: sum.misrouted + one.misrouted,
            corrupted: sum.corrupted + one.corrupted,
            late: sum.late + one.late,
          }),
          { delivered: 0, duplicated: 0, reordered: 0, misrouted: 0, corrupted: 0, late: 0 },
        );
        assert.deepEqual(seen.counts, expected);
      },
    ),
    { numRuns: 600 },
  );
});

test('a changed byte anywhere in a frame costs exactly that delivery', () => {
  const good = Array.from({ length: 6 }, (_, number) => frameOf(number, 0, 'canonical'));
  for (let victim = 0; victim < 6; victim++) {
    for (let byte = 2; byte < payloadBytes + 2; byte++) {
      const bad = good.map((frame) => Buffer.from(frame));
      bad[victim]![byte]! ^= 1;
      const streams = [Buffer.concat(good), Buffer.concat(bad)];
      const seen = receive(streams, [streams[0]!.length], 64, good[0]!.length);
      assert.deepEqual(seen.counts, {
        delivered: 11,
        duplicated: 0,
        reordered: 0,
        misrouted: 0,
        corrupted: 1,
        late: 0,
      });
    }
  }
});

test('users of processes with different interleavings follow a reference each, and all faults count exactly', () => {
  const messages = 9_000;
  /** Each keeps the order of every sender; such a server promises no more. */
  const interleavings = [
    [0, 1, 2, 3, 4, 5],
    [0, 3, 1, 4, 2, 5],
    [2, 5, 1, 0, 4, 3],
  ];
  const streamOf = (user: number) => {
    const frames: Buffer[] = [];
    for (let block = 0; block < messages; block += 6)
      for (const place of interleavings[user % 3]!) {
        const number = block + place;
        if (number % 1000 === 17) continue;
        const frame = frameOf(number, 0, 'canonical');
        if (number % 1000 === 500 + user) frame[60]! ^= 1;
        frames.push(frame);
        if (number % 1000 === 300) frames.push(frame);
      }
    return Buffer.concat(frames);
  };
  const users = 9;
  const streams = Array.from({ length: users }, (_, user) => streamOf(user));
  const { counts, followed } = receive(
    streams,
    [2900, 1700, 3333, 2048],
    4096,
    frameOf(0, 0, 'canonical').length,
  );
  const each = messages / 1000;
  assert.deepEqual(counts, {
    delivered: users * (messages - 2 * each),
    duplicated: users * each,
    reordered: 0,
    misrouted: 0,
    corrupted: users * each,
    late: 0,
  });
  const interleavingsOf = (reference: number) =>
    new Set([...followed.keys()].filter((user) => followed[user] === reference).map((user) => user % 3));
  for (const reference of followed) assert.equal(interleavingsOf(reference).size, 1);
});

test('recipients of one interleaving share one reference, however far apart they read', () => {
  const stream = Buffer.concat(Array.from({ length: 5000 }, (_, number) => frameOf(number, 0, 'canonical')));
  const { followed, counts } = receive(
    Array(6).fill(stream),
    [2900, 20_000, 70],
    4096,
    frameOf(0, 0, 'canonical').length,
  );
  assert.deepEqual(new Set(followed), new Set([0]));
  assert.equal(counts.delivered, 30_000);
});

test('recipients with many losses and duplicates are counted exactly, whichever references they try', () => {
  const [users, messages] = [6, 6000];
  let missed = 0;
  let repeated = 0;
  const streams = Array.from({ length: users }, (_, user) => {
    const frames: Buffer[] = [];
    for (let number = 0; number < messages; number++) {
      const frame = frameOf(number, 0, 'canonical');
      const isMissed = (number * 7 + user * 31) % 50 === 0;
      const isRepeated = !isMissed && (number * 3 + user * 17) % 70 === 0;
      missed += Number(isMissed);
      repeated += Number(isRepeated);
      frames.push(...Array<Buffer>(isMissed ? 0 : isRepeated ? 2 : 1).fill(frame));
    }
    return Buffer.concat(frames);
  });
  const { counts } = receive(streams, [2900, 20_000], 4096, frameOf(0, 0, 'canonical').length);
  assert.deepEqual(counts, {
    delivered: users * messages - missed,
    duplicated: repeated,
    reordered: 0,
    misrouted: 0,
    corrupted: 0,
    late: 0,
  });
});

test('where one order is promised, every delivery that breaks the order of the first recipient is reordered', () => {
  const frameBytes = frameOf(0, 0, 'canonical').length;
  const streamOf = (numbers: readonly number[]) =>
    Buffer.concat(numbers.map((number) => frameOf(number, 0, 'canonical')));
  const order = Array.from({ length: 3000 }, (_, i) => (i % 4 === 1 ? i + 1 : i % 4 === 2 ? i - 1 : i));
  const other = order.slice();
  // Of two senders, so that each sender's own order holds.
  for (let i = 100; i < 3000; i += 100) [other[i], other[i + 3]] = [order[i + 3]!, order[i]!];
  const streams = [order, other, order].map(streamOf);
  for (const isOneOrder of [true, false])
    for (const chunkSizes of [[2900, 20_000], [700], [97]]) {
      const { counts } = receive(streams, chunkSizes, 4096, frameBytes, isOneOrder);
      const { delivered, reordered, duplicated, corrupted } = counts;
      assert.deepEqual([delivered, duplicated, corrupted], [9000, 0, 0]);
      if (isOneOrder) assert.ok(reordered >= 29, `${reordered} reordered`);
    }
  const agreed = receive([order, order, order].map(streamOf), [2900, 70], 4096, frameBytes, true);
  assert.equal(agreed.counts.reordered, 0);
});
