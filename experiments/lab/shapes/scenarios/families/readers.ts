/** Peers that read slowly, barely or never, and peers that go in the middle of something. */
import { textFrame, upgradeRequest } from '#host/raw-peer.ts';
import { encodeMessage } from '#protocol';
import { type Scenario, type Scene, unanswered } from './scenario.ts';

const evictions = (reason: string) => `chat_evictions_total{reason="${reason}"}`;
const large = textFrame(encodeMessage({ clientId: 'm', Message: 'x'.repeat(4000) }));

/** Messages of 4 kB at 90 a second from each of so many speakers, within their rate, which read all. */
async function speak(scene: Scene, room: string, speakers: number, forMs: number): Promise<void> {
  const all = await Promise.all(Array.from({ length: speakers }, () => scene.join(room)));
  const talking = all.map((peer) =>
    scene.every(100, forMs, peer, () => peer.write(Buffer.concat(Array(9).fill(large)))),
  );
  await Promise.all(talking);
}

/** The first offender makes others speak; all others read in this way, each a little at a time. */
const reads =
  (readMs: number, pauseMs: number, room: string): Scenario['offend'] =>
  async (scene, offender) => {
    if (offender === 0) {
      await scene.wait(100);
      await speak(scene, room, 8, 4000);
      return 'cut';
    }
    const peer = (await scene.join(room)).pause();
    await scene.every(pauseMs, 4000, peer, async () => {
      if (readMs === 0) return;
      peer.resume();
      await scene.wait(readMs);
      peer.pause();
    });
    return peer.resume().answer(4000);
  };

export const readers: readonly Scenario[] = [
  {
    name: 'never reading',
    offenders: 9,
    gets: [4008, 'cut'],
    offend: reads(0, 100, 'never'),
    counter: evictions('slow_consumer'),
  },
  {
    name: 'barely reading',
    offenders: 9,
    gets: [4008, 'cut'],
    offend: reads(1, 1000, 'barely'),
    counter: evictions('slow_consumer'),
  },
  { name: 'slowly reading', offenders: 9, gets: [4008, 'cut', 'nothing'], offend: reads(2, 100, 'slowly') },
  {
    name: 'half-open: no pong, no word, no end',
    offenders: 200,
    gets: ['cut'],
    counter: evictions('dead_peer'),
    offend: async (scene) => (await scene.join()).answer(7000),
  },
  {
    name: 'gone in the middle of a join',
    offenders: 500,
    short: 100,
    gets: ['cut'],
    offend: async (scene) => {
      const peer = await scene.connect();
      peer.write(upgradeRequest('/ws/offenders'));
      if (scene.random() < 0.5) await scene.wait(scene.random() * 20);
      peer.destroy();
      return 'cut';
    },
  },
  {
    name: 'gone in the middle of a fan-out',
    offenders: 100,
    gets: ['cut'],
    offend: async (scene) => {
      const peer = await scene.join('fan-out');
      peer.write(Buffer.concat(Array(50).fill(large)));
      await scene.wait(scene.random() * 50);
      peer.destroy();
      return 'cut';
    },
    p99MsMax: 3000,
  },
  {
    name: 'half-closed: no more from it, and it still reads',
    offenders: 50,
    gets: ['cut'],
    offend: async (scene) => {
      const peer = await scene.join();
      peer.socket.end();
      return peer.answer(4000);
    },
  },
  {
    name: 'a quiet peer that does nothing wrong',
    offenders: 50,
    gets: ['nothing'],
    offend: unanswered(() => {}),
  },
];
