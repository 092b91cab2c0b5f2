import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LivingNode } from '../seats/living-node.ts';
import { LocalSessions } from '../seats/local-sessions.ts';
import { Placement } from '../seats/placement.ts';
import { Moves, moveIntervalMs } from './moves.ts';

const here = 'ws://here:1';
const there = 'ws://there:1';
const partitions = 8;
const perSecondMax = 50;
const stableMs = 5_000;

type FakeSession = { readonly partition: number; open: boolean };

function setUp({ pace = perSecondMax } = {}) {
  const placement = new Placement({ partitions, loadFactor: 1, seatSessionsMax: 1_000 });
  const local = new LocalSessions<FakeSession>();
  const moved: FakeSession[] = [];
  const closing: FakeSession[] = [];
  const move = (session: FakeSession) => {
    session.open = false;
    moved.push(session);
    closing.push(session);
  };
  const moves = new Moves({ placement, local, perSecondMax: pace, stableMs, move }, 0);
  const living = (...urls: string[]) =>
    placement.update(
      urls.map((url): LivingNode => {
        const counts = { sessions: 0, sessionsMax: 10_000, sessionsByPartition: new Map() };
        return { url, accepting: true, ...counts };
      }),
    );
  const clock = { nowMs: 0 };
  /** Lets time pass: a batch every 100 ms, and a new list every second. Returns how many were moved. */
  const pass = (ms: number) => {
    const before = moved.length;
    for (const endMs = clock.nowMs + ms; clock.nowMs < endMs; ) {
      clock.nowMs += moveIntervalMs;
      // Its client answers the close a little later.
      for (const session of closing.splice(0, closing.length / 2)) local.leave(session, session.partition);
      if (clock.nowMs % 1000 === 0) moves.review(here, clock.nowMs);
      moves.tick(clock.nowMs);
    }
    return moved.length - before;
  };
  const join = (count: number, resumable: boolean) => {
    for (let i = 0; i < count; i++)
      local.join({ partition: i % partitions, open: true }, i % partitions, resumable);
  };
  return { living, local, moved, moves, pass, join };
}

test('after the seat has been elsewhere for long enough, those who can resume move, at the pace', () => {
  const { living, pass, join, moved } = setUp();
  living(here);
  join(800, true);
  assert.equal(pass(10_000), 0);
  living(here, there);
  assert.equal(pass(1_000 + stableMs - moveIntervalMs), 0, 'not before it is stable');
  const inTwoSeconds = pass(2_000);
  assert.ok(inTwoSeconds >= 95 && inTwoSeconds <= 106, `${inTwoSeconds} in 2 s`);
  pass(20_000);
  assert.equal(moved.length, 400, 'the half that is seated there, and nobody else');
  assert.equal(new Set(moved).size, 400);
});

test('a node that comes and goes moves nobody', () => {
  const { living, pass, join } = setUp();
  living(here);
  join(80, true);
  pass(1_000);
  for (let turn = 0; turn < 10; turn++) {
    living(here, there);
    assert.equal(pass(4_000), 0);
    living(here);
    assert.equal(pass(2_000), 0);
  }
});

test('plain clients stay, and so do those who came although their seat was elsewhere', () => {
  const { living, pass, join } = setUp();
  living(here);
  join(80, false);
  pass(1_000);
  living(here, there);
  pass(1_000);
  join(80, true);
  assert.equal(pass(20_000), 0);
  living(here);
  pass(1_000);
  living(here, there);
  assert.equal(pass(20_000), 40, 'this node was their seat meanwhile');
});

test('nobody moves while it is unknown who lives, where there is no pace, or after the session has ended', () => {
  for (const how of ['paused', 'no pace', 'left']) {
    const { living, local, pass, join, moves } = setUp({ pace: how === 'no pace' ? 0 : perSecondMax });
    living(here);
    if (how === 'left') {
      const session = { partition: 0, open: true };
      for (let partition = 0; partition < partitions; partition++) local.join(session, partition, true);
      pass(1_000);
      for (let partition = 0; partition < partitions; partition++) local.leave(session, partition);
      assert.equal(local.counts().size, 0);
    } else join(80, true);
    pass(1_000);
    living(here, there);
    if (how === 'paused') {
      pass(stableMs);
      moves.pause();
      moves.tick(1_000_000);
      assert.equal(pass(900), 0);
    } else assert.equal(pass(20_000), 0);
  }
});
