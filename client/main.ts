/** The command line client: reads the options, chats on a terminal or in a pipe, sets the exit code. */
import { CommanderError } from 'commander';
import { translateOldNames } from '#host/old-names.ts';
import { tellStrayVariables } from '#host/stray-variables.ts';
import { tell } from '#host/wrapped.ts';
import type { ChatClientOptions } from './core/chat-client.ts';
import { PersonClient } from './core/person-client.ts';
import { passwordVariable } from './terminal/person-settings.ts';
import { runPipe } from './terminal/pipe.ts';
import { type ClientConfig, clientCommand, exitCode, prefix, readConfig } from './terminal/settings.ts';
import { runTerminal } from './terminal/terminal.ts';
import { wsSockets } from './terminal/ws-socket.ts';

/** A person who watches does not want to wait for longer. Chosen, not measured. */
const watchedWaitMsMax = 5_000;

process.exitCode = await main(process.argv);

async function main(argv: readonly string[]): Promise<number> {
  const isKnown = (name: string) => clientCommand().options.some(({ long }) => long === `--${name}`);
  const translated = translateOldNames(prefix, argv, process.env, isKnown);
  // The command reads the environment when it is made.
  const command = clientCommand().exitOverride();
  // Told before anything can be refused: a variable that was misspelt may be the cause.
  const known = [...command.options.flatMap(({ envVar }) => envVar ?? []), passwordVariable];
  const stray = tellStrayVariables(prefix, known, process.env);
  for (const line of [translated.warning, stray]) if (line !== undefined) tell(line);
  try {
    command.parse(translated.argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCode.done : exitCode.badInput;
  }
  const config = readConfig(command.opts());
  if ('mistakes' in config) {
    for (const mistake of config.mistakes) tell(mistake);
    tell('--help shows every option.');
    return exitCode.badInput;
  }
  const { stdin, stdout, env } = process;
  // If the reader of the output ends (`| head -1`), the client ends without an error, as any filter does.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(exitCode.done);
  });
  // A dumb terminal cannot move its cursor, so it gets plain lines.
  const interactive = stdin.isTTY && stdout.isTTY && env.TERM !== 'dumb';
  const { user, password } = config.person;
  if (!interactive && user !== undefined && password === undefined) {
    const required = `the password in ${passwordVariable} or in --password-file`;
    tell(`Give a password. Required in a pipe: ${required}. Given: --user ${user} without it.`);
    return exitCode.badInput;
  }
  return interactive ? chatOnTerminal(config) : chatInPipe(config);
}

async function chatOnTerminal(config: ClientConfig): Promise<number> {
  const { stdin, stdout, env } = process;
  const end = await runTerminal(clientOf(config, Number.POSITIVE_INFINITY, watchedWaitMsMax), {
    ...config,
    input: stdin,
    output: stdout,
    colours: config.color && !env.NO_COLOR,
  });
  return { left: exitCode.done, closed: exitCode.failed, interrupted: exitCode.interrupted }[end];
}

async function chatInPipe(config: ClientConfig): Promise<number> {
  const done = await runPipe(clientOf(config, 8), {
    ...config,
    input: process.stdin,
    print: (line) => process.stdout.write(`${line}\n`),
    notice: (line) => process.stderr.write(`client: ${line}\n`),
  });
  return done ? exitCode.done : exitCode.failed;
}

function clientOf(config: ClientConfig, attemptsMax: number, waitMsMax?: number): PersonClient {
  const options: Omit<ChatClientOptions, 'ticket'> = {
    url: config.urls,
    connectUrls: config.connectUrls,
    connectHeaders: config.token === undefined ? {} : { authorization: `Bearer ${config.token}` },
    clientId: config.id,
    openSocket: wsSockets(config),
    attemptsMax: config.attemptsMax ?? attemptsMax,
    ...(waitMsMax !== undefined && { waitMsMax }),
  };
  return new PersonClient(options, config.person.device);
}
