/** What persons do with posts on the chat page, for tests. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { PostContent } from '#protocol';
import { newId } from './core/new-id.ts';
import type { PersonClient } from './core/person-client.ts';
import { violations } from './web-page.fixture.ts';

/** What is shown has no faults for axe, in both colour schemes, on a wide screen and on a phone. */
export async function isAccessible(page: Page, what: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1400, 400]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      assert.deepEqual(await violations(page), [], `${what}: ${colorScheme}, ${width} px wide`);
    }
  }
}

/** The page need not wait: the server is there again. */
export async function tryNow(page: Page): Promise<void> {
  await page.evaluate("dispatchEvent(new Event('online'))");
  await page.getByText('Connected', { exact: true }).waitFor();
}

/** Publishes in the menu of cars. */
export async function publish(person: PersonClient, ...items: PostContent[]): Promise<void> {
  const { result } = await person.posts.publish({ menu: 'cars', id: newId(), items });
  assert.equal(result, 'ok');
}

/** Subscribes to everything in a town of Portugal, with keys alone. */
export async function chooseByKeyboard(page: Page, town: 'Lisbon' | 'Porto' = 'Porto'): Promise<void> {
  await page.getByRole('button', { name: 'Channels' }).press('Enter');
  const { keyboard } = page;
  await focusIs(page, 'every place');
  for (const key of ['Tab', 'Tab']) await keyboard.press(key);
  const inside = page.getByRole('button', { name: 'Inside Portugal' });
  if ((await inside.getAttribute('aria-expanded')) === 'false') await keyboard.press('Enter');
  for (const key of town === 'Lisbon' ? ['Tab'] : ['Tab', 'Tab']) await keyboard.press(key);
  await focusIs(page, town);
  await keyboard.press('Space');
  await page.getByLabel('every make').check();
  await page.getByText('That is 1 channel.').waitFor();
  await keyboard.press('Enter');
  await page.locator('#posts-log').waitFor({ state: 'attached' });
  await page.getByText('You get the posts of 1 channel.').waitFor();
}

const focusIs = (page: Page, words: string) =>
  page.locator('label:has(:focus)', { hasText: new RegExp(`^${words}$`) }).waitFor();

/** Writes a post in the menu that is open. */
export async function writePost(page: Page, place: string, body: string): Promise<void> {
  await page.getByRole('button', { name: 'Write a post' }).click();
  await page.getByLabel('place', { exact: true }).selectOption(place);
  await page.getByLabel('make', { exact: true }).selectOption({ index: 1 });
  await page.getByLabel('Text').fill(body);
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
}

/** The bodies in the list, as the page shows them: control characters are made visible. */
export async function bodiesAre(page: Page, bodies: readonly string[]): Promise<void> {
  const shown = bodies.map((body) => body.replace('\u202e', '\\u{202e}').replace('\u001b', '␛'));
  await page
    .locator('.post .body', { hasText: shown.at(-1)! })
    .last()
    .waitFor();
  await page.locator('.post').nth(bodies.length).waitFor({ state: 'detached' });
  assert.deepEqual(await page.locator('.post .body').allTextContents(), shown);
}
