/** The metrics of accounts. */
import { Counter, Histogram, type Registry } from 'prom-client';
import { latencyBuckets } from '../ops/metrics.ts';

export type AccountResult = 'created' | 'taken' | 'closed' | 'limited' | 'busy' | 'malformed';
/** `limited`: too many attempts of this user or from this address; it is told `busy` as well. */
export type LoginResult = 'ok' | 'fail' | 'busy' | 'limited' | 'token_ok' | 'token_fail' | 'token_busy';

export type AccountMeter = {
  readonly account: (result: AccountResult) => void;
  readonly login: (result: LoginResult) => void;
  /** Time from the frame to the answer of a login whose password was checked. */
  readonly checked: (seconds: number) => void;
};

export function createAccountMeter(registry: Registry): AccountMeter {
  const registers = [registry];
  const labelNames = ['result'] as const;
  const accounts = new Counter({
    name: 'chat_accounts_total',
    help: 'Requests to create an account, by result',
    registers,
    labelNames,
  });
  const logins = new Counter({
    name: 'chat_logins_total',
    help: 'Logins by result; with a token of before: token_ok, token_fail, token_busy',
    registers,
    labelNames,
  });
  const seconds = new Histogram({
    name: 'chat_login_seconds',
    help: 'From the frame login to its answer, where the password was checked',
    registers,
    buckets: latencyBuckets,
  });
  return {
    account: (result) => accounts.inc({ result }),
    login: (result) => logins.inc({ result }),
    checked: (value) => seconds.observe(value),
  };
}
