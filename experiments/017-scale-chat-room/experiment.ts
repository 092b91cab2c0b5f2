/** The first load test of scale-chat: one room, one server in a small container. */
import { isOneProcess } from '../lab/deployment/list-stages.ts';
import { type FixedLoadExperiment, fixedLoad } from '../lab/shapes/fixed-load/fixed-load.ts';
import { variantOfStage } from '../lab/trial/variant.ts';
import { comparedWithScaleChat, inSmallBoxes, likeScaleChat, oneMessageEach } from '../scale-chat.ts';

export const scaleChatRoom: FixedLoadExperiment = {
  ...likeScaleChat,
  name: '017-scale-chat-room',
  question:
    'How long do messages take in one room of 10 to 110 clients, one message per second each, as in scale-chat’s first load test?',
  varied: { quantity: 'clients', unit: 'clients' },
  shape: fixedLoad,
  // Of its eleven; --loads 10,20,30,40,50,60,70,80,90,100,110 tries them all.
  method: { kind: 'fixed', loads: [10, 40, 70, 90, 110], repetitions: 1, emphasis: 'held' },
  workloadAt: (load) => oneMessageEach(load),
  variants: (stages) => inSmallBoxes(stages.filter(isOneProcess).map(variantOfStage)),
  notes: [
    'scale-chat published p50 and p99: 10 clients 82 and 183 ms, 20: 114 ms and 1.1 s, 30: 151 and 384 ms, 40: 167 and 342 ms, 50: 225 ms and 3.2 s, 60: 295 and 666 ms, 70: 385 and 984 ms, 80: 671 ms and 21.6 s, 90: 2 and 13.5 s, 100: 32.7 and 128 s, 110: 15.8 and 95.6 s.',
    'It lost nothing up to 80 clients, 16 % of the deliveries with 90, 47 % with 100 and 38 % with 110 (read from its bar charts, to about one percent).',
    '004-small-box asks how far our stages go beyond these loads.',
    ...comparedWithScaleChat,
  ],
};
