/** Every failure against real processes: nobody misses anything without being told, and all is well again in time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ownRedisBinary } from '../../deployment/services/redis.ts';
import { type StrikeRecord, strike } from './inject-fault.ts';
import { scenarios } from './scenarios.ts';

const reconnectWaitMsMax = 500;
const redisBinary = await ownRedisBinary();
const noRedis = 'no redis-server that may be frozen and killed: install one, or run as root on Debian';

/** What is particular to a failure, beside what holds for all. */
const particulars: Record<string, (record: StrikeRecord) => void> = {
  'worker killed': ({ closes, stayed }) => {
    assert.deepEqual(Object.keys(closes), ['1006'], 'only its own sessions');
    assert.ok(stayed > 0);
  },
  'node killed': ({ closes, stayed, people }) => {
    assert.deepEqual(closes, { 1006: people / 2 });
    assert.equal(stayed, people / 2);
  },
  'node drained': ({ closes, stayed, people, wellAfterMs }) => {
    assert.deepEqual(closes, { 1012: people / 2 });
    assert.equal(stayed, people / 2);
    assert.ok(wellAfterMs! < reconnectWaitMsMax + 1000, `those that moved were back after ${wellAfterMs} ms`);
  },
  'Redis killed': ({ closes }) => assertToldToComeBack(closes),
  'Redis frozen': ({ closes }) => assertToldToComeBack(closes),
  'output buffer overflowed': ({ closes, stayed, people }) => {
    assert.deepEqual(closes, { 1012: people / 2 }, 'only the sessions of the node that missed something');
    assert.equal(stayed, people / 2);
  },
  'network cut': ({ closes, stayed, people }) => {
    assert.deepEqual(closes, { 1012: people / 2 }, 'only the sessions of the node behind it');
    assert.equal(stayed, people / 2);
  },
};

/** 1012 to all; 1013 to who spoke in the moment between. */
function assertToldToComeBack(closes: StrikeRecord['closes']): void {
  assert.ok(
    Object.keys(closes).every((code) => code === '1012' || code === '1013'),
    JSON.stringify(closes),
  );
}

describe('failures under load', { concurrency: 4 }, () => {
  for (const scenario of scenarios) {
    const needsRedis = scenario.stage === '05-backplane';
    const skip = needsRedis && redisBinary === null && noRedis;
    test(`${scenario.name}: told within three seconds, and well again`, { skip }, async ({ signal }) => {
      const record = await strike(scenario, needsRedis ? redisBinary : null, {
        people: 40,
        messagesPerSecond: 2,
        calmMs: 500,
        aftermathMs: 3500,
        reconnectWaitMsMax,
        signal,
      });
      const shown = JSON.stringify(record);
      assert.equal(record.lostSilently, 0, shown);
      assert.equal(record.duplicated, 0, shown);
      assert.equal(record.reordered, 0, shown);
      assert.ok(record.said > 150, shown);
      assert.ok(record.darkMsMax < 3000, shown);
      assert.ok(record.readyWhileBrokenMsMax < 3000, shown);
      assert.ok(record.unreadyAfterMs !== null, shown);
      assert.ok(record.wellAfterMs !== null && record.wellAfterMs < record.faultMs + 3000, shown);
      particulars[scenario.name]!(record);
    });
  }
});
