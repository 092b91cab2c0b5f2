/** The form in which a person gives a name, a room, and a token where the server asks for one. */
import {
  isRoomName,
  isUserName,
  passwordBytesMax,
  passwordBytesMin,
  passwordRule,
  userRule,
  utf8Bytes,
} from '#protocol';
import { neutralise } from '../core/visible-text.ts';
import { find, showText } from './elements.ts';

/** Who joins which room. The empty room is the global one; the empty token is none. */
export type Seat = { readonly name: string; readonly room: string; readonly token: string };

const section = find('join', HTMLElement);
const form = find('join-form', HTMLFormElement);
const problem = find('join-problem', HTMLElement);
const name = find('name', HTMLInputElement);
const room = find('room', HTMLInputElement);
const token = find('token', HTMLInputElement);
const tokenField = find('token-field', HTMLElement);
const nameField = find('name-field', HTMLElement);
const password = find('password', HTMLInputElement);
const passwordField = find('password-field', HTMLElement);
const makeAccount = find('make-account', HTMLButtonElement);
const loggedIn = find('logged-in', HTMLElement);
let hasAccounts = false;

/**
 * Calls `join` with what a person has given, once it can be used. The password is empty for a guest, and
 * `isNew` where the account is to be made first.
 */
export function onJoin(join: (seat: Seat, password: string, isNew: boolean) => void): void {
  const submit = (isNew: boolean): void => {
    const seat = { name: name.value.trim(), room: room.value.trim(), token: token.value };
    const secret = passwordField.hidden ? '' : password.value;
    if (seat.name === '') return refuse(name, 'Give a name: the others see it beside your messages.');
    if ((secret !== '' || isNew) && !isUserName(seat.name))
      return refuse(name, `“${neutralise(seat.name)}” cannot be the name of an account: it has ${userRule}.`);
    if (isNew && (utf8Bytes(secret) < passwordBytesMin || utf8Bytes(secret) > passwordBytesMax))
      return refuse(password, `A password has ${passwordRule}.`);
    if (seat.room !== '' && !isRoomName(seat.room)) return refuse(room, roomProblem(seat.room));
    join(seat, secret, isNew);
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit(false);
  });
  makeAccount.addEventListener('click', () => submit(true));
}

/** Asks for a password too: this server has accounts. `user`: who is logged in already. */
export function showAccounts(user: string | undefined): void {
  hasAccounts = true;
  offerAccount(user);
}

function offerAccount(user: string | undefined): void {
  nameField.hidden = user !== undefined;
  passwordField.hidden = user !== undefined || !hasAccounts;
  makeAccount.hidden = passwordField.hidden;
  showText(loggedIn, user === undefined ? '' : `You are logged in as ${user}.`);
}

/** Nothing can be given while an account is made. */
export function waitInForm(waits: boolean): void {
  for (const button of form.querySelectorAll('button')) button.disabled = waits;
}

/** Shows the form, with a problem above it unless that is empty. `asksToken`: the server wants a token. */
export function showJoinForm(
  seat: Seat,
  problemText: string,
  asksToken = seat.token !== '',
  user?: string,
): void {
  offerAccount(user);
  waitInForm(false);
  password.value = '';
  section.hidden = false;
  document.title = 'Chat';
  name.value = seat.name;
  room.value = seat.room;
  token.value = seat.token;
  tokenField.hidden = !asksToken;
  showText(problem, problemText);
  const whose = user === undefined ? name : room;
  const first = asksToken && token.value === '' ? token : whose;
  first.focus();
  first.select();
}

export function hideJoinForm(): void {
  section.hidden = true;
}

/** Why a text names no room, in words. */
export function roomProblem(given: string): string {
  return `“${given}” cannot be the name of a room: use 1 to 64 of A–Z a–z 0–9 _ . -`;
}

function refuse(field: HTMLInputElement, text: string): void {
  showText(problem, text);
  field.focus();
}
