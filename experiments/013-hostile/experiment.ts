/** Hostile clients and failing parts against every stage that bounds what they may cost. */
import { type ScenarioExperiment, scenarios } from '../lab/shapes/scenarios/scenarios.ts';

export const hostile: ScenarioExperiment = {
  name: '013-hostile',
  question: 'What do hostile clients and failing parts get, and what do their neighbours feel?',
  shape: scenarios,
  box: { serverCpus: 0.5, serverMemoryMb: 512 },
  notes: [
    'Not among the scenarios, because a test of its own covers it: a full disk under the results, a clock that is set, a rolling restart into another build, and the simulator against hostile servers.',
    '04-cores has three processes in its box, two workers and their supervisor; the others have one. Its memory is that of all three.',
  ],
};
