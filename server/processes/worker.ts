/** One worker of a stage with a process per core: a gateway on the shared port. */
import { LiveWorkers } from '../backplane/live-workers.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { createLog } from '../ops/log.ts';
import { findStage } from '../stages/index.ts';
import { createGateway } from '../stages/stage.ts';
import { removeIfEmpty } from './socket-directory.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** The supervisor learns within this time that readiness changed; chosen, not measured. */
const statusIntervalMs = 200;

const live = new LiveWorkers();
let gateway: Gateway | undefined;
let directory: string | undefined;
let draining = false;

// A terminal and a container send signals to the whole group, but only the supervisor ends a worker.
process.on('SIGTERM', () => {});
process.on('SIGINT', () => {});
process.on('message', (message: ToWorker) => void handle(message));
// Without a supervisor this process would not be watched, drained or counted.
process.on('disconnect', () => void drainAndExit());

async function handle(message: ToWorker): Promise<void> {
  if (message.kind === 'start') await start(message);
  else if (message.kind === 'live') live.set(message.workers);
  else if (message.kind === 'stop-admitting') gateway?.stopAdmitting();
  else if (message.kind === 'drain') await drainAndExit(message.deadlineMs);
  else if (message.kind === 'scrape' && gateway) {
    const snapshot = await gateway.metrics.registry.getMetricsAsJSON();
    send({ kind: 'metrics', number: message.number, snapshot });
  }
}

async function start({
  stage,
  config,
  place,
  live: workers,
}: Extract<ToWorker, { kind: 'start' }>): Promise<void> {
  const log = createLog({ level: config.logLevel, base: { pid: process.pid, worker: place.workerNumber } });
  directory = place.directory;
  live.set(workers);
  gateway = createGateway(findStage(stage)!, config, log, { ...place, live });
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
  if (!process.connected) {
    // The supervisor was killed, so nobody else removes the directory.
    if (directory) removeIfEmpty(directory);
    process.exit(0);
  }
  process.send!({ kind: 'drained', outcome } satisfies FromWorker, () => process.exit(0));
}

function watchStatus(of: Gateway): void {
  const report = () => send({ kind: 'status', ready: of.ready, sessions: of.sessions });
  report();
  setInterval(report, statusIntervalMs).unref();
}

function send(message: FromWorker): void {
  // When the supervisor has died, `disconnect` follows.
  if (process.connected) process.send!(message);
}
