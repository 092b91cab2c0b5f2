/** The third load test of scale-chat: rooms of four, two small servers behind a load balancer, and Redis. */
import { isScalable } from '../lab/deployment/list-stages.ts';
import { type FixedLoadExperiment, fixedLoad } from '../lab/shapes/fixed-load/fixed-load.ts';
import { variantOfStage } from '../lab/trial/variant.ts';
import { comparedWithScaleChat, inSmallBoxes, likeScaleChat, oneMessageEach } from '../scale-chat.ts';

const roomSize = 4;

export const scaleChatNodes: FixedLoadExperiment = {
  ...likeScaleChat,
  name: '019-scale-chat-nodes',
  question:
    'How many rooms of 4 do two small servers behind a load balancer hold, one message per second each, as in scale-chat’s third load test?',
  varied: { quantity: 'rooms', unit: 'rooms of 4' },
  shape: fixedLoad,
  // Its four, and twice and four times the largest of them.
  method: { kind: 'fixed', loads: [150, 175, 200, 250, 500, 1000], repetitions: 1, emphasis: 'held' },
  workloadAt: (load) => oneMessageEach(load * roomSize, load),
  variants: (stages) =>
    inSmallBoxes(
      stages
        .filter(isScalable)
        .map((stage) => ({ ...variantOfStage(stage), nodes: 2, balancer: true, name: `${stage.name} × 2` })),
    ),
  notes: [
    'scale-chat published p50 and p99 for its two servers: 150 rooms 255 and 606 ms, 175: 406 ms and 1.1 s, 200: 1.4 and 59 s, 250: 69 and 153 s. It lost 19 % of the deliveries with 200 rooms and 46 % with 250 (read from its bar charts, to about one percent).',
    'Each server has 0.25 CPU and 512 MB. Redis and the load balancer have no such box, as in scale-chat’s setup.',
    'Different: its load balancer was Traefik 2.6 with sticky cookies, ours is HAProxy, which gives each connection to the server with the fewest; its Redis was 6.2.',
    ...comparedWithScaleChat,
  ],
};
