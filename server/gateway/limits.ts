/** The settings of the gateway as a whole, and the gateway without any limit. */
import { infiniteLimitsOf, limitsOf, type ValuesOf } from '../settings.ts';
import { admissionSettings } from './admission.ts';
import { messageSettings } from './dispatch.ts';
import { drainSettings } from './drain.ts';
import { heartbeatSettings } from './heartbeat.ts';
import { sessionSettings } from './session.ts';

export const gatewaySettings = [
  admissionSettings,
  sessionSettings,
  messageSettings,
  heartbeatSettings,
  drainSettings,
] as const;

export type GatewaySettings = ValuesOf<(typeof gatewaySettings)[number]>;

/** The limits of the gateway at their defaults, and the same limits all infinite. */
export const gatewayLimits = limitsOf(gatewaySettings);
export const infiniteGatewayLimits = infiniteLimitsOf(gatewaySettings);

/** The settings with every limit infinite, and open to any origin without a token. */
export function withoutLimits<S extends GatewaySettings>(settings: S): S {
  return { ...settings, ...infiniteGatewayLimits, token: '', origins: [] };
}
