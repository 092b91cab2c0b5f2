/** Capacity of one room in a small container: the box and the workload of scale-chat. */
import { isOneProcess } from '../lab/deployment/list-stages.ts';
import { type CapacityExperiment, capacity, search } from '../lab/shapes/capacity/capacity.ts';
import { variantOfStage } from '../lab/trial/variant.ts';
import { comparedWithScaleChat, inSmallBoxes, likeScaleChat, oneMessageEach } from '../scale-chat.ts';

export const smallBox: CapacityExperiment = {
  ...likeScaleChat,
  name: '004-small-box',
  question:
    'How many clients can one room hold in 0.25 CPU and 512 MB when each sends one message of 256 B per second?',
  varied: { quantity: 'clients', unit: 'clients' },
  shape: capacity,
  method: { ...search, start: 100, loadMin: 2, loadMax: 8000, trialsMax: 6 },
  workloadAt: (load) => oneMessageEach(load),
  variants: (stages) => {
    const single = stages.filter(isOneProcess).map(variantOfStage);
    // A fan-out over a log can wait between its rounds: the limit of 1 s lets it trade latency for CPU.
    const overLog = single.filter(({ stage }) => 'segmentsBehindMax' in stage.limits);
    const inRounds = overLog.map((variant) => ({
      ...variant,
      name: `${variant.name}, rounds of 200 ms`,
      settings: { 'fan-out-interval': '200ms' },
    }));
    return inSmallBoxes([...single, ...inRounds]);
  },
  notes: [
    'By its published figures the server of scale-chat held 70 clients within these limits, which is 4,900 deliveries/s, and not 80 (017-scale-chat-room has them all).',
    'Deliveries grow with the square of the clients: ten times the clients is a hundred times the deliveries.',
    'In rounds of 200 ms the same server writes to each session five times a second at most: it trades latency, which the limit allows, for fewer writes, which cost its CPU.',
    ...comparedWithScaleChat,
  ],
};
