/** What this tab remembers over a reload. Where the browser forbids it, it remembers nothing. */

export function remember(key: string, value: string): void {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // Storage is switched off or full: the person gives it again after a reload.
  }
}

/** The value of that key; empty where there is none. */
export function remembered(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}
