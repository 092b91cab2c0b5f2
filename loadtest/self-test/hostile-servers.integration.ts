/**
 * The simulator against hostile servers: it ends in bounded time and memory, with a true verdict and a clear
 * sentence, and never with a stack. Forged stamps and flawed deliveries have tests of their own beside this.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { readTreeUsage } from '#host/process-tree.ts';
import { startSimulator } from '../simulator.fixture.ts';

const runMsMax = 15_000;
/** Two processes of Node take 150 MiB with a good server. */
const memoryBytesMax = 450 * 2 ** 20;
const load = [
  '--clients 4 --rate 40/s --duration 1s --warm-up 0s --drain 1s --connect-timeout 1s --probe-timeout 1s',
  '--progress none --lag-limit 10s --turn-limit 10s',
].join(' ');

type HostileServer = {
  name: string;
  /** Takes each connection, before any byte was read. */
  serve(socket: Socket): unknown;
  code: 0 | 1 | 2 | 3 | (0 | 1 | 2 | 3)[];
  /** In what it prints. */
  says: RegExp;
};

const acceptOf = (request: string) => {
  const key = /^sec-websocket-key: (\S+)/im.exec(request)?.[1];
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
};

/** Waits for the request and answers it with these lines. */
async function answer(socket: Socket, linesOf: (accept: string) => string): Promise<void> {
  const [request] = await once(socket, 'data');
  socket.write(linesOf(acceptOf(String(request))));
}

const upgraded = (accept: string) =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

/** Lets everybody in, and goes on like this. */
const after101 = (go: (socket: Socket) => unknown) => async (socket: Socket) => {
  await answer(socket, upgraded);
  await go(socket);
};

/** Writes without end, as fast as the other side reads. */
async function pour(socket: Socket, bytes: Buffer | string): Promise<void> {
  const closed = once(socket, 'close').catch(() => {});
  while (!socket.destroyed) {
    const isTaken = socket.write(bytes);
    await nextTurn();
    if (isTaken) continue;
    const drained = Promise.withResolvers<void>();
    socket.once('drain', drained.resolve);
    await Promise.race([drained.promise, closed]);
    socket.off('drain', drained.resolve);
  }
}

const many = (bytes: Buffer, count = 1000) => Buffer.concat(Array<Buffer>(count).fill(bytes));
const foreign = Buffer.from('{"clientId":"m","Message":"nobody asked for this"}');
const foreignFrame = Buffer.concat([Buffer.from([0x81, foreign.length]), foreign]);
const ping = Buffer.concat([Buffer.from([0x89, 125]), Buffer.alloc(125)]);

/** A good chat server, whose sockets are given to `spoil` before any frame. */
const chat = new WebSocketServer({ noServer: true });
type Good = { spoil?(socket: Socket): void; tells?(from: number, to: number): boolean };
function good({ spoil, tells = () => true }: Good = {}) {
  const members: import('ws').WebSocket[] = [];
  return async (socket: Socket) => {
    const { createServer: createHttpServer } = await import('node:http');
    const http = createHttpServer().on('upgrade', (request, stream, head) =>
      chat.handleUpgrade(request, stream, head, (ws) => {
        const index = members.push(ws) - 1;
        ws.on('error', () => {});
        ws.on('message', (data) => {
          for (const [to, member] of members.entries()) if (tells(index, to)) member.send(String(data));
        });
        spoil?.(socket);
      }),
    );
    http.emit('connection', socket);
  };
}

