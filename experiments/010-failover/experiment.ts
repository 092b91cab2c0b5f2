/** What people who resume miss when a node, Redis or the network between them fails. */
import { type FaultExperiment, faults } from '../lab/shapes/faults/faults.ts';
import { outages } from '../lab/shapes/faults/outages.ts';

export const failover: FaultExperiment = {
  name: '010-failover',
  question:
    'What do people who come back with their position miss, hear twice or hear in another order, and for how long do they wait, when a node, Redis or the network between them fails?',
  shape: faults,
  // Processes can be had everywhere, and the failures take the same time in containers.
  target: 'process',
  scenarios: outages,
  resumes: true,
  // As in 008-kill.
  workload: { participants: 100, messagesPerSecond: 2, reconnectWaitMsMax: 1000, repetitions: 1 },
  steadyMs: 1500,
  aftermathMs: 5000,
  notes: [
    'The participants sit on the two nodes in turn, and come back to any node that reports ready: they do not ask where their seat is, because every node serves every room. For that the moves to seats are off (moves-per-second=0).',
    'A participant finds out that its node is frozen when the node closes the connection, and not before: it sends no pings.',
    'An end of Redis in which it saves first (SHUTDOWN SAVE) stands for a crash with appendfsync always: nothing that it has acknowledged is lost.',
    'A replica of Redis Cluster may lack what its primary took last. So a failover is a new epoch for the rooms of that primary: their people are told that messages may be missing, whether any are or not.',
  ],
};
