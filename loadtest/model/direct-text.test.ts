import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultWorkload, directPayloadBytesMin, type ResolvedWorkload } from '../workload.ts';
import { DirectFormat } from './direct-text.ts';

const workload = {
  ...defaultWorkload,
  people: 500,
  peoplePrefix: 'p-',
  payloadBytes: 160,
} as unknown as ResolvedWorkload;
const format = new DirectFormat(workload, 'abc', [1, 2]);
const anyMessage = fc.record({
  sender: fc.nat(499),
  step: fc.nat(1000),
  number: fc.nat(2 ** 30),
  lagUs: fc.nat(2 ** 30 - 1),
});

test('a frame has the size that is asked for, and its text is intact for its sender and id alone', () => {
  fc.assert(
    fc.property(anyMessage, ({ sender, step, number, lagUs }) => {
      const text = format.frame(sender, 7, step, number, lagUs);
      assert.equal(Buffer.byteLength(text), 160);
      const { to, id, Message } = JSON.parse(text);
      assert.equal(to, 'p-000007');
      assert.deepEqual(format.parseId(id), { step, number });
      assert.equal(format.lagOf(Message, sender, step, number), lagUs);
      assert.equal(format.lagOf(Message, sender ^ 1, step, number), -1);
      assert.equal(format.lagOf(Message, sender, step, number + 1), -1);
      assert.equal(format.lagOf(Message, sender, step + 1, number), -1);
      assert.equal(new DirectFormat(workload, 'abc', [1, 3]).lagOf(Message, sender, step, number), -1);
    }),
  );
});

test('a text with one other, one missing or one more character is not intact', () => {
  const { Message } = JSON.parse(format.frame(3, 7, 0, 5, 99));
  const lag = (text: unknown) => format.lagOf(text, 3, 0, 5);
  assert.equal(lag(Message), 99);
  for (let at = 0; at < Message.length; at++) {
    const other = Message[at] === 'x' ? 'y' : 'x';
    assert.equal(lag(Message.slice(0, at) + other + Message.slice(at + 1)), -1, `character ${at}`);
    assert.equal(lag(Message.slice(0, at)), -1, `the first ${at}`);
  }
  assert.equal(lag(`${Message}A`), -1);
  assert.equal(lag(undefined), -1);
});

test('an id of another run, or in another spelling, is none of this run', () => {
  for (const id of ['abd.0.1', 'abc.0', 'abc', 'abc.0.01', 'abc.0.1x!', 'abc.-1.1', 'abcd.0.1', 7, undefined])
    assert.equal(format.parseId(id), undefined, String(id));
});

test('the smallest payload holds every id', () => {
  const peoplePrefix = 'fifteen-letters';
  const payloadBytes = directPayloadBytesMin;
  const small = new DirectFormat({ ...workload, peoplePrefix, payloadBytes }, 'abcdefg', [1, 2]);
  assert.equal(Buffer.byteLength(small.frame(1, 2, 36 ** 7, 2 ** 30, 5)), payloadBytes);
});