const servers: readonly HostileServer[] = [
  { name: 'never answers', serve: (socket) => socket.resume(), code: 2, says: /timeout/ },
  {
    name: 'gives a wrong accept key',
    serve: (socket) => answer(socket, () => upgraded('AAAA')),
    code: 2,
    says: /wrong accept/,
  },
  {
    name: 'sends headers without end',
    serve: async (socket) => {
      await answer(socket, () => 'HTTP/1.1 101 Switching Protocols\r\n');
      await pour(socket, 'X-More: and more\r\n'.repeat(100));
    },
    code: 2,
    says: /no end of headers/,
  },
  { name: 'sends garbage', serve: (socket) => pour(socket, 'garbage\n'.repeat(1000)), code: 2, says: /./ },
  {
    name: 'speaks TLS',
    serve: (socket) => answer(socket, () => '').then(() => socket.end(Buffer.from('15030100020246', 'hex'))),
    code: 2,
    says: /./,
  },
  {
    name: 'resets every connection',
    serve: (socket) => socket.resetAndDestroy(),
    code: 2,
    says: /ECONNRESET/,
  },
  {
    name: 'redirects',
    serve: (socket) => answer(socket, () => 'HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n'),
    code: 2,
    says: /302/,
  },
  {
    name: 'agrees on an extension that nobody asked for',
    serve: (socket) =>
      answer(socket, (accept) =>
        upgraded(accept).replace(/\r\n$/, 'Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n'),
      ),
    code: 2,
    says: /unasked extension/,
  },
  { name: 'lets in and says nothing', serve: after101((socket) => socket.resume()), code: 1, says: /silent/ },
  { name: 'lets in and reads nothing', serve: after101((socket) => socket.pause()), code: 1, says: /silent/ },
  {
    name: 'announces a message of 2 GB',
    serve: after101((socket) =>
      pour(socket, Buffer.concat([Buffer.from('817f0000000080000000', 'hex'), many(ping)])),
    ),
    code: 1,
    says: /closed/,
  },
  {
    name: 'sends fragments without end',
    serve: after101(async (socket) => {
      socket.write(Buffer.from([0x01, 1, 0x78]));
      await pour(socket, many(Buffer.from([0x00, 1, 0x78])));
    }),
    code: 1,
    says: /closed/,
  },
  {
    name: 'masks its frames',
    serve: after101((socket) => socket.write(Buffer.from('818100000000', 'hex'))),
    code: 1,
    says: /closed/,
  },
  {
    name: 'sends messages that nobody sent, without end',
    serve: after101((socket) => pour(socket, many(foreignFrame))),
    // Or void: on a busy machine the flood keeps the simulator from sending.
    code: [1, 3],
    says: /silent|lost|misrouted/,
  },
  {
    name: 'pings without end and reads no pong',
    serve: after101((socket) => pour(socket.pause(), many(ping))),
    code: 1,
    says: /silent/,
  },
  {
    name: 'pings every millisecond, and is good otherwise',
    serve: good({
      spoil: (socket) => {
        const timer = setInterval(() => socket.write(Buffer.from([0x89, 0])), 1);
        socket.on('close', () => clearInterval(timer));
      },
    }),
    code: 0,
    says: /verdict +pass/,
  },
  {
    name: 'writes every byte alone, and is good otherwise',
    serve: good({
      spoil: (socket) => {
        const write = socket.write.bind(socket);
        socket.setNoDelay();
        socket.uncork();
        const bytewise = (chunk: Buffer | string, ...rest: unknown[]) => {
          for (const byte of Buffer.from(chunk as Buffer)) write(Buffer.from([byte]));
          const written = rest.at(-1);
          if (typeof written === 'function') written();
          return true;
        };
        Object.assign(socket, { write: bytewise, cork: () => {} });
      },
    }),
    code: 0,
    says: /verdict +pass/,
  },
  {
    name: 'tells only half of the room',
    serve: good({ tells: (_from, to) => to % 2 === 0 }),
    code: 1,
    says: /silent/,
  },
  {
    name: 'tells only half of the room, but for the probes',
    serve: good({
      tells: (
        (count) => (_from: number, to: number) =>
          count++ < 64 || to % 2 === 0
      )(0),
    }),
    code: 1,
    says: /lost/,
  },
  {
    name: 'closes at random',
    serve: good({ spoil: (socket) => setTimeout(() => socket.destroy(), 300 + 500 * Math.random()) }),
    code: 1,
    says: /closed/,
  },
];

const open: { server: Server; sockets: Set<Socket> }[] = [];
after(() => {
  for (const { server, sockets } of open) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
});

async function start(serve: HostileServer['serve']): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {}); // The simulator leaves such a server in its own time.
    void Promise.resolve(serve(socket)).catch(() => {});
  });
  open.push({ server, sockets });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
}

describe('a server that', { concurrency: 2 }, () => {
  for (const { name, serve, code, says } of servers)
    test(name, async () => {
      const url = await start(serve);
      const beganMs = performance.now();
      const run = startSimulator(`--url ${url} ${load}`);
      let memoryBytes = 0;
      const watch = setInterval(() => {
        memoryBytes = Math.max(memoryBytes, readTreeUsage(run.child.pid!).rssBytes);
        if (performance.now() - beganMs > 3 * runMsMax) run.child.kill('SIGKILL');
      }, 100);
      const end = await run.ended.finally(() => clearInterval(watch));
      const shown = `${end.code}\n${end.stdout}\n${end.stderr}`;
      assert.ok(
        performance.now() - beganMs < runMsMax,
        `it took ${performance.now() - beganMs} ms: ${shown}`,
      );
      assert.ok([code].flat().includes(end.code as 0), shown);
      assert.match(end.stdout + end.stderr, says);
      assert.doesNotMatch(end.stderr, /^ +at /m, 'no stack');
      assert.ok(memoryBytes < memoryBytesMax, `${Math.round(memoryBytes / 2 ** 20)} MiB`);
    });
});
