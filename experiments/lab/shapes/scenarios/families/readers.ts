/** Peers that read slowly, barely or never, and peers that go in the middle of something. */
import { textFrame, upgradeRequest } from '#host/raw-peer.ts';
import { encodeMessage } from '#protocol';
import { type Scenario, type Scene, unanswered } from './scenario.ts';

const evictions = (reason: string) => `chat_evictions_total{reason="${reason}"}`;
/** Writes that left bytes waiting in the server. */
const unwritten = 'chat_writes_partial_total';
const lost = 'chat_closes_total{code="1006"}';
const large = textFrame(encodeMessage({ clientId: 'm', Message: 'x'.repeat(4000) }));

/** Speakers who read all, each with 90 messages of 4 kB a second, which is within its rate. */
const speakers = 8;
/** Enough for all that kernels and a proxy between them take before the server has to keep anything. */
const speakMsMax = 9000;
const sign = textFrame(encodeMessage({ clientId: 'reader', Message: 'still here' }));

async function speak(scene: Scene, room: string, readers: number): Promise<void> {
  const all = await Promise.all(Array.from({ length: speakers }, () => scene.join(room)));
  const nine = Buffer.concat(Array<Buffer>(9).fill(large));
  const talking = all.map((peer) =>
    scene.every(100, speakMsMax, peer, () => {
      if (scene.gone(room) === readers) peer.destroy();
      else peer.write(nine);
    }),
  );
  await Promise.all(talking);
}

/**
 * The first offender makes others speak; the rest read one chunk, of 64 kB at the most, at this pace; null:
 * none at all. They say something every second, so that they do not count as dead peers.
 */
const reads = (name: string, chunkEveryMs: number | null): Scenario => ({
  name,
  offenders: 9,
  gets: [4008, 'cut'],
  counter: evictions('slow_consumer'),
  offend: async (scene, offender) => {
    const room = name.replaceAll(' ', '-');
    if (offender === 0) {
      await scene.wait(100);
      await speak(scene, room, 8);
      return 'cut';
    }
    const peer = (await scene.join(room)).pause();
    let saidAtMs = 0;
    await scene.every(chunkEveryMs ?? 200, speakMsMax, peer, () => {
      if (performance.now() - saidAtMs > 1000) {
        peer.write(sign);
        saidAtMs = performance.now();
      }
      if (chunkEveryMs === null) return;
      peer.socket.once('data', () => peer.pause());
      peer.resume();
    });
    scene.leaves(room);
    return peer.resume().answer(1000);
  },
});

export const readers: readonly Scenario[] = [
  reads('never reading', null),
  { ...reads('barely reading', 1000), short: 0 },
  // 640 kB of the 2.9 MB that come each second: what the kernels hold may be enough until the end.
  { ...reads('slowly reading', 100), short: 0, gets: [4008, 'cut', 'nothing'], counter: unwritten },
  {
    name: 'half-open: no pong, no word, no end',
    offenders: 200,
    gets: ['cut'],
    counter: evictions('dead_peer'),
    offend: async (scene) => (await scene.join()).answer(10_000),
  },
  {
    name: 'gone in the middle of a join',
    offenders: 500,
    short: 100,
    gets: ['cut'],
    // Some come as far as a session before they go.
    counter: lost,
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
    // Who is behind when it goes may have been told so already.
    counter: [lost, 'chat_closes_total{code="4008"}'],
    countedPerOffender: 1,
    offend: async (scene) => {
      const peer = await scene.join('fan-out');
      peer.write(Buffer.concat(Array(50).fill(large)));
      while (peer.texts === 0 && !peer.socket.destroyed) await scene.wait(5);
      await scene.wait(scene.random() * 50);
      if (peer.socket.destroyed) throw new Error('was closed before it went');
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
    offend: unanswered(() => {}, 0),
  },
];
