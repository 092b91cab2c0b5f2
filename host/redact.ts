/** URLs as they may be shown in a log, in a message or in a result: without what is secret in them. */

/** Stands for a text of which nothing can be shown, because its secret part cannot be told from the rest. */
export const notShown = '(not shown)';

/** Protocol, host and database, such as `redis://host:6379/1`; never a user, a password or a query. */
export function redactUrl(text: string): string {
  const url = parseServiceUrl(text);
  return url === null ? notShown : `${url.protocol}//${url.host}${url.pathname.replace(/^\/$/, '')}`;
}

/** The URLs of a list, of which each but the first follows a comma; one URL is a list of one. */
export function splitUrls(text: string): string[] {
  // A password may contain a comma, but no `://` that is not encoded.
  return text.trim().split(/\s*,\s*(?=[A-Za-z]+:\/\/)/);
}

/**
 * Reads `protocol://[user:password@]host[:port][/number][?query]`; null for everything else. A password with
 * characters that a URL must encode may end up in any other part of it, so no other part may be there.
 */
export function parseServiceUrl(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hash !== '' || url.search.includes('@')) return null;
  // A list of hosts would be read as one.
  if (url.hostname === '' || url.hostname.includes(',')) return null;
  return /^\/?\d*$/.test(url.pathname) ? url : null;
}

/** True for URLs of which one holds a password or a query, in which a password may stand. */
export function holdsSecret(text: string): boolean {
  return splitUrls(text).some((one) => {
    const url = parseServiceUrl(one);
    return url === null || url.password !== '' || url.search !== '';
  });
}
