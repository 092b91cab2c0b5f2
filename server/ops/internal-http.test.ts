import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createInternalServer } from './internal-http.ts';

test('scrapes that come together are answered by one reading of the metrics', async (t) => {
  let readings = 0;
  const metrics = async () => {
    readings++;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return `reading ${readings}\n`;
  };
  const server = createInternalServer(
    { metrics, contentType: 'text/plain; version=0.0.4; charset=utf-8' },
    () => true,
  );
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => socket.destroy());
  const count = 1_000;
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count));
  let answers = 0;
  for await (const chunk of socket) {
    answers += String(chunk).split('HTTP/1.1 200').length - 1;
    if (answers >= count) break;
  }
  assert.ok(readings <= 10, `${readings} readings for ${count} scrapes`);
});
