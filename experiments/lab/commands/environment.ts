/** The environment of the lab: a variable for each option of its commands. */
import { Command, Option } from 'commander';
import { translateOldNames, variableOf } from '#host/old-names.ts';
import { tellStrayVariables } from '#host/stray-variables.ts';

const prefix = 'EXPERIMENT_';

/** A command whose options, and those of its commands, are variables too: `--stage` is `EXPERIMENT_STAGE`. */
export function commandWithVariables(name?: string): Command {
  const command = new Command(name);
  command.createCommand = commandWithVariables;
  command.createOption = (flags, description) => {
    const option = new Option(flags, description);
    if (option.long === '--help') return option;
    const variable = variableOf(prefix, option.long!.slice(2));
    // For commander a variable that is set turns a switch on, whatever its value.
    const isOff = option.isBoolean() && ['', '0', 'false'].includes(process.env[variable] ?? '1');
    return isOff ? option : option.env(variable);
  };
  return command;
}

/**
 * The arguments with names of old as they are now, and so the environment. `tell` gets a line on these, and
 * one on variables that no option has.
 */
export function readVariables(
  { commands }: Command,
  argv: readonly string[],
  environment: Record<string, string | undefined>,
  tell: (line: string) => void,
): string[] {
  const names = commands.flatMap(({ options }) => options.flatMap(({ long }) => long?.slice(2) ?? []));
  const translated = translateOldNames(prefix, argv, environment, (name) => names.includes(name));
  const known = names.map((name) => variableOf(prefix, name));
  const stray = tellStrayVariables(prefix, known, environment);
  for (const line of [translated.warning, stray]) if (line !== undefined) tell(line);
  return translated.argv;
}
