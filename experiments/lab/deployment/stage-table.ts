/** The stages that the server offers, asked of the server itself, because it is always another process. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export type StageInfo = {
  name: string;
  /** The one change against the stage before, in a clause. */
  summary: string;
  /** Services it cannot run without, e.g. `redis`. */
  needs: readonly string[];
};

const serverMain = fileURLToPath(new URL('../../../server/main.ts', import.meta.url));

/** The ordered table of `node server/main.ts --list-stages`; rejects with what the server said where it does not answer. */
export async function listStages(program: readonly string[] = [serverMain]): Promise<StageInfo[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [...program, '--list-stages'], {
    timeout: 15_000,
  });
  return JSON.parse(stdout) as StageInfo[];
}
