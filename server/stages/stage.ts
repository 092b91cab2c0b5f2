/** A stage: one state of the architecture, runnable by name. Stage files only declare and compose. */
import type { Logger } from 'pino';
import { accountSettings } from '../accounts/account-settings.ts';
import type { Backplane } from '../backplane/backplane.ts';
import type { LiveWorkers } from '../backplane/live-workers.ts';
import type { WorkerPlace } from '../backplane/mesh-publisher.ts';
import { redisSettings } from '../backplane/redis-pub-sub.ts';
import { streamSettings } from '../backplane/stream-options.ts';
import { boundedFanOutSettings } from '../chat/bounded-fan-out.ts';
import { type FanOut, relayedChat, roomSettings } from '../chat/chat.ts';
import { cursorFanOutSettings } from '../chat/fan-out.ts';
import { drainInBatches } from '../gateway/drain.ts';
import { Gateway } from '../gateway/gateway.ts';
import { type GatewayParts, gatewaySettings } from '../gateway/gateway-parts.ts';
import { mailboxSettings } from '../mailbox/mailbox-settings.ts';
import { mediaAddressSettings, mediaServerSettings } from '../media/settings.ts';
import type { Metrics } from '../ops/metrics.ts';
import { postSettings } from '../posts/post-options.ts';
import { commonSettings, type ValuesOf } from '../settings.ts';
import { WebPage } from '../web/web-page.ts';

/** The settings of all parts that a stage may compose. */
export const stageSettings = [
  commonSettings,
  ...gatewaySettings,
  roomSettings,
  boundedFanOutSettings,
  cursorFanOutSettings,
  redisSettings,
  streamSettings,
  mailboxSettings,
  accountSettings,
  postSettings,
  mediaAddressSettings,
  mediaServerSettings,
] as const;

export type Config = ValuesOf<(typeof stageSettings)[number]>;

/** A service that must be reachable; `--<service>-url` tells a node where it is. */
export type Service = 'redis';

/** What a process of a stage can be. */
export const roles = ['server', 'media'] as const;
export type Role = (typeof roles)[number];

export type Processes = {
  /** `--role` starts a process as that; `server`: it takes chat sessions. */
  readonly role: Role;
  /** `any number`: as many nodes as wanted, each of which serves any client. */
  readonly count: 'one' | 'one per core' | 'any number';
};

/** The part of a stage that others may know without running it; `--list-stages` prints it. */
export type StageDeclaration = {
  /** Number and noun, such as `03-cursor`. */
  readonly name: string;
  /** The one change against the stage before, in one line. */
  readonly summary: string;
  readonly processes: readonly Processes[];
  readonly services: readonly Service[];
  /** Each bound at its default, by setting key. Infinity (in JSON null): the stage does not bound it. */
  readonly limits: Readonly<Record<string, number>>;
  /** `one for all`: all sessions of a room receive its messages in one order; else only those of a sender. */
  readonly order: 'one for all' | 'per sender';
  /** `exactly once for who resumes`: who comes back with a position receives what it missed, once. */
  readonly delivery: 'at most once' | 'exactly once for who resumes';
};

export type Stage = StageDeclaration & {
  /** Makes the parts of the gateway. `worker` is set where a supervisor runs one process per core. */
  compose(config: Config, metrics: Metrics, worker?: Worker): GatewayParts;
};

/** The place of a worker, and the others as they come and go. */
export type Worker = WorkerPlace & { readonly live: LiveWorkers };

/** One process. */
export const oneProcess: readonly Processes[] = [{ role: 'server', count: 'one' }];

/** True where the stage runs as one process per core behind a supervisor. */
export function isPerCore({ processes }: StageDeclaration): boolean {
  return processes.some(({ count }) => count === 'one per core');
}

/** True where the stage bounds anything. */
export function isBounded({ limits }: StageDeclaration): boolean {
  return Object.values(limits).some(Number.isFinite);
}

/** The parts of a bounded stage: the backplane brings each message into the fan-out of every process. */
export function boundedParts(settings: Config, backplane: Backplane, fanOut: FanOut): GatewayParts {
  return { settings, chat: relayedChat(backplane, fanOut), drain: drainInBatches(settings) };
}

/** True where the stage serves the chat page: every bounded one does, unless the operator switched it off. */
export function servesPage(stage: StageDeclaration, { webPage }: Pick<Config, 'webPage'>): boolean {
  return isBounded(stage) && webPage === 'on';
}

/** The gateway of one process of a stage, not yet listening. */
export function createGateway(stage: Stage, config: Config, log: Logger, worker?: Worker): Gateway {
  const compose = (metrics: Metrics): GatewayParts => {
    const parts = stage.compose(config, metrics, worker);
    return servesPage(stage, config) ? { ...parts, page: new WebPage(config, metrics) } : parts;
  };
  return new Gateway(stage.name, compose, log, worker?.workerNumber);
}
