/** Settings of the server under people of the lab. */

/**
 * Nobody is held back by a limit on what one client or one address may do: all people of the lab have one
 * address, and few of them stand for many.
 */
export const withoutRates: Readonly<Record<string, string>> = {
  'registrations-per-address-max': '1000000',
  'message-rate-max': '10000/s',
  'messages-burst-max': '20000',
};

/** Passwords are hashed in a fraction of a millisecond, so that thousands of accounts take seconds. */
export const cheapPasswords: Readonly<Record<string, string>> = {
  'password-memory': '64KiB',
  'password-passes': '1',
  'logins-waiting-max': '10000',
  'logins-at-once': '8',
  // An attempt counts as failed until its password was found right: hundreds are under way.
  'login-failures-per-address-max': '1000000',
};

export const cheapPasswordsNote =
  'Passwords are hashed with 64 KiB and one pass, so that accounts are made in seconds: no login of these measurements costs what a real one does.';
