/** What a stage composes its gateway of, and the settings of every gateway. */
import type { RequestListener } from 'node:http';
import type { Chat } from '../chat/chat.ts';
import type { commonSettings, ValuesOf } from '../settings.ts';
import { type WebPage, webPageSettings } from '../web/web-page.ts';
import { admissionSettings } from './admission.ts';
import { messageSettings, type TypedMessageHandlers } from './dispatch.ts';
import { type Drain, drainSettings } from './drain.ts';
import { heartbeatSettings } from './heartbeat.ts';
import type { People } from './logins.ts';
import { type Seating, seatingSettings } from './seating.ts';
import { sessionSettings } from './session.ts';

export const gatewaySettings = [
  admissionSettings,
  webPageSettings,
  sessionSettings,
  messageSettings,
  heartbeatSettings,
  drainSettings,
  seatingSettings,
] as const;

type GatewaySettings = ValuesOf<(typeof gatewaySettings)[number]>;

/** The parts of which a stage composes its gateway. */
export type GatewayParts = {
  readonly chat: Chat;
  readonly drain: Drain;
  readonly settings: GatewaySettings & ValuesOf<typeof commonSettings>;
  /** Typed messages that the stage takes beside chat messages. */
  readonly typedMessages?: TypedMessageHandlers;
  /** The chat page, where the stage serves it. */
  readonly page?: WebPage;
  /** HTTP endpoints beside /ws: a handler for each path, the query not included. */
  readonly routes?: ReadonlyMap<string, RequestListener>;
  /** The place of this node among others, where people are seated. */
  readonly seating?: Seating;
  /** Accounts, and the parts that serve people. */
  readonly people?: People;
};
