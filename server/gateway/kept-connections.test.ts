import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { KeptConnections } from './kept-connections.ts';

const from = (socket: EventEmitter, headers: IncomingMessage['headers'] = {}) =>
  ({ socket, headers }) as unknown as IncomingMessage;

test('no more connections are kept than may be, until one ends or becomes a session', () => {
  const kept = new KeptConnections();
  const [one, two, three] = [new EventEmitter(), new EventEmitter(), new EventEmitter()];
  assert.equal(kept.keep(from(one), 2), true);
  assert.equal(kept.keep(from(two), 2), true);
  assert.equal(kept.keep(from(three), 2), false);
  assert.equal(kept.keep(from(one), 2), true, 'it counts once');
  one.emit('close');
  assert.equal(kept.keep(from(three), 2), true);
  kept.release(two as Socket);
  assert.equal(kept.size, 1);
  assert.equal(kept.keep(from(new EventEmitter()), 0), false);
});

test('the thousandth answer of a connection is its last', () => {
  const kept = new KeptConnections();
  const socket = new EventEmitter();
  const answers = Array.from({ length: 1_000 }, () => kept.keep(from(socket), 10));
  assert.equal(answers.indexOf(false), 999);
});

test('a request with a body costs its connection', () => {
  const kept = new KeptConnections();
  for (const headers of [{ 'content-length': '5' }, { 'transfer-encoding': 'chunked' }])
    assert.equal(kept.keep(from(new EventEmitter(), headers), 10), false);
  assert.equal(kept.keep(from(new EventEmitter(), { 'content-length': '0' }), 10), true);
});
