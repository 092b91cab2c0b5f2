/** The server's process: argv and environment → settings → stage → listen → SIGTERM → drain → exit. */
import { Command } from 'commander';
import { createLog } from './ops/log.ts';
import { Supervisor, supervisorSettings } from './processes/supervisor.ts';
import { group, readSettings, SettingsError, strayVariables } from './settings.ts';
import { defaultStage, findStage, stageDeclarations, stages } from './stages/index.ts';
import { createGateway, isPerCore, servesPage, stageSettings } from './stages/stage.ts';

const stageSetting = group('Stage', {
  stage: {
    default: '',
    read: (given: string) => (findStage(given) ? given : undefined),
    required: `one of ${stages.map(({ name }) => name).join(', ')}`,
    about: 'stage to run, by number or name (default: the newest that needs no service)',
  },
});

/** Reads the command line; ends the process with exit code 2 when something in it cannot be used. */
function readCommandLine() {
  const command = new Command('npm start --')
    .description('A global-broadcast chat server in numbered stages.')
    .allowExcessArguments(false)
    .option('--list-stages', 'print the stages as JSON and exit');
  try {
    const groups = [stageSetting, ...stageSettings, supervisorSettings];
    const config = readSettings(command, groups, process.argv.slice(2));
    const stray = strayVariables(command);
    if (stray !== undefined) console.error(stray);
    return { config, listStages: command.opts<{ listStages?: true }>().listStages === true };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

async function main(): Promise<void> {
  const { config, listStages } = readCommandLine();
  if (listStages) return console.log(JSON.stringify(stageDeclarations()));
  const stage = config.stage === '' ? defaultStage() : findStage(config.stage)!;
  const log = createLog({
    level: config.logLevel,
    base: { pid: process.pid },
    formatters: { level: (level) => ({ level }) },
  });
  const server = isPerCore(stage) ? new Supervisor(config, stage, log) : createGateway(stage, config, log);
  let listening = false;
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) process.exit(1); // A second signal asks to leave without the drain.
    stopping = true;
    if (!listening) process.exit(0); // No session is open, and the start may wait forever.
    log.info({ event: 'draining', signal, sessions: server.sessions });
    const outcome = await server.drain();
    log.info({ event: 'stopped', ...outcome });
    process.exit(0);
  };
  // Set before the start is over: the first process of a container ignores signals that have no handler.
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  const { chat, internal } = await server.listen();
  listening = true;
  log.info({
    event: 'listening',
    stage: stage.name,
    chat: `ws://${hostInUrl(chat.address)}:${chat.port}/ws`,
    internal: `http://${hostInUrl(internal.address)}:${internal.port}`,
    ...(servesPage(stage, config) && { page: `http://${hostInUrl(chat.address)}:${chat.port}/` }),
  });
}

const hostInUrl = (address: string) => (address.includes(':') ? `[${address}]` : address);

/** Errors of a listener whose address is a mistake. */
const noSuchAddress = new Set(['ENOTFOUND', 'EADDRNOTAVAIL', 'EINVAL', 'EAI_AGAIN']);

main().catch((error: NodeJS.ErrnoException) => {
  const taken =
    error.code === 'EADDRINUSE' ? ' Choose another with --port or --internal-port; 0 takes a free one.' : '';
  const wrongHost = noSuchAddress.has(error.code ?? '');
  const advice = wrongHost ? ' Set --host and --internal-host to addresses of this machine.' : taken;
  console.error(`The server could not start: ${error.message}.${advice}`);
  process.exit(wrongHost ? 2 : 1);
});
