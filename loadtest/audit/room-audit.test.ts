import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arrival, RoomAudit } from './room-audit.ts';

/** The same questions, answered by keeping everything that was ever heard. */
class NaiveAudit {
  readonly #heard = new Map<number, number[]>();
  readonly #senders: number;

  constructor(senders: number) {
    this.#senders = senders;
  }

  mark(recipient: number, number: number): number {
    const heard = this.#heard.get(recipient) ?? [];
    this.#heard.set(recipient, heard);
    if (heard.includes(number)) return arrival.duplicated;
    const later = heard.some((other) => other > number && other % this.#senders === number % this.#senders);
    heard.push(number);
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

test('bits and a high-water mark say the same as remembering every message', () => {
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

test('what one recipient heard says nothing about another', () => {
  const audit = new RoomAudit(2, 1);
  assert.equal(audit.mark(0, 7), arrival.inOrder);
  assert.ok(audit.has(0, 7));
  assert.ok(!audit.has(1, 7));
  assert.equal(audit.mark(1, 3), arrival.inOrder);
});
