/**
 * What every stage keeps, tested on the real process over real sockets. `stages.integration.ts` runs it for each stage of
 * the table, so a new stage is held to it by being there.
 */
import { describe } from 'node:test';
import { conversationContract } from './conversation.contract.ts';
import { drainContract } from './drain.contract.ts';
import { limitsContract } from './limits.contract.ts';
import type { Stage } from './stage.ts';

/** `args`: what the stage needs on its command line beyond its name, such as where its Redis is. */
export function stageContract(stage: Stage, args: readonly string[] = []): void {
  describe(stage.name, () => {
    conversationContract(stage, args);
    limitsContract(stage, args);
    drainContract(stage, args);
  });
}
