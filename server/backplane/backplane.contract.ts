/** The guarantees of every backplane, as one suite; each implementation's test runs it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { until } from '../../testing/until.ts';
import type { Backplane, LogBackplane } from './backplane.ts';

type BackplaneUnderTest = {
  name: string;
  /** Makes the backplanes of `count` processes, not yet started. */
  create(count: number, queueBytesMax?: number): Backplane[];
  /** Whether the messages of all publishers have one order, and not only those of each. */
  oneOrderForAll: boolean;
  /** Whether it carries messages to other processes, and so has a queue. */
  crossesProcesses: boolean;
  /** It delivers only the rooms that are wanted. */
  onlyWanted?: true;
};

/** The rooms of these tests. */
const roomsOfTests = ['', 'a', 'A'.repeat(64), 'tea', 'coffee'];

type Received = { room: string; text: string };

/** A backplane and everything that it reported. */
export class Listener {
  readonly received: Received[] = [];
  readonly gaps: string[] = [];
  readonly backplane: Backplane;

  constructor(backplane: Backplane) {
    this.backplane = backplane;
  }

  /** Starts it, and wants all rooms of the tests. */
  async start(): Promise<void> {
    await this.backplane.start({
      deliver: (room, payload) => this.received.push({ room, text: payload.toString() }),
      gap: (reason) => this.gaps.push(reason),
    });
    for (const room of roomsOfTests) await this.want(room);
  }

  /** Resolves when what is published from now on will be delivered here. */
  async want(room: string): Promise<void> {
    const { backplane } = this;
    backplane.want(room);
    if (!('prepare' in backplane)) return;
    const prepared = await new Promise((resolve) =>
      (backplane as LogBackplane).prepare(room, undefined, resolve),
    );
    assert.equal(prepared, true, `prepared for ${room}`);
  }

  publish(room: string, text: string): boolean {
    return this.backplane.publish(room, Buffer.from(text));
  }

  texts(room: string): string[] {
    return this.received.filter((message) => message.room === room).map((message) => message.text);
  }
}

/** Runs the suite against one implementation. */
export function backplaneContract(subject: BackplaneUnderTest): void {
  describe(`the backplane contract: ${subject.name}`, () => {
    const processes = subject.crossesProcesses ? 3 : 1;
    testDelivery(subject, processes);
    testOrder(subject, processes);
    testWanted(subject, processes);
    testLifetime(subject, processes);
    if (subject.crossesProcesses) testQueue(subject);
  });
}

function testDelivery(subject: BackplaneUnderTest, processes: number): void {
  it('delivers a message exactly once to every process, the publishing one included', () =>
    withListeners(subject, processes, async (listeners) => {
      for (const [index, listener] of listeners.entries()) listener.publish('tea', `from ${index}`);
      await allReceived(listeners, processes);
      await sleep(30);
      const expected = listeners.map((_, index) => `from ${index}`);
      for (const listener of listeners) assert.deepEqual(listener.texts('tea').sort(), expected);
    }));

  it('keeps rooms apart, the global one too, and payloads as they are, whatever their size', () =>
    withListeners(subject, processes, async (listeners) => {
      const said: Received[] = [
        { room: '', text: '{"clientId":"ü","Message":"\\u0001"}' },
        { room: 'a', text: 'x' },
        { room: 'A'.repeat(64), text: 'ü'.repeat(300_000) },
        { room: '', text: '' },
      ];
      for (const { room, text } of said) listeners[0]!.publish(room, text);
      await allReceived(listeners, said.length);
      for (const listener of listeners) {
        assert.equal(listener.received.length, said.length);
        for (const { room } of said) {
          const texts = said.filter((other) => other.room === room).map(({ text }) => text);
          assert.deepEqual(listener.texts(room), texts);
        }
      }
    }));
}

function testOrder(subject: BackplaneUnderTest, processes: number): void {
  it('keeps the order of each publisher everywhere, over bursts of many turns', () =>
    withListeners(subject, processes, async (listeners) => {
      await publishBursts(listeners);
      for (const listener of listeners) {
        for (const index of listeners.keys()) {
          const own = listener.texts('tea').filter((text) => text.startsWith(`${index}:`));
          assert.deepEqual(own, sequenceOf(index, burstsTotal));
        }
      }
    }));

  if (!subject.oneOrderForAll) return;
  it('has one order for the messages of all publishers everywhere', () =>
    withListeners(subject, processes, async (listeners) => {
      await publishBursts(listeners);
      for (const listener of listeners) assert.deepEqual(listener.texts('tea'), listeners[0]!.texts('tea'));
    }));
}

function testWanted(subject: BackplaneUnderTest, processes: number): void {
  if (subject.onlyWanted) return testOnlyWanted(subject, processes);
  it('delivers every room whether or not it is wanted here', () =>
    withListeners(subject, processes, async (listeners) => {
      const [first] = listeners;
      first!.backplane.want('tea');
      for (const room of ['tea', 'coffee']) first!.publish(room, 'while tea is wanted');
      first!.backplane.unwant('tea');
      first!.backplane.unwant('never wanted');
      for (const room of ['tea', 'coffee']) first!.publish(room, 'while nothing is wanted');
      await allReceived(listeners, 4);
      for (const listener of listeners) {
        for (const room of ['tea', 'coffee']) {
          assert.deepEqual(listener.texts(room), ['while tea is wanted', 'while nothing is wanted']);
        }
      }
    }));
}

