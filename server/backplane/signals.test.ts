import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackplaneEvents, LogBackplane } from './backplane.ts';
import { withSignals } from './log-signals.ts';
import { listenTo, signalsContract } from './signals.contract.ts';
import { isSignalName, MemorySignals } from './signals.ts';

signalsContract('memory', async () => {
  const signals = new MemorySignals();
  return [signals, signals];
});

test('no room has the name of a signal', () => {
  for (const name of ['@bob', '#menu:0.0.1', '@!node']) assert.ok(isSignalName(name), name);
  for (const name of ['', 'bob', '@', '@a b', `@${'a'.repeat(255)}`, '@é'])
    assert.ok(!isSignalName(name), name);
});

/** A backplane that does what the test says. */
class ScriptedBackplane implements LogBackplane {
  readonly ready = true;
  readonly wanted = new Set<string>();
  readonly asked: { name: string; done: (prepared: boolean) => void }[] = [];
  events!: BackplaneEvents;
  start = async (events: BackplaneEvents) => {
    this.events = events;
  };
  want = (name: string) => void this.wanted.add(name);
  unwant = (name: string) => void this.wanted.delete(name);
  publish = () => true;
  prepare = (name: string, _: unknown, done: (prepared: boolean) => void) =>
    void this.asked.push({ name, done });
  recover = () => ({ epoch: '', offset: 0, recovered: false, missed: [] });
  close = async () => {};
}

function setUp() {
  const backplane = new ScriptedBackplane();
  const { rooms, signals } = withSignals(backplane);
  const delivered: string[] = [];
  const gaps: string[] = [];
  void rooms.start({ deliver: (room) => delivered.push(room), gap: (reason) => gaps.push(reason) });
  const answer = (prepared: boolean) => backplane.asked.shift()!.done(prepared);
  return { backplane, rooms, signals, delivered, gaps, answer };
}

test('rooms and signals are kept apart, and a name is wanted as long as anybody listens', async () => {
  const { backplane, signals, delivered, answer } = setUp();
  const listening = [listenTo(signals, '@a'), listenTo(signals, '@a')];
  assert.equal(backplane.asked.length, 1, 'one question for both');
  answer(true);
  const [first, second] = await Promise.all(listening);
  for (const name of ['tea', '@a', '@b', '']) backplane.events.deliver(name, Buffer.from(name));
  assert.deepEqual([delivered, first!.heard, second!.heard], [['tea', ''], ['@a'], ['@a']]);
  first!.unlisten();
  assert.deepEqual([...backplane.wanted], ['@a']);
  second!.unlisten();
  assert.deepEqual([...backplane.wanted], []);
});

test('after a gap the name is subscribed again before its listeners are told', async () => {
  const { backplane, signals, gaps, answer } = setUp();
  const listening = listenTo(signals, '@a');
  answer(true);
  const { state, unlisten } = await listening;
  backplane.events.gap('trimmed', (name) => name === '@b');
  assert.deepEqual([gaps, backplane.asked.length], [['trimmed'], 0]);
  backplane.events.gap('trimmed', (name) => name === '@a');
  assert.deepEqual([state.gaps, backplane.asked.length], [0, 1], 'first subscribe');
  backplane.events.gap('again');
  assert.equal(backplane.asked.length, 1, 'it is under way');
  answer(true);
  assert.equal(state.gaps, 1, 'then read');
  backplane.events.gap('and again');
  unlisten();
  answer(true);
  assert.equal(state.gaps, 1, 'nobody listens any more');
  assert.deepEqual([...backplane.wanted], []);
});

test('who cannot subscribe in time is told so, and told of a gap when it has come to hold', async () => {
  const { backplane, rooms, signals, answer } = setUp();
  const listening = listenTo(signals, '@a');
  answer(false);
  const { isReady, state } = await listening;
  assert.deepEqual([isReady, state.gaps], [false, 0]);
  while (backplane.asked.length === 0) await sleep(5);
  answer(true);
  assert.equal(state.gaps, 1);
  await rooms.close();
});
