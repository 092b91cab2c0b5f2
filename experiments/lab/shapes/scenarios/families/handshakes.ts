/** Offences before the upgrade. */
import { randomBytes } from 'node:crypto';
import { upgradeLines, upgradeRequest } from '#host/raw-peer.ts';
import { onConnection, type Scenario } from './scenario.ts';

/** Sends a request, or one of several in turn. */
const asks = (...requests: readonly string[]) =>
  onConnection((peer, _scene, offender) => peer.write(requests[offender % requests.length]!));

const without = (name: string) => upgradeLines().filter((line) => !line.startsWith(name));
const withLine = (...lines: string[]) => upgradeRequest('/ws', [...upgradeLines(), ...lines]);
const oddPaths = [
  '/ws/../etc/passwd',
  '/ws/%2e%2e',
  '//ws',
  '/ws/a/b',
  '/ws/a%00',
  '/WS',
  '/ws/a;b',
  '/',
  '*',
];
const clientHello = Buffer.from('16030100c8010000c40303', 'hex');

export const handshakes: readonly Scenario[] = [
  {
    name: 'half handshakes',
    offenders: 2000,
    short: 100,
    gets: ['HTTP 408', 'cut'],
    offend: onConnection((peer) => peer.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: webs')),
  },
  {
    name: 'slow handshakes',
    offenders: 300,
    gets: ['HTTP 408', 'cut'],
    offend: onConnection(async (peer, scene) => {
      peer.write('GET /ws HTTP/1.1\r\nX: ');
      await scene.every(100, 5000, peer, () => peer.write('x'));
    }),
  },
  {
    name: 'never speaking',
    offenders: 500,
    gets: ['HTTP 408', 'cut'],
    offend: onConnection(() => {}),
  },
  {
    name: 'headers without end',
    offenders: 20,
    gets: ['HTTP 431', 'cut'],
    offend: onConnection(async (peer, scene) => {
      peer.write('GET /ws HTTP/1.1\r\n');
      await scene.every(1, 3000, peer, () => peer.write(`X-${scene.random()}: ${'x'.repeat(3000)}\r\n`));
    }),
  },
  {
    name: 'a header of 100 kB',
    offenders: 20,
    gets: ['HTTP 431', 'cut'],
    offend: asks(withLine(`Cookie: ${'x'.repeat(100_000)}`)),
  },
  {
    name: 'a long path',
    offenders: 20,
    gets: ['HTTP 404'],
    offend: asks(upgradeRequest(`/ws/${'x'.repeat(4000)}`)),
  },
  {
    name: 'odd paths',
    offenders: 40,
    gets: ['HTTP 404', 'HTTP 400'],
    offend: asks(...oddPaths.map((path) => upgradeRequest(path))),
  },
  {
    name: 'two keys',
    offenders: 20,
    gets: ['HTTP 400'],
    offend: asks(withLine('Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==')),
    isStandard: true,
  },
  {
    name: 'no key, no version, another version',
    offenders: 30,
    gets: ['HTTP 400', 'HTTP 426'],
    offend: asks(
      upgradeRequest('/ws', without('Sec-WebSocket-Key')),
      upgradeRequest('/ws', without('Sec-WebSocket-Version')),
      upgradeRequest('/ws', [...without('Sec-WebSocket-Version'), 'Sec-WebSocket-Version: 7']),
    ),
    isStandard: true,
  },
  {
    name: 'an upgrade to something else',
    offenders: 20,
    gets: ['HTTP 400', 'HTTP 426'],
    offend: asks(upgradeRequest('/ws', [...without('Upgrade'), 'Upgrade: h2c'])),
  },
  {
    name: 'HTTP/1.0, or no Host',
    offenders: 20,
    gets: ['HTTP 400'],
    offend: asks(
      upgradeRequest('/ws').replace('HTTP/1.1', 'HTTP/1.0'),
      upgradeRequest('/ws', without('Host')),
    ),
    isStandard: true,
  },
  {
    name: 'length and chunks in one request',
    offenders: 20,
    gets: ['HTTP 400'],
    offend: asks(
      'POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ),
    isStandard: true,
  },
  {
    name: 'two upgrades in one packet',
    offenders: 20,
    // The second request is read as a frame with a reserved bit.
    gets: [1002],
    offend: asks(upgradeRequest('/ws/offenders') + upgradeRequest('/ws/offenders')),
    isStandard: true,
  },
  {
    name: 'a hundred requests in one packet',
    offenders: 20,
    gets: ['HTTP 404'],
    offend: asks('GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100)),
  },
  {
    name: 'random bytes, or TLS, in place of HTTP',
    offenders: 40,
    gets: ['HTTP 400', 'HTTP 408', 'cut'],
    offend: onConnection((peer, _scene, offender) =>
      peer.write(offender % 2 === 0 ? randomBytes(500) : clientHello),
    ),
  },
];
