/** Losses and recovery when a worker, a node, Redis or the network fails under load. */
import { type FaultExperiment, faults } from '../lab/shapes/faults/faults.ts';
import { scenarios } from '../lab/shapes/faults/scenarios.ts';

export const kill: FaultExperiment = {
  name: '008-kill',
  question:
    'What do clients lose, and for how long, when a worker, a node, Redis or the network between them fails?',
  shape: faults,
  scenarios,
  // Processes can be had everywhere, and the failures take the same time in containers.
  target: 'process',
  // Chosen, not measured: enough messages to see a gap of 10 ms, few enough to audit every one on a small
  // machine.
  workload: { participants: 100, messagesPerSecond: 2, reconnectWaitMsMax: 1000, repetitions: 1 },
  steadyMs: 1500,
  aftermathMs: 5000,
  notes: [],
};
