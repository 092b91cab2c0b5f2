/** One worker of a stage with a process per core: a gateway on the shared port. */
import { pino } from 'pino';
import type { Gateway } from '../gateway/gateway.ts';
import { findStage } from '../stages/index.ts';
import { createGateway } from '../stages/stage.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** Time in which the supervisor learns that readiness changed; chosen, not measured. */
const statusIntervalMs = 200;

let gateway: Gateway | undefined;
let draining = false;

// A terminal and a container send signals to the whole group, but only the supervisor ends a worker.
process.on('SIGTERM', () => {});
process.on('SIGINT', () => {});
process.on('message', (message: ToWorker) => void handle(message));
// Without a supervisor this process would not be watched, drained or counted.
process.on('disconnect', () => void drainAndExit());

async function handle(message: ToWorker): Promise<void> {
  if (message.kind === 'start') await start(message);
  else if (message.kind === 'stop-admitting') gateway?.stopAdmitting();
  else if (message.kind === 'drain') await drainAndExit(message.deadlineMs);
  else if (message.kind === 'scrape' && gateway) {
    const snapshot = await gateway.metrics.registry.getMetricsAsJSON();
    send({ kind: 'metrics', number: message.number, snapshot });
  }
}

async function start({ stage, config, place }: Extract<ToWorker, { kind: 'start' }>): Promise<void> {
  const log = pino({ level: config.logLevel, base: { pid: process.pid, worker: place.workerNumber } });
  gateway = createGateway(findStage(stage)!, config, log, place);
  try {
    const { chat } = await gateway.listen({ reusePort: true });
    watchStatus(gateway);
    send({ kind: 'listening', chat });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    send({ kind: 'failed', message, code });
    process.disconnect();
  }
}

async function drainAndExit(deadlineMs?: number): Promise<void> {
  if (draining) process.exit(1);
  draining = true;
  const outcome = (await gateway?.drain(deadlineMs)) ?? { closedSessions: 0, cutSessions: 0 };
  if (!process.connected) process.exit(0);
  process.send!({ kind: 'drained', outcome } satisfies FromWorker, () => process.exit(0));
}

function watchStatus(of: Gateway): void {
  let last = '';
  const report = () => {
    const { ready, sessions } = of;
    const status = `${ready} ${sessions}`;
    if (status !== last) send({ kind: 'status', ready, sessions });
    last = status;
  };
  report();
  setInterval(report, statusIntervalMs).unref();
}

function send(message: FromWorker): void {
  // When the supervisor has died, `disconnect` follows.
  if (process.connected) process.send!(message);
}
