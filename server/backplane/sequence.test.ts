import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SequenceCheck } from './sequence.ts';

test('numbers that follow each other pass, old ones are repeated, and a jump is a gap once', () => {
  const sequences = new SequenceCheck();
  const verdicts = [5, 6, 6, 5, 7, 10, 9, 11].map((sequence) => sequences.check('a', sequence));
  assert.deepEqual(verdicts, ['next', 'next', 'repeated', 'repeated', 'next', 'gap', 'repeated', 'next']);
});

test('publishers are counted apart', () => {
  const sequences = new SequenceCheck();
  assert.equal(sequences.check('a', 1), 'next');
  assert.equal(sequences.check('b', 7), 'next');
  assert.equal(sequences.check('a', 2), 'next');
  assert.equal(sequences.check('b', 9), 'gap');
});

test('after a new subscription each publisher may skip numbers once, but nothing is received twice', () => {
  const sequences = new SequenceCheck();
  sequences.check('a', 5);
  sequences.check('b', 5);
  sequences.resubscribed();
  assert.equal(sequences.check('a', 5), 'repeated');
  assert.equal(sequences.check('a', 9), 'next');
  assert.equal(sequences.check('a', 11), 'gap');
  assert.equal(sequences.check('b', 8), 'next');
});

test('a publisher that skips numbers and comes long after the new subscription has published elsewhere', () => {
  const sequences = new SequenceCheck();
  sequences.check('a', 5);
  sequences.check('b', 5);
  sequences.resubscribed();
  assert.equal(sequences.check('a', 9), 'next');
  sequences.settle();
  assert.equal(sequences.check('a', 10), 'next');
  assert.equal(sequences.check('b', 8), 'gap');
  sequences.resubscribed();
  assert.equal(sequences.check('b', 20), 'next');
});

test('the last number that a publisher sent shows whether a break has cost anything', () => {
  const sequences = new SequenceCheck();
  assert.equal(sequences.resume('a', 5), true);
  assert.equal(sequences.check('a', 6), 'next');
  assert.equal(sequences.resume('a', 6), true);
  assert.equal(sequences.resume('a', 7), false);
  assert.equal(sequences.check('a', 8), 'next');
});

test('a number that no publisher can have reached is implausible and changes nothing', () => {
  const sequences = new SequenceCheck();
  assert.equal(sequences.check('a', 2 ** 47), 'implausible');
  assert.equal(sequences.check('a', 5), 'next');
  assert.equal(sequences.check('a', 2 ** 33), 'implausible');
  assert.equal(sequences.check('a', 6), 'next');
  assert.equal(sequences.check('a', 2 ** 31), 'gap', 'a long outage');
});

test('after its goodbye, whatever comes under the id of a publisher is repeated', () => {
  const sequences = new SequenceCheck();
  sequences.check('a', 5);
  sequences.end('a');
  assert.deepEqual([sequences.check('a', 5), sequences.check('a', 6)], ['repeated', 'repeated']);
});

test('the number of publishers is bounded, and the oldest is forgotten first', () => {
  const sequences = new SequenceCheck();
  for (let number = 0; number <= 4096; number++) sequences.check(`publisher ${number}`, 1);
  assert.equal(sequences.check('publisher 1', 3), 'gap');
  assert.equal(sequences.check('publisher 0', 3), 'next');
});
