/** The list of places: the room, the posts, and each person with presence and unread messages. */
import { isUserName, type PresenceState, userRule } from '#protocol';
import { neutralise } from '../core/visible-text.ts';
import { find, make, showText } from './elements.ts';

/** What the page can show: the room, the posts, or the conversation with a person. */
export type Place = 'room' | 'posts' | `@${string}`;

/** The person of a conversation; undefined for the other places. */
export function personOf(place: Place): string | undefined {
  return place.startsWith('@') ? place.slice(1) : undefined;
}

/** One row: the room and the posts have no presence. */
export type PeopleRow = {
  readonly place: Place;
  readonly title: string;
  readonly unread: number;
  readonly presence: PresenceState | undefined;
  readonly isTyping: boolean;
};

const nav = find('people', HTMLElement);
const list = find('people-list', HTMLUListElement);
const show = find('show-people', HTMLButtonElement);
const account = find('account-name', HTMLElement);
const logOut = find('log-out', HTMLButtonElement);
const form = find('new-person', HTMLFormElement);
const name = find('new-person-name', HTMLInputElement);
const problem = find('new-person-problem', HTMLElement);

/** `open` gets what the person wants to see. */
export function onPeople(open: (place: Place) => void, onLogOut: () => void): void {
  list.addEventListener('click', (event) => {
    const button = event.target instanceof Element && event.target.closest('button');
    if (!button) return;
    toggle(false);
    open(button.dataset.place as Place);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const given = name.value.trim().toLowerCase();
    const isName = isUserName(given);
    showText(problem, isName ? '' : `A user name has ${userRule}.`);
    if (!isName) return name.focus();
    name.value = '';
    toggle(false);
    open(`@${given}`);
  });
  nav.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !nav.classList.contains('shown')) return;
    toggle(false);
    show.focus();
  });
  show.addEventListener('click', () => toggle(show.getAttribute('aria-expanded') !== 'true'));
  logOut.addEventListener('click', onLogOut);
}

/** Shows the list to the person who is logged in; undefined hides it. */
export function showPeople(user: string | undefined): void {
  nav.hidden = user === undefined;
  show.hidden = user === undefined;
  account.textContent = user ?? '';
  toggle(false);
}

/** Draws the rows again; the one that is open is marked. The focus stays on its row. */
export function drawPeople(rows: readonly PeopleRow[], open: Place): void {
  const focused = document.activeElement instanceof HTMLElement && document.activeElement.dataset.place;
  list.replaceChildren(...rows.map((row) => rowOf(row, row.place === open)));
  for (const button of list.querySelectorAll('button')) if (button.dataset.place === focused) button.focus();
  const elsewhere = rows.reduce((sum, row) => sum + (row.place === open ? 0 : row.unread), 0);
  show.textContent = 'Chats';
  if (elsewhere > 0) show.append(` (${elsewhere}`, make('span', 'unseen', ' unread'), ')');
}

const signs = { room: '#', posts: '≡' };

function rowOf({ place, title, unread, presence, isTyping }: PeopleRow, isOpen: boolean): HTMLElement {
  const isConversation = place !== 'room' && place !== 'posts';
  const sign = isConversation
    ? make('span', `dot ${presence ?? 'unknown'}`)
    : make('span', 'hash', signs[place]);
  sign.ariaHidden = 'true';
  const button = make('button', '', sign);
  button.type = 'button';
  button.dataset.place = place;
  if (isOpen) button.setAttribute('aria-current', 'true');
  button.append(make('bdi', 'title', neutralise(title)));
  if (presence !== undefined) button.append(make('span', 'unseen', presence));
  if (isTyping) button.append(make('span', 'writes', 'typing …'));
  if (unread > 0) button.append(make('span', 'count', String(unread), make('span', 'unseen', ' unread')));
  return make('li', '', button);
}

/** On a narrow screen the list takes the place of the conversation. */
function toggle(isShown: boolean): void {
  show.setAttribute('aria-expanded', String(isShown));
  nav.classList.toggle('shown', isShown);
}
