import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { afterEach, test } from 'node:test';
import { WriteStream } from 'node:tty';
import { paintFor } from './paint.ts';

const before = process.env;
afterEach(() => {
  process.env = before;
});

/** A stream that is a terminal or none. No variable but these is set: CI, for one, means no colours. */
function streamOf(isTTY: boolean, environment: NodeJS.ProcessEnv = {}): PassThrough {
  process.env = { TERM: 'xterm-256color', ...environment };
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
  assert.equal(paintFor(streamOf(true, { NO_COLOR: '1' }))('fail'), 'fail');
});
