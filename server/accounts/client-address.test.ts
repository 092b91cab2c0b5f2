import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { clientAddress } from './client-address.ts';

const address = (remoteAddress: string | undefined, forwarded?: string, proxies = 0) => {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return clientAddress({ socket: { remoteAddress }, headers } as unknown as IncomingMessage, proxies);
};

test('the address is the one of the connection, whatever the client claims', () => {
  assert.equal(address('192.0.2.7'), '192.0.2.7');
  assert.equal(address('192.0.2.7', '198.51.100.1'), '192.0.2.7');
  assert.equal(address('::ffff:192.0.2.7'), '192.0.2.7');
  assert.equal(address(undefined), '');
});

test('behind trusted proxies it is the one that the first of them saw, and not what stands before', () => {
  assert.equal(address('10.0.0.1', '203.0.113.9, 192.0.2.7', 1), '192.0.2.7');
  assert.equal(address('10.0.0.1', 'forged, 192.0.2.7, 10.0.0.2', 2), '192.0.2.7');
  assert.equal(address('10.0.0.1', '192.0.2.7', 3), '192.0.2.7', 'as far as there are any');
  assert.equal(address('10.0.0.1', undefined, 1), '');
  assert.ok(address('10.0.0.1', 'x'.repeat(5000), 1).length <= 45);
});

test('of IPv6 the first 64 bits count', () => {
  for (const given of ['2001:db8::1', '2001:DB8:0:0:ffff::2', '2001:db8:0:0:1:2:3:4%eth0'])
    assert.equal(address(given), '2001:db8:0:0', given);
  assert.equal(address('2001:db8:0:1::1'), '2001:db8:0:1');
  assert.equal(address('::1'), '0:0:0:0');
});
