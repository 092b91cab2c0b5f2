/** The settings of accounts. Where no source is named, the default is chosen, not measured. */
import { size, time } from '#host/units.ts';
import { choice, group, integer, limit, type ValuesOf } from '../settings.ts';

const day = 86_400_000;
const kibibyte = 1024;
const mebibyte = 1024 ** 2;

export const accountSettings = group('Accounts', {
  accounts: choice(
    ['open', 'required'],
    'open',
    'open: who is not logged in may chat too; required: nobody joins a room before the login',
  ),
  registration: choice(['open', 'closed'], 'open', 'whether POST /accounts creates accounts'),
  loginExpiryMs: integer(1_000, 3650 * day, 30 * day, 'time for which the token of a login is valid', time),
  loginsPerUserMax: limit(1, 10_000, 16, 'devices of a user that stay logged in; then the oldest is not'),
  // Measured: see SECURITY.md, "Accounts".
  loginsAtOnce: integer(1, 64, 1, 'passwords that are hashed at the same time, in this process'),
  loginsWaitingMax: limit(1, 100_000, 50, 'passwords that wait to be hashed; others are told to come back'),
  loginFailuresPerUserMax: limit(1, 1_000_000, 10, 'failed logins of a user that are not forgotten yet'),
  loginFailuresPerAddressMax: limit(1, 1_000_000, 100, 'the same for the address of a client'),
  loginFailureExpiryMs: integer(10, day, 60_000, 'time after which one failed login is forgotten', time),
  registrationsPerAddressMax: limit(1, 1_000_000, 10, 'accounts that one address may create at once'),
  registrationIntervalMs: integer(1, day, 60_000, 'time after which it may create one more', time),
  // 19 MiB and 2 passes: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
  passwordMemoryBytes: integer(
    64 * kibibyte,
    1024 * mebibyte,
    19 * mebibyte,
    'memory that the hash of a password takes; less than 19MiB is for tests',
    size,
  ),
  passwordPasses: integer(1, 100, 2, 'passes over that memory; less than 2 is for tests'),
  proxiesTrusted: integer(0, 10, 0, 'proxies in front, each of which adds an address to X-Forwarded-For'),
});

export type AccountOptions = ValuesOf<typeof accountSettings>;
