import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Command, Option } from 'commander';
import { shapeHelp } from './help.ts';

/** The help of a command with a long option, as on a terminal of 80 columns. */
function help(): string {
  const command = shapeHelp(new Command('x'), `\n${'Words of a paragraph. '.repeat(9)}\n`);
  const about = 'what this option is for, in so many words that they take several lines of a terminal';
  command.addOption(new Option('--an-option-with-a-name-so-long <value>', about).default('5s').env('X_LONG'));
  command.addOption(new Option('--live [port]', 'a page').preset('0').env('X_LIVE'));
  command.addOption(new Option('--from <name>', 'of whom').default(undefined, 'nobody'));
  let help = '';
  command.configureOutput({ writeOut: (part) => (help += part), getOutHelpWidth: () => 80 });
  command.outputHelp();
  return help;
}

test('help is not wider than the terminal, also beside long options and in paragraphs', () => {
  for (const line of help().split('\n')) assert.ok(line.length <= 80, line);
});

test('an option is shown with its default and its variable, and without what is only for programs', () => {
  const text = help().replaceAll(/\s+/g, ' ');
  assert.match(text, /\(default: 5s, env: X_LONG\)/);
  assert.match(text, /a page \(env: X_LIVE\)/);
  assert.match(text, /of whom \(default: nobody\)/);
});

test('a reader that ends before the help does is no failure', async () => {
  const child = spawn(process.execPath, ['loadtest/main.ts', '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  assert.deepEqual([said, code], ['', 0]);
});
