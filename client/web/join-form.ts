/** The form in which a person gives a name, a room, and a token where the server asks for one. */
import { isRoomName } from '#protocol';
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

/** Calls `join` with what a person has given, once it can be used. */
export function onJoin(join: (seat: Seat) => void): void {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const seat = { name: name.value.trim(), room: room.value.trim(), token: token.value };
    if (seat.name === '') return refuse(name, 'Give a name: the others see it beside your messages.');
    if (seat.room !== '' && !isRoomName(seat.room)) return refuse(room, roomProblem(seat.room));
    join(seat);
  });
}

/** Shows the form, with a problem above it unless that is empty. `asksToken`: the server wants a token. */
export function showJoinForm(seat: Seat, problemText: string, asksToken = seat.token !== ''): void {
  section.hidden = false;
  document.title = 'Chat';
  name.value = seat.name;
  room.value = seat.room;
  token.value = seat.token;
  tokenField.hidden = !asksToken;
  showText(problem, problemText);
  const first = asksToken && token.value === '' ? token : name;
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
