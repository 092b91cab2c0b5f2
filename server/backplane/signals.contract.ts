/** The guarantees of signals, as one suite; each implementation's test runs it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../../testing/until.ts';
import type { Signals } from './signals.ts';

/** Listens, and keeps what it hears. Resolves when the subscription stands. */
export async function listenTo(signals: Signals, name: string) {
  const heard: string[] = [];
  const state = { gaps: 0 };
  const standing = Promise.withResolvers<boolean>();
  const receiver = {
    receive: (payload: Buffer) => heard.push(payload.toString()),
    gap: () => {
      state.gaps++;
    },
  };
  const unlisten = signals.listen(name, receiver, standing.resolve);
  return { heard, state, unlisten, isReady: await standing.promise };
}

/** `start` makes the signals of two processes, which may be one and the same. */
export function signalsContract(name: string, start: () => Promise<readonly [Signals, Signals]>): void {
  describe(`signals by ${name}`, () => {
    it('reach every listener of their name in order, from ready on, in the publishing process too', async () => {
      const [near, far] = await start();
      const listeners = await Promise.all([listenTo(near, '@a'), listenTo(far, '@a'), listenTo(far, '@a')]);
      const other = await listenTo(far, '#menu:0.0.1/x');
      assert.deepEqual(
        listeners.map(({ isReady }) => isReady),
        [true, true, true],
      );
      const texts = Array.from({ length: 100 }, (_, index) => `${index} ✓`);
      for (const text of texts) assert.equal(near.publish('@a', Buffer.from(text)), true);
      far.publish('#menu:0.0.1/x', Buffer.from('post'));
      await until(() => listeners.every(({ heard }) => heard.length >= 100), 'heard');
      await until(() => other.heard.length > 0, 'the other');
      for (const { heard } of listeners) assert.deepEqual(heard, texts);
      assert.deepEqual(other.heard, ['post']);
    });

    it('reach nobody who has ended it, and those who remain all the same', async () => {
      const [near, far] = await start();
      const [first, second] = [await listenTo(far, '@b'), await listenTo(far, '@b')];
      first.unlisten();
      first.unlisten();
      near.publish('@b', Buffer.from('1'));
      await until(() => second.heard.length === 1, 'heard');
      second.unlisten();
      const third = await listenTo(far, '@b');
      near.publish('@b', Buffer.from('2'));
      await until(() => third.heard.length === 1, 'heard again');
      assert.deepEqual([first.heard, second.heard, third.heard], [[], ['1'], ['2']]);
    });
  });
}
