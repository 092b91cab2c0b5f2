/** What a session does with its socket, over a real connection. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { Session } from './session.ts';

const limits = {
  ...{ messagesPerSecondMax: 1, messagesBurstMax: 1 },
  ...{ controlFramesPerSecondMax: 1, controlFramesBurstMax: 1 },
};

test('a session that is held and then closed reads the answer to its close frame', async () => {
  // ws itself would cut the peer after 30 s.
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  try {
    await once(server, 'listening');
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [ws, { socket }] = (await once(server, 'connection')) as [WebSocket, IncomingMessage];
    const session = new Session(ws, socket, '', limits, 0);
    const closed = once(ws, 'close', { signal: AbortSignal.timeout(5_000) });
    session.pause();
    session.close(4000, 'closed while it was held');
    const [code] = await closed;
    assert.deepEqual([code, session.sentCloseCode], [4000, 4000]);
    if (client.readyState !== WebSocket.CLOSED) await once(client, 'close');
  } finally {
    for (const client of server.clients) client.terminate();
    server.close();
  }
});
