/**
 * How every command shows its help: as wide as the terminal, each option with its default and its variable. A
 * mistake in its options is told in the same width.
 */
import type { Command, Option } from 'commander';
import { columnsUnknown, tell, wrappedParagraphs } from './wrapped.ts';

/** Lines of text that are longer are hard to read. Chosen, not measured. */
const columnsMax = 110;
/** Commander breaks no lines in a narrower column, and a terminal then breaks them within words. */
const columnMin = 20;

/** Adds a text after the options: paragraphs, and indented lines. */
export function shapeHelp(command: Command, after?: string): Command {
  command.configureHelp({ ...command.configureHelp(), minWidthToWrap: columnMin, optionDescription });
  command.configureOutput({ outputError: (sentence) => tell(sentence.trimEnd()) });
  const { stdout } = process;
  if (!stdout.listeners('error').includes(allowClosed)) stdout.on('error', allowClosed);
  if (after === undefined) return command;
  const columns = stdout.columns || columnsUnknown;
  return command.addHelpText('after', wrappedParagraphs(after, Math.min(columns, columnsMax)));
}

/** Who reads only the beginning of a text, as `--help | head` does, closes the pipe: that is no failure. */
function allowClosed(error: NodeJS.ErrnoException): void {
  const isHandled = process.stdout.listenerCount('error') > 1;
  if (error.code !== 'EPIPE' && !isHandled) throw error;
}

function optionDescription(option: Option): string {
  const { description, defaultValue, defaultValueDescription, envVar } = option;
  const usual = defaultValueDescription ?? (option.isBoolean() ? undefined : defaultValue);
  const facts = [
    ...(usual === undefined ? [] : [`default: ${usual}`]),
    ...(envVar === undefined ? [] : [`env: ${envVar}`]),
  ];
  return facts.length === 0 ? description : `${description} (${facts.join(', ')})`;
}
