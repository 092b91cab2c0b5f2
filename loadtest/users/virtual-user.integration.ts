/** The virtual user against `ws`: handshake, frames in both directions, control frames, close. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { Interleavings } from '../audit/interleavings.ts';
import type { LocalRoom } from '../audit/listener.ts';
import { Reference } from '../audit/reference.ts';
import { clientFrameBytes, clientHeaderBytes, maskText } from '../wire/client-frame.ts';
import { VirtualUser } from './virtual-user.ts';

/** A user whose events are noted and whose input is scanned. */
function newUser() {
  const seen: string[] = [];
  let wake = () => {};
  const note = (what: string) => {
    seen.push(what);
    wake();
  };
  const interleavings = new Interleavings(1, () => new Reference({ bytesMax: 0, forget() {} }));
  const user = new VirtualUser(3, { interleavings } as LocalRoom, 0, 1_048_576, {
    opened: () => note('opened'),
    refused: (_user, why) => note(`refused ${why}`),
    closed: (_user, code, reason) => note(`closed ${code} ${reason}`),
    received: (one, bytes, at, end) => {
      while (at < end)
        at = one.scanner.next(bytes, at, end, {
          message: (buffer, _frameAt, from, to, isText) =>
            note(`${isText ? 'text' : 'binary'} ${buffer.toString('utf8', from, to)}`),
          ping: (buffer, from, to) => one.pinged(buffer.subarray(from, to)),
          close: (code, reason) => one.closed(code, reason),
          fault: (detail) => one.failed(detail),
        });
    },
  });
  const until = async (count: number) => {
    while (seen.length < count)
      await new Promise<void>((done) => {
        wake = done;
      });
    return seen;
  };
  const connect = (port: number) => {
    const [url, address] = [new URL(`ws://127.0.0.1:${port}/ws`), '127.0.0.1'];
    user.connect({ url, address, port, sourceAddress: undefined, headers: {} });
  };
  return { user, until, connect };
}

async function startServer(options: ServerOptions = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  await once(server, 'listening');
  const stop = async () => {
    for (const client of server.clients) client.terminate();
    await new Promise((done) => server.close(done));
  };
  const { port } = server.address() as net.AddressInfo;
  /** A user with an open session, and the server's end of it. */
  const openUser = async () => {
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const one = newUser();
    one.connect(port);
    const [socket] = await connected;
    await one.until(1);
    return { ...one, socket };
  };
  return { server, port, openUser, stop, [Symbol.asyncDispose]: stop };
}

function textFrame(text: string): Buffer {
  const size = Buffer.byteLength(text);
  const frame = Buffer.alloc(clientFrameBytes(size));
  frame.write(text, clientHeaderBytes(size));
  maskText(frame, 0, size);
  return frame;
}

test('opens, sends masked text of every length form, receives, answers pings and is closed by ws', async () => {
  await using target = await startServer();
  const { user, until, socket } = await target.openUser();
  for (const size of [0, 125, 126, 65_535, 65_536]) {
    const heard = once(socket, 'message');
    user.send(textFrame('é'.repeat(size / 2)));
    assert.equal(String((await heard)[0]), 'é'.repeat(size / 2));
  }
  socket.ping('are you there');
  assert.equal(String((await once(socket, 'pong'))[0]), 'are you there');
  socket.send('hello');
  socket.send('first ', { fin: false });
  socket.send('second', { fin: true });
  socket.send(Buffer.from('bytes'));
  socket.close(1013, 'try later');
  assert.equal((await once(socket, 'close'))[0], 1013);
  const texts = ['text hello', 'text first second', 'binary bytes'];
  assert.deepEqual(await until(5), ['opened', ...texts, 'closed 1013 try later']);
});

test('reads a server whose every byte arrives alone', async () => {
  await using target = await startServer();
  target.server.on('connection', (socket) => {
    socket.send('x'.repeat(300));
    socket.close(1001);
  });
  // A relay that forwards the server's bytes one at a time.
  const relay = net.createServer({ noDelay: true }, (client) => {
    const upstream = net.connect(target.port, '127.0.0.1');
    client.pipe(upstream);
    client.on('error', () => upstream.destroy());
    const forward = async (data: Buffer) => {
      for (const byte of data) await nextTurn(client.write(Buffer.from([byte])));
    };
    upstream.forEach(forward).catch(() => client.destroy());
  });
  await once(relay.listen(0, '127.0.0.1'), 'listening');
  const { user, until, connect } = newUser();
  connect((relay.address() as net.AddressInfo).port);
  assert.deepEqual(await until(3), ['opened', `text ${'x'.repeat(300)}`, 'closed 1001 ']);
  user.destroy();
  relay.close();
});

test('a refusal has the HTTP status or the code of the socket error', async () => {
  const { port, stop } = await startServer({ verifyClient: (_info, answer) => answer(false, 403) });
  const forbidden = newUser();
  forbidden.connect(port);
  assert.deepEqual(await forbidden.until(1), ['refused 403']);
  await stop();
  const nobody = newUser();
  nobody.connect(port);
  assert.deepEqual(await nobody.until(1), ['refused ECONNREFUSED']);
});

test('closes with 1000; a lost connection is 1006 and a broken protocol is 1002', async () => {
  await using target = await startServer();
  const normal = await target.openUser();
  normal.user.close();
  assert.equal((await once(normal.socket, 'close'))[0], 1000);
  const lost = await target.openUser();
  lost.socket.terminate();
  assert.match((await lost.until(2))[1]!, /^closed 1006 /);
  const broken = await target.openUser();
  (broken.socket as unknown as { _socket: net.Socket })._socket.write(Buffer.from([0xff, 0xff]));
  assert.match((await broken.until(2))[1]!, /^closed 1002 reserved bits/);
});

test('it is the server that ends the connection, whoever closes it: the first to end keeps a port', async () => {
  await using target = await startServer();
  for (const close of [
    (one: { user: VirtualUser }) => one.user.close(),
    (one: { socket: WebSocket }) => one.socket.close(1001),
  ]) {
    const one = await target.openUser();
    const raw = (one.socket as unknown as { _socket: net.Socket })._socket;
    const end = raw.end.bind(raw);
    const asked = new Promise<void>((resolve) => {
      raw.end = () => {
        resolve();
        return raw;
      };
    });
    let hasClientEnded = false;
    raw.on('end', () => {
      hasClientEnded = true;
    });
    close(one);
    await asked;
    await sleep(30);
    assert.deepEqual([hasClientEnded, one.user.connected], [false, true]);
    end();
    await once(raw, 'close');
    assert.ok(hasClientEnded);
  }
});

test('pongs that the server does not read are not collected', async () => {
  await using target = await startServer({ autoPong: false });
  const { user, socket } = await target.openUser();
  const raw = (socket as unknown as { _socket: net.Socket })._socket;
  raw.pause();
  const ping = Buffer.concat([Buffer.from([0x89, 125]), Buffer.alloc(125)]);
  const pings = Buffer.concat(Array<Buffer>(2000).fill(ping));
  // More than the buffers of the kernel hold.
  for (let written = 0; written < 200; written++)
    if (!raw.write(pings)) await Promise.race([once(raw, 'drain'), once(raw, 'close')]);
  assert.equal(user.state, 'open');
  assert.ok(user.bufferedBytes < 65_536, `${user.bufferedBytes} B wait`);
  user.destroy();
});
