/** One worker of a stage with a process per core: a whole chat server on the shared port, told what to do by its supervisor. */
import { pino } from 'pino';
import { ChatServer } from '../gateway/gateway.ts';
import { findStage } from '../stages/index.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** How soon the supervisor learns that readiness changed; chosen, not measured. */
const statusIntervalMs = 200;

let server: ChatServer | undefined;
let draining = false;

// A terminal and a container send signals to the whole group; when a worker leaves is the supervisor's decision alone.
process.on('SIGTERM', () => {});
process.on('SIGINT', () => {});
process.on('message', (message: ToWorker) => void obey(message));
// Without a supervisor nobody would watch, drain or count this process.
process.on('disconnect', () => void leave());

async function obey(message: ToWorker): Promise<void> {
  if (message.kind === 'start') await start(message);
  else if (message.kind === 'close-door') server?.closeDoor();
  else if (message.kind === 'drain') await leave(message.deadlineMs);
  else if (server) {
    const snapshot = await server.metrics.registry.getMetricsAsJSON();
    tell({ kind: 'metrics', number: message.number, snapshot });
  }
}

async function start({ stage, config }: Extract<ToWorker, { kind: 'start' }>): Promise<void> {
  const log = pino({ level: config.logLevel, base: { pid: process.pid, worker: config.worker?.slot } });
  server = new ChatServer(config, findStage(stage)!, log);
  try {
    const { chat } = await server.listen({ reusePort: true });
    watchStatus(server);
    tell({ kind: 'listening', chat });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    tell({ kind: 'failed', message, code });
    process.disconnect();
  }
}

async function leave(deadlineMs?: number): Promise<void> {
  if (draining) process.exit(1);
  draining = true;
  const outcome = (await server?.drain(deadlineMs)) ?? { closedSessions: 0, cutSessions: 0 };
  if (process.connected)
    process.send!({ kind: 'drained', ...outcome } satisfies FromWorker, () => process.exit(0));
  else process.exit(0);
}

function watchStatus(of: ChatServer): void {
  let last = '';
  const report = () => {
    const { ready, sessions } = of;
    const status = `${ready} ${sessions}`;
    if (status !== last) tell({ kind: 'status', ready, sessions });
    last = status;
  };
  report();
  setInterval(report, statusIntervalMs).unref();
}

function tell(message: FromWorker): void {
  // A supervisor that died is noticed by `disconnect`, which follows.
  if (process.connected) process.send!(message);
}
