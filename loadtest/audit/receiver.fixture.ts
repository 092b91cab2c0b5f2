/** For tests: frames as a server may write them, and a receive path that reads streams of them. */
import assert from 'node:assert/strict';
import { MessageFormat, type Stamp } from '../model/stamp.ts';
import { Recorder } from '../record/recorder.ts';
import { FrameScanner } from '../wire/frame-scanner.ts';
import { interleavingsMax } from './interleavings.ts';
import { type Listener, type LocalRoom, newInterleavings } from './listener.ts';
import { Receiver } from './receiver.ts';
import { RoomAudit } from './room-audit.ts';
import { Verifier } from './verifier.ts';

/** Run ids: of the step that is measured, the second one of its run, and of the first one. */
export const runId = 4242;
export const earlierRunId = runId - 2;
export const senders = 3;
export const payloadBytes = 90;
const timeline = { warmUpUs: 0, measureUs: 10e6, drainUs: 1e6 };
const format = new MessageFormat(payloadBytes, [1, 2]);

/** Ways in which a server may write the same message. */
export const writings = {
  canonical: (text: string) => text,
  spaced: (text: string) => JSON.stringify(JSON.parse(text), null, 1),
  swapped: (text: string) => {
    const { clientId, Message } = JSON.parse(text);
    return JSON.stringify({ Message, id: 7, clientId });
  },
  escaped: (text: string) => text.replace(/[-_a]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`),
};
export type Writing = keyof typeof writings;

export function frameOf(number: number, room: number, writing: Writing, run = runId): Buffer {
  const stamp: Stamp = { runId: run, room, number, dueUs: number * 1000, lagUs: 5 };
  const json = Buffer.alloc(payloadBytes);
  format.write(json, 0, room * senders + (number % senders), stamp);
  const payload = Buffer.from(writings[writing](json.toString()));
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from([0x81, ...length]), payload]);
}

/** Gives each listener its stream, in chunks that alternate between the listeners. */
export function receive(
  streams: readonly Buffer[],
  chunkSizes: readonly number[],
  referenceFrames: number,
  frameBytes: number,
  isOneOrder = false,
) {
  const recorder = new Recorder(timeline);
  const receiver = new Receiver({
    isOneOrder,
    clockUs: () => 0,
    timeline,
    recorder,
    verifier: new Verifier({
      firstRunId: earlierRunId,
      step: 1,
      format,
      senderOf: (room, number) => room * senders + (number % senders),
      dueUsOf: (_room, number) => number * 1000,
    }),
  });
  const listeners: Listener[] = [];
  const interleavings = newInterleavings(listeners, {
    bytesMax: referenceFrames * frameBytes,
    referencesMax: isOneOrder ? 1 : interleavingsMax,
  });
  const room: LocalRoom = { index: 0, audit: new RoomAudit(streams.length, senders), interleavings };
  const fail = (detail: string) => assert.fail(detail);
  for (const [member] of streams.entries())
    listeners.push({
      room,
      member,
      scanner: new FrameScanner(10_000),
      reference: interleavings.references[0]!,
      frame: -1,
      within: 0,
      heard: 0,
      isMisfit: false,
      probed: false,
      received: 0,
      resumption: null,
      pinged() {},
      closed: () => fail('closed'),
      failed: fail,
    });
  const at = streams.map(() => 0);
  for (let turn = 0; at.some((offset, i) => offset < streams[i]!.length); turn++) {
    const place = turn % streams.length;
    // In alternating order: each listener is sometimes ahead of the others and sometimes behind.
    const member = Math.floor(turn / streams.length) % 2 === 0 ? place : streams.length - 1 - place;
    const size = chunkSizes[turn % chunkSizes.length]!;
    // One buffer for all reads, overwritten each time, as in a worker.
    const chunk = streams[member]!.subarray(at[member]!, at[member]! + size);
    const shared = Buffer.concat([chunk, Buffer.alloc(7, 0xff)]);
    receiver.receive(listeners[member]!, shared, 0, chunk.length, 9_000_000);
    shared.fill(0xee);
    at[member] = at[member]! + size;
  }
  const report = recorder.take(9);
  const delivered = report.deliveredBySlot.reduce((sum, [, count]) => sum + count, 0);
  const recorded = report.delivery.counts.reduce((sum, count) => sum + count, 0);
  assert.equal(recorded, delivered, 'a latency for each distinct delivery');
  const { duplicated, reordered, misrouted, corrupted, late } = receiver.tally;
  const followed = listeners.map(({ reference }) => interleavings.references.indexOf(reference));
  return { counts: { delivered, duplicated, reordered, misrouted, corrupted, late }, followed };
}
