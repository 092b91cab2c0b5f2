/** Messages that are never finished, or come in as many pieces as can be. */
import { frame, frameHeader, textFrame } from '#host/raw-peer.ts';
import { encodeMessage } from '#protocol';
import { inSession, type Scenario, unanswered } from './scenario.ts';

const evictions = (reason: string) => `chat_evictions_total{reason="${reason}"}`;
const fragment = frame(0x00, Buffer.from('x'));
const block = Buffer.concat(Array<Buffer>(9000).fill(fragment));
const message = textFrame(encodeMessage({ clientId: 'mallory', Message: 'in slices' }));

export const unfinished: readonly Scenario[] = [
  {
    name: 'fragments without end',
    // The box of 512 MB held 80 of these for 12 s when fragments were not bounded.
    offenders: 1000,
    gets: [1008, 'cut'],
    counter: evictions('fragments'),
    offend: async (scene) => {
      // Not all at once: their handshakes are not the offence.
      await scene.wait(1000 * scene.random());
      const peer = await scene.join();
      peer.write(frame(0x01, Buffer.from('x')));
      await scene.every(20, 3000, peer, async () => {
        peer.write(block);
        await peer.written();
      });
      return peer.answer(5000);
    },
    p99MsMax: 5000,
  },
  {
    name: 'empty fragments without end',
    offenders: 40,
    gets: [1008, 'cut'],
    offend: inSession(async (peer, scene) => {
      peer.write(frame(0x01, Buffer.alloc(0)));
      await scene.every(1, 3000, peer, () => peer.write(frame(0x00, Buffer.alloc(0))));
    }),
  },
  {
    name: 'a long message in slices of a byte',
    offenders: 20,
    gets: [1008],
    offend: inSession(async (peer, scene) => {
      peer.write(frameHeader(0x81, 20_000));
      await scene.every(1, 5000, peer, () => peer.write('x'));
    }),
  },
  {
    name: 'a short message in slices of a byte, as TCP allows',
    offenders: 20,
    gets: ['nothing'],
    offend: unanswered(async (peer, scene) => {
      // Not so many that a busy machine takes longer than a message may; the rest is one.
      for (const byte of message.subarray(0, 8)) {
        peer.write(Buffer.from([byte]));
        await scene.wait(1);
      }
      peer.write(message.subarray(8));
    }),
  },
  {
    name: 'a message that stops in its middle',
    offenders: 500,
    gets: [1008],
    counter: evictions('message_time'),
    offend: inSession((peer) =>
      peer.write(Buffer.concat([frameHeader(0x81, 4000), Buffer.alloc(2000, 'x')])),
    ),
  },
  {
    name: 'a header that stops in its middle',
    offenders: 100,
    gets: [1008],
    offend: inSession((peer, _scene, offender) =>
      peer.write(frameHeader(0x81, 300).subarray(0, 1 + (offender % 7))),
    ),
  },
];
