/** The second load test of scale-chat: many rooms, one server in a small container. */
import { isOneProcess } from '../lab/deployment/list-stages.ts';
import { type FixedLoadExperiment, fixedLoad } from '../lab/shapes/fixed-load/fixed-load.ts';
import { variantOfStage } from '../lab/trial/variant.ts';
import { comparedWithScaleChat, inSmallBoxes, likeScaleChat, oneMessageEach } from '../scale-chat.ts';

/** With the loads these are rooms of 16 and 32, of 8 and 16, and of 2 and 4 clients. */
const roomCounts = [25, 50, 200];

export const scaleChatRooms: FixedLoadExperiment = {
  ...likeScaleChat,
  name: '018-scale-chat-rooms',
  question:
    'How many clients in 25, 50 and 200 rooms does one small server hold, one message per second each, as in scale-chat’s second load test?',
  varied: { quantity: 'clients', unit: 'clients' },
  shape: fixedLoad,
  method: { kind: 'fixed', loads: [400, 800], repetitions: 1, emphasis: 'held' },
  workloadAt: (load) => oneMessageEach(load),
  // Of the stages of one process the first is the control; the last contains the changes of those before it.
  variants: (stages) => {
    const single = stages.filter(isOneProcess).map(variantOfStage);
    const ends = [...new Set([...single.slice(0, 1), ...single.slice(-1)])];
    const inRooms = ends.flatMap((variant) =>
      roomCounts.map((rooms) => ({
        ...variant,
        name: `${variant.name}, ${rooms} rooms`,
        workload: { rooms },
      })),
    );
    return inSmallBoxes(inRooms);
  },
  notes: [
    'A row of C clients in R rooms is scale-chat’s R × (C / R): 400 clients in 25 rooms are its 25 × 16, 400 in 50 its 50 × 8, and 800 in 200 its 200 × 4. The other rows are not among its twelve; --loads tries more.',
    'scale-chat published p50 and p99 for rooms × clients: 25 × 2: 49 and 108 ms, 25 × 4: 60 and 396 ms, 25 × 8: 176 and 772 ms, 25 × 12: 402 ms and 4.5 s, 25 × 16: 1.6 and 8.9 s; 50 × 8: 317 ms and 1.4 s, 50 × 12: 1.9 and 26.9 s; 75 × 8: 3.2 and 19.4 s; 100 × 4: 126 ms and 3.2 s, 150 × 4: 401 ms and 27.2 s, 175 × 4: 701 ms and 21.2 s, 200 × 4: 1.8 and 18.3 s.',
    'It lost 2 % of the deliveries with 25 × 16, 4 % with 50 × 12 and 11 % with 75 × 8, and at most 1 % with the others (read from its bar charts, to about one percent).',
    ...comparedWithScaleChat,
  ],
};
