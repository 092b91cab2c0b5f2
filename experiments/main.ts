/** The command line of the lab. */
import { CommanderError } from 'commander';
import { shapeHelp } from '#host/help.ts';
import { WriteError } from '#host/whole-file.ts';
import { tell } from '#host/wrapped.ts';
import { addCompare } from './lab/commands/compare.ts';
import { addDoctor } from './lab/commands/doctor.ts';
import { commandWithVariables, readVariables } from './lab/commands/environment.ts';
import { addList } from './lab/commands/list.ts';
import { addNoise } from './lab/commands/noise.ts';
import { addReport } from './lab/commands/report.ts';
import { addRun } from './lab/commands/run.ts';
import { InputError } from './lab/input-error.ts';
import { registry } from './registry.ts';

const exitCodes = `
Exit codes:
  0    all limits held, and nothing is worse
  1    a limit broke, or something is worse
  2    bad input
  3    void: the instrument failed, not the server
  4    a result could not be written
  130  interrupted
`;
const program = commandWithVariables('npm run experiment --')
  .description('Measures how much chat each stage of the server carries, and what limits it.')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });
shapeHelp(program, exitCodes);
addRun(program, registry);
addList(program, registry);
addReport(program, registry);
addCompare(program, registry);
addNoise(program, registry);
addDoctor(program);

const argv = readVariables(program, process.argv, process.env, tell);

try {
  await program.parseAsync(argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof InputError) {
    tell(error.message);
    process.exitCode = 2;
  } else if (error instanceof WriteError) {
    tell(`A result could not be written to ${error.message}`);
    process.exitCode = 4;
  } else {
    // A bug of the lab or of a program that it started: the measurement is void.
    console.error(error);
    process.exitCode = 3;
  }
}
