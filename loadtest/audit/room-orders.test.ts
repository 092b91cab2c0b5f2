import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoomOrders } from './room-orders.ts';

test('workers that receive in one order agree, however far apart they are', () => {
  const orders = new RoomOrders(2);
  const order = Array.from({ length: 5000 }, (_, i) => (i % 3 === 0 ? i + 2 : i % 3 === 1 ? i : i - 2));
  assert.equal(orders.add(0, 0, Int32Array.from(order.slice(0, 4000))), 0);
  assert.equal(orders.add(1, 0, Int32Array.from(order)), 0);
  assert.equal(orders.add(0, 0, Int32Array.from(order.slice(4000))), 0);
});

test('a message that comes after a later one of another worker is counted, in its room and not in the warm-up', () => {
  const orders = new RoomOrders(2);
  assert.equal(orders.add(0, 7, Int32Array.of(~0, ~1, 2, 3, 4)), 0);
  assert.equal(orders.add(1, 8, Int32Array.of(4, 3, 2)), 0);
  assert.equal(orders.add(1, 7, Int32Array.of(~1, ~0, 2, 4, 3)), 1);
});
