import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arrival, RoomAudit } from './room-audit.ts';

/** The same audit, by keeping every message that was received. */
class NaiveAudit {
  readonly #received = new Map<number, number[]>();
  readonly #senders: number;

  constructor(senders: number) {
    this.#senders = senders;
  }

  mark(recipient: number, number: number): number {
    const received = this.#received.get(recipient) ?? [];
    this.#received.set(recipient, received);
    if (received.includes(number)) return arrival.duplicated;
    const later = received.some(
      (other) => other > number && other % this.#senders === number % this.#senders,
    );
    received.push(number);
    return later ? arrival.reordered : arrival.inOrder;
  }
}

/** A stream with gaps, repetitions and local disorder, as a faulty server would deliver it. */
const anyStream = fc
  .record({
    from: fc.integer({ min: 0, max: 5000 }),
    steps: fc.array(fc.record({ keep: fc.boolean(), repeat: fc.nat(9), shift: fc.nat(12) }), {
      maxLength: 200,
    }),
  })
  .map(({ from, steps }) =>
    steps
      .map(({ keep, repeat, shift }, i) => ({
        number: from + i * 3,
        at: i + shift,
        copies: keep ? 1 + +(repeat === 0) : 0,
      }))
      .sort((a, b) => a.at - b.at)
      .flatMap(({ number, copies }) => new Array<number>(copies).fill(number)),
  );

test('bits and the highest number give the same as keeping every message', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.array(anyStream, { minLength: 1, maxLength: 3 }),
      (senders, streams) => {
        const audit = new RoomAudit(streams.length, senders);
        const naive = new NaiveAudit(senders);
        streams.forEach((stream, recipient) => {
          for (const number of stream)
            assert.equal(audit.mark(recipient, number), naive.mark(recipient, number));
        });
      },
    ),
    { numRuns: 300 },
  );
});

test('each recipient is audited for itself', () => {
  const audit = new RoomAudit(2, 1);
  assert.equal(audit.mark(0, 7), arrival.inOrder);
  assert.ok(audit.has(0, 7));
  assert.ok(!audit.has(1, 7));
  assert.equal(audit.mark(1, 3), arrival.inOrder);
});
