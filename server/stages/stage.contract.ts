/**
 * The contract of every stage, tested on the real process over real sockets. `stages.integration.ts` runs it
 * for each stage of the table, so a new stage is tested by being in the table.
 */
import { describe } from 'node:test';
import { ServerProcess } from '../../testing/server.ts';
import { conversationContract } from './conversation.contract.ts';
import { drainContract } from './drain.contract.ts';
import { limitsContract } from './limits.contract.ts';
import { rfc6455Contract } from './rfc6455.contract.ts';
import type { StageDeclaration } from './stage.ts';

/** `args`: options that the stage always needs, such as `--redis-url`. `nodeArgs`: options of Node itself. */
export function stageContract(
  stage: StageDeclaration,
  args: readonly string[] = [],
  nodeArgs: readonly string[] = [],
): void {
  const start = (...options: string[]) => ServerProcess.start(stage.name, [...options, ...args], nodeArgs);

  describe(stage.name, () => {
    conversationContract(stage, start);
    limitsContract(stage, start);
    rfc6455Contract(stage, start);
    drainContract(stage, start);
  });
}
