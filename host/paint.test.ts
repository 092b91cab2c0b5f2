import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { afterEach, test } from 'node:test';
import { WriteStream } from 'node:tty';
import { paintFor } from './paint.ts';

const variables = ['NO_COLOR', 'FORCE_COLOR', 'NODE_DISABLE_COLORS', 'TERM'];
const before = variables.map((name) => process.env[name]);
afterEach(() => {
  variables.forEach((name, index) => {
    if (before[index] === undefined) delete process.env[name];
    else process.env[name] = before[index];
  });
});

/** A stream that is a terminal or none. */
function streamOf(isTTY: boolean): PassThrough {
  for (const name of variables) delete process.env[name];
  process.env.TERM = 'xterm-256color';
  const { getColorDepth } = WriteStream.prototype;
  return Object.assign(new PassThrough(), { isTTY, getColorDepth });
}

test('outcomes have colours on a terminal, other words have none', () => {
  const paint = paintFor(streamOf(true));
  assert.equal(paint('pass'), '\u001b[32mpass\u001b[39m');
  assert.equal(paint('fail', '✗'), '\u001b[31m✗\u001b[39m');
  assert.equal(paint('void'), '\u001b[33mvoid\u001b[39m');
  assert.equal(paint('03-cursor'), '03-cursor');
});

test('in a pipe and with NO_COLOR there are none', () => {
  assert.equal(paintFor(streamOf(false))('fail'), 'fail');
  const terminal = streamOf(true);
  process.env.NO_COLOR = '1';
  assert.equal(paintFor(terminal)('fail'), 'fail');
});
