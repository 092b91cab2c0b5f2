import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ControlCommand, encodeCommand, encodeEvent, parseCommand, parseEvent } from './control.ts';
import type { LoadtestResult } from './schema.ts';

test('a command reads back as it was written', () => {
  const commands: ControlCommand[] = [
    { command: 'end' },
    { command: 'step' },
    { command: 'step', ratePerSecond: 0.5, durationSeconds: 4, warmUpSeconds: 0, drainSeconds: 2, seed: 7 },
    { command: 'step', arrival: 'poisson', reconnect: true, last: false },
  ];
  for (const command of commands) assert.deepEqual(parseCommand(encodeCommand(command)), command);
});

test('a bad command is refused with what is required and what was given', () => {
  const refusals: [line: string, reason: RegExp][] = [
    ['step', /^a command is \{"command":"step"\} .*; given: step$/],
    ['null', /^a command is .*; given: null$/],
    ['{"command":"stop"}', /given: \{"command":"stop"\}$/],
    ['{"command":"end","seed":1}', /^a command is/],
    ['{"command":"step","clients":5}', /; given: clients$/],
    ['{"command":"step","ratePerSecond":"5"}', /^ratePerSecond must be a number; given: "5"$/],
    ['{"command":"step","reconnect":1}', /^reconnect must be true or false; given: 1$/],
    ['{"command":"end","last":true}', /^a command is/],
    ['{"command":"step","last":"no"}', /^last must be true or false; given: "no"$/],
    ['{"command":"step","ratePerSecond":0}', /^--rate must be a rate above 0\/s .*; given: 0\/s$/],
    [
      '{"command":"step","durationSeconds":-1,"seed":0.5}',
      /^--duration must be .*-1s; --seed must be .*0.5$/,
    ],
  ];
  for (const [line, reason] of refusals) assert.throws(() => parseCommand(line), { message: reason }, line);
});

test('an event reads back as it was written, and any other line is none', () => {
  const result = { schemaVersion: 1, verdict: 'pass' } as LoadtestResult;
  const events = [
    { event: 'step', result },
    { event: 'refused', reason: 'why' },
    { event: 'phase', phase: 'idle', atMs: 5 },
  ] as const;
  for (const event of events) assert.deepEqual(parseEvent(encodeEvent(event).trim()), event);
  for (const line of ['', 'connect', '{"schemaVersion":1}', '{"event":"step","resu'])
    assert.equal(parseEvent(line), undefined);
  assert.throws(() => parseEvent('{"event":"step","result":{"schemaVersion":9}}'), /its schemaVersion is 9/);
});