function testOnlyWanted(subject: BackplaneUnderTest, processes: number): void {
  it('delivers a room only while it is wanted', () =>
    withListeners(subject, processes, async (listeners) => {
      const [first, ...others] = listeners;
      first!.publish('tea', '1');
      await allReceived(listeners, 1);
      first!.backplane.unwant('tea');
      first!.backplane.unwant('never wanted');
      first!.publish('tea', '2');
      await allReceived(others, 2);
      await first!.want('tea');
      first!.publish('tea', '3');
      await allReceived(others, 3);
      await until(() => first!.texts('tea').includes('3'), 'wanted again');
      assert.ok(!first!.texts('tea').includes('2'), 'not while it was not wanted');
    }));
}

function testLifetime(subject: BackplaneUnderTest, processes: number): void {
  it('delivers to a process that starts later everything from then on', async () => {
    const listeners = subject.create(processes).map((backplane) => new Listener(backplane));
    const late = listeners.at(-1)!;
    const present = listeners.slice(0, -1);
    try {
      await Promise.all(present.map((listener) => listener.start()));
      for (const listener of present) listener.publish('tea', 'before');
      await late.start();
      for (const listener of listeners) assert.equal(listener.publish('tea', 'after'), true);
      const after = () => late.texts('tea').filter((text) => text === 'after').length;
      await until(() => after() === processes, 'everything published since');
      for (const { gaps } of listeners) assert.deepEqual(gaps, []);
    } finally {
      await Promise.all(listeners.map(({ backplane }) => backplane.close()));
    }
  });

  it('accepts nothing before it is started and after it is closed', async () => {
    const listener = new Listener(subject.create(1)[0]!);
    assert.equal(listener.backplane.ready, false);
    assert.equal(listener.publish('tea', 'early'), false);
    await listener.start();
    assert.equal(listener.backplane.ready, true);
    await listener.backplane.close();
    assert.equal(listener.backplane.ready, false);
    assert.equal(listener.publish('tea', 'late'), false);
    assert.deepEqual(listener.received, []);
  });
}

function testQueue(subject: BackplaneUnderTest): void {
  it('sends the messages that it accepted before it closes', () =>
    withListeners(subject, 2, async ([leaving, staying]) => {
      const said = sequenceOf(0, 500);
      for (const text of said) assert.equal(leaving!.publish('tea', text), true);
      await leaving!.backplane.close();
      await until(() => staying!.received.length >= said.length, 'received by the one that stays');
      assert.deepEqual(staying!.texts('tea'), said);
      assert.deepEqual(staying!.gaps, []);
    }));

  it('refuses messages beyond its bound, delivers the accepted ones, and then accepts more', () => {
    const queueBytesMax = 16_000;
    const test = async ([sender, receiver]: Listener[]) => {
      const offer = () => sender!.publish('tea', 'x'.repeat(1000));
      const accepted = Array.from({ length: 100 }, offer).filter(Boolean).length;
      assert.ok(accepted > 0 && accepted <= 16, `a queue of ${queueBytesMax} bytes took ${accepted} kB`);
      await until(() => receiver!.received.length === accepted, 'the accepted ones received');
      await until(() => sender!.publish('tea', 'more'), 'room in the queue again');
      await until(() => receiver!.received.length === accepted + 1, 'one more received');
      assert.deepEqual(receiver!.gaps, []);
    };
    return withListeners(subject, 2, test, queueBytesMax);
  });
}

async function withListeners(
  subject: BackplaneUnderTest,
  count: number,
  test: (listeners: Listener[]) => Promise<void>,
  queueBytesMax?: number,
): Promise<void> {
  const listeners = subject.create(count, queueBytesMax).map((backplane) => new Listener(backplane));
  try {
    await Promise.all(listeners.map((listener) => listener.start()));
    await test(listeners);
  } finally {
    await Promise.all(listeners.map(({ backplane }) => backplane.close()));
  }
}

function allReceived(listeners: readonly Listener[], count: number): Promise<void> {
  return until(() => listeners.every(({ received }) => received.length >= count), 'all received by all');
}

function sequenceOf(publisher: number, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${publisher}:${number}`);
}

const burstsMax = 25;
/** Messages of one process in bursts of 1, 2, 3 … messages. */
const burstsTotal = (burstsMax * (burstsMax + 1)) / 2;

/** All processes publish bursts of growing size at once, and receive all messages. */
async function publishBursts(listeners: readonly Listener[]): Promise<void> {
  const burst = async (listener: Listener, publisher: number) => {
    const texts = sequenceOf(publisher, burstsTotal).values();
    for (let size = 1; size <= burstsMax; size++) {
      for (const text of texts.take(size)) assert.equal(listener.publish('tea', text), true);
      await (size % 3 === 0 ? sleep(1) : turn());
    }
  };
  await Promise.all(listeners.map(burst));
  await allReceived(listeners, burstsTotal * listeners.length);
}
