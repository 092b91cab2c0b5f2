/** More than a client may send: frames, connections, rooms. */
import { type Answer, frame, type RawPeer, textFrame, upgradeRequest } from '#host/raw-peer.ts';
import { encodeMessage } from '#protocol';
import { isPerCore } from '../../../deployment/list-stages.ts';
import { inSession, type Scenario, type Scene } from './scenario.ts';

const evictions = (reason: string) => `chat_evictions_total{reason="${reason}"}`;
const closes = (code: number) => `chat_closes_total{code="${code}"}`;
const many = (one: Buffer, count = 200) => Buffer.concat(Array<Buffer>(count).fill(one));
const pings = many(frame(0x89, Buffer.alloc(0)));
const largePings = many(frame(0x89, Buffer.alloc(125)));
const pongs = many(frame(0x8a, Buffer.alloc(0)));
const emptyMessages = many(textFrame(encodeMessage({ clientId: 'm', Message: '' })));
const fullMessages = many(textFrame(encodeMessage({ clientId: 'm', Message: 'x'.repeat(4000) })), 50);

/** As fast as the connection takes it, for three seconds or until it is cut. */
const floods = (bytes: Buffer, reads = true) =>
  inSession(async (peer, scene) => {
    if (!reads) peer.pause();
    await scene.every(0, 3000, peer, async () => {
      peer.write(bytes);
      await Promise.race([peer.written(), scene.wait(100)]);
    });
    peer.resume();
  });

/** Opens sessions one after another for a while, and ends each of them so. */
const comesAndGoes =
  (perSecond: number, forMs: number, end: (peer: RawPeer) => unknown): Scenario['offend'] =>
  async (scene, offender) => {
    const endAtMs = performance.now() + forMs;
    while (performance.now() < endAtMs) {
      const peer = await scene.join(`churn-${offender}`);
      end(peer);
      await scene.wait(1000 / perSecond);
    }
    return 'cut' satisfies Answer;
  };

const closeFrame = frame(0x88, Buffer.from([0x03, 0xe8]));

async function rejoins(scene: Scene): Promise<Answer> {
  for (let turn = 0; turn < 3; turn++) {
    const peer = await scene.join('crowd');
    await scene.wait(300);
    peer.destroy();
  }
  return 'cut';
}

/** The first offender takes the descriptors away and gives them back; the others come in the meantime. */
async function comesWithoutDescriptors(scene: Scene, offender: number): Promise<Answer> {
  if (offender === 0) {
    await scene.limitDescriptors?.(10);
    await scene.wait(1500);
    await scene.limitDescriptors?.(null);
    return 'nothing';
  }
  await scene.wait(700);
  const peer = await scene.connect();
  peer.write(upgradeRequest('/ws/offenders'));
  // Let in with the last descriptors, or later with those that came back; cut, or still waiting at the end.
  return peer.answer(2000);
}

export const floodsFamily: readonly Scenario[] = [
  {
    name: 'pings without end',
    offenders: 20,
    short: 4,
    gets: [1008, 'cut'],
    offend: floods(pings),
    counter: evictions('control_rate'),
  },
  {
    name: 'pongs without end',
    offenders: 20,
    short: 4,
    gets: [1008, 'cut'],
    offend: floods(pongs),
    counter: evictions('control_rate'),
  },
  {
    name: 'pings without end, no pong read',
    offenders: 20,
    short: 4,
    gets: [1008, 'cut'],
    offend: floods(largePings, false),
    counter: evictions('control_rate'),
  },
  {
    name: 'empty messages without end',
    offenders: 20,
    short: 2,
    gets: [1008, 'cut'],
    offend: floods(emptyMessages),
    counter: evictions('message_rate'),
    // What they may send at once, 4,000 messages for 20 of them each, is 80,000 writes on 02.
    p99MsMax: 5000,
  },
  {
    name: 'full messages without end',
    // Each may send 800 kB at once, together twice what may wait for a backplane: they are slowed down.
    offenders: 20,
    short: 2,
    // Nothing: it was read so slowly that it kept to its rate.
    gets: [1008, 4008, 'cut', 'nothing'],
    offend: floods(fullMessages),
    counter: [evictions('message_rate'), 'chat_sender_pauses_total'],
    // What they may send at once, 16 MB, is 320 MB for the 20 of them in the room.
    p99MsMax: 3000,
  },
  {
    name: 'full messages without end, nothing read',
    offenders: 20,
    short: 2,
    gets: [1008, 4008, 'cut', 'nothing'],
    counter: 'chat_messages_received_total',
    // A stage may close them, because they read nothing, before they have said much.
    countedPerOffender: 5,
    offend: floods(fullMessages, false),
    p99MsMax: 3000,
  },
  {
    name: '500 connects and closes a second',
    offenders: 50,
    short: 5,
    gets: ['cut'],
    counter: closes(1000),
    countedPerOffender: 10,
    offend: comesAndGoes(10, 3000, (peer) => peer.write(closeFrame)),
  },
  {
    name: '500 connects and resets a second',
    offenders: 50,
    short: 5,
    gets: ['cut'],
    counter: closes(1006),
    countedPerOffender: 10,
    offend: comesAndGoes(10, 3000, (peer) => peer.destroy()),
  },
  {
    name: 'everybody comes back at once, three times',
    offenders: 500,
    short: 40,
    gets: ['cut'],
    counter: closes(1006),
    countedPerOffender: 3,
    offend: rejoins,
    p99MsMax: 2000,
  },
  {
    name: 'a room of its own for everybody',
    offenders: 500,
    short: 40,
    gets: ['nothing'],
    offend: async (scene, offender) => (await scene.join(`own-${offender}`)).answer(500),
    p99MsMax: 2000,
  },
  {
    name: 'descriptors exhausted, and back',
    offenders: 60,
    // Beside others it would take their descriptors too.
    short: 0,
    gets: ['cut', 'nothing'],
    someGet: ['cut'],
    offend: comesWithoutDescriptors,
    // The limit of a supervisor is not that of the workers that it has started.
    appliesTo: (stage) => !isPerCore(stage),
  },
];
