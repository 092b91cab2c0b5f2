/** The server's process: argv and environment → config → stage → listen → SIGTERM → drain → exit. */
import { pino } from 'pino';
import { ChatServer } from './gateway/gateway.ts';
import { Supervisor } from './processes/supervisor.ts';
import { type Config, ConfigError, readConfig } from './settings.ts';
import { defaultStage, findStage, stages } from './stages/index.ts';
import type { Stage } from './stages/stage.ts';

/** Reads the command line; ends the process with exit code 2 when something in it cannot be used. */
function readInput(): { config: Config; stage: Stage } {
  try {
    const { config, listStages } = readConfig(process.argv.slice(2));
    if (listStages) {
      console.log(JSON.stringify(stages.map(({ name, summary, needs }) => ({ name, summary, needs }))));
      process.exit(0);
    }
    return { config, stage: config.stage === '' ? defaultStage() : findStage(config.stage)! };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

async function main(): Promise<void> {
  const { config, stage } = readInput();
  const log = pino({
    level: config.logLevel,
    base: { pid: process.pid },
    formatters: { level: (level) => ({ level }) },
  });
  const server = stage.perCore ? new Supervisor(config, stage, log) : new ChatServer(config, stage, log);
  let listening = false;
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) process.exit(1); // Asked twice: whoever asks does not want to wait for the drain.
    stopping = true;
    if (!listening) process.exit(0); // Nobody is in yet, and what start-up waits for may never come.
    log.info({ event: 'draining', signal, sessions: server.sessions });
    const outcome = await server.drain();
    log.info({ event: 'stopped', ...outcome });
    process.exit(0);
  };
  // Before the start is over too: as the first process of a container it would ignore what has no handler.
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  const { chat, internal } = await server.listen();
  listening = true;
  log.info({
    event: 'listening',
    stage: stage.name,
    chat: `ws://${hostInUrl(chat.address)}:${chat.port}/ws`,
    internal: `http://${hostInUrl(internal.address)}:${internal.port}`,
  });
}

const hostInUrl = (address: string) => (address.includes(':') ? `[${address}]` : address);

main().catch((error: NodeJS.ErrnoException) => {
  const taken =
    error.code === 'EADDRINUSE' ? ' Choose another with --port or --internal-port; 0 takes a free one.' : '';
  console.error(`The server could not start: ${error.message}.${taken}`);
  process.exit(1);
});
