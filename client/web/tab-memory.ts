/** What this tab remembers over a reload. Where the browser forbids it, it remembers nothing. */
import { isDeviceName } from '#protocol';
import { newId } from '../core/new-id.ts';

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

/**
 * The name of this browser among the devices of a person. It is no secret, and outlives the tab: the
 * server keeps for each device what it has not received, so a device that never comes back would fill the
 * mailbox.
 */
export function deviceName(): string {
  const key = 'device';
  try {
    const known = localStorage.getItem(key);
    if (isDeviceName(known)) return known;
    const name = `page-${newId().slice(0, 8)}`;
    localStorage.setItem(key, name);
    return name;
  } catch {
    return 'page';
  }
}
