/** The server's process: argv and environment → settings → stage → listen → SIGTERM → drain → exit. */
import type { AddressInfo } from 'node:net';
import { Command } from 'commander';
import type { Logger } from 'pino';
import { tell } from '#host/wrapped.ts';
import type { Gateway } from './gateway/gateway.ts';
import { MediaServer } from './media/media-server.ts';
import { createLog } from './ops/log.ts';
import { Supervisor, supervisorSettings } from './processes/supervisor.ts';
import { choice, group, readSettings, SettingsError } from './settings.ts';
import { defaultStage, findStage, stageDeclarations, stages } from './stages/index.ts';
import { createGateway, isPerCore, roles, type Stage, servesPage, stageSettings } from './stages/stage.ts';

const stageSetting = group('Stage', {
  stage: {
    default: '',
    read: (given: string) => (findStage(given) ? given : undefined),
    required: `one of ${stages.map(({ name }) => name).join(', ')}`,
    about: 'stage to run, by number or name (default: the newest that needs no service)',
  },
  role: choice(roles, 'server', 'which of its processes to run; media: images, where the stage has them'),
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
    return { config, listStages: command.opts<{ listStages?: true }>().listStages === true };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    tell(error.message);
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
  const server = createServer(config, stage, log);
  let listening = false;
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) process.exit(1); // A second signal asks to leave without the drain.
    stopping = true;
    if (!listening) process.exit(0); // No session is open, and the start may wait forever.
    const load = 'sessions' in server ? { sessions: server.sessions } : { requests: server.requests };
    log.info({ event: 'draining', signal, ...load });
    const outcome = await server.drain();
    log.info({ event: 'stopped', ...outcome });
    process.exit(0);
  };
  // Set before the start is over: the first process of a container ignores signals that have no handler.
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  const { internal, ...listeners } = await server.listen();
  listening = true;
  const isChat = 'chat' in listeners;
  log.info({
    event: 'listening',
    stage: stage.name,
    ...(isChat ? { chat: `ws://${authority(listeners.chat)}/ws` } : { media: httpUrl(listeners.media) }),
    internal: httpUrl(internal),
    ...(isChat && servesPage(stage, config) && { page: `${httpUrl(listeners.chat)}/` }),
  });
}

type Settings = ReturnType<typeof readCommandLine>['config'];

/** The process that the role names, not yet listening. Throws a `SettingsError`. */
function createServer(config: Settings, stage: Stage, log: Logger): Supervisor | Gateway | MediaServer {
  if (!stage.processes.some(({ role }) => role === config.role)) {
    const having = stages.flatMap(({ name, processes }) =>
      processes.some(({ role }) => role === config.role) ? name : [],
    );
    const where = `a stage that has the role ${config.role} (${having.join(', ')})`;
    throw new SettingsError(`Set --stage (or CHAT_STAGE) to ${where}; given was "${stage.name}".`);
  }
  if (config.role === 'media') return new MediaServer(stage.name, config, log);
  return isPerCore(stage) ? new Supervisor(config, stage, log) : createGateway(stage, config, log);
}

const authority = ({ address, port }: AddressInfo) =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;
const httpUrl = (address: AddressInfo) => `http://${authority(address)}`;

/** Errors of a listener whose address is a mistake. */
const noSuchAddress = new Set(['ENOTFOUND', 'EADDRNOTAVAIL', 'EINVAL', 'EAI_AGAIN']);

main().catch((error: NodeJS.ErrnoException) => {
  if (error instanceof SettingsError) {
    tell(error.message);
    process.exit(2);
  }
  const taken =
    error.code === 'EADDRINUSE' ? ' Choose another with --port or --internal-port; 0 takes a free one.' : '';
  const wrongHost = noSuchAddress.has(error.code ?? '');
  const advice = wrongHost ? ' Set --host and --internal-host to addresses of this machine.' : taken;
  tell(`The server could not start: ${error.message}.${advice}`);
  process.exit(wrongHost ? 2 : 1);
});
