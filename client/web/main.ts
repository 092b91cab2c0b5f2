/** The chat page: the room is in the address (`/#tea`), the name and the token stay in this tab. */
import { isRoomName } from '#protocol';
import { neutralise } from '../core/visible-text.ts';
import { Composer } from './composer.ts';
import { Conversation } from './conversation.ts';
import { find } from './elements.ts';
import { hideJoinForm, onJoin, roomProblem, type Seat, showJoinForm } from './join-form.ts';
import { MessageList } from './message-list.ts';
import { onRetry } from './state-line.ts';
import { remember, remembered } from './tab-memory.ts';
import { Unread } from './unread.ts';

const chat = find('chat', HTMLElement);
const toEnd = find('to-end', HTMLButtonElement);
const list = new MessageList(() => unread?.look());
const composer = new Composer((line) => {
  list.scrollToEnd();
  unread?.look();
  conversation?.say(line);
});
let conversation: Conversation | undefined;
let unread: Unread | undefined;

start();

function start(): void {
  find('loading', HTMLElement).hidden = true;
  onJoin(join);
  onRetry(() => {
    if (conversation?.ended) join(conversation.seat);
    else conversation?.retryNow();
  });
  find('leave', HTMLButtonElement).addEventListener('click', () => ask(savedSeat()));
  toEnd.addEventListener('click', () => {
    list.scrollToEnd();
    unread?.look();
    composer.focus();
  });
  window.addEventListener('hashchange', () => {
    const room = roomOfAddress();
    if (room === conversation?.seat.room) return;
    const seat = { ...savedSeat(), room: room ?? '' };
    if (conversation && room !== undefined) join(seat);
    else ask(seat, addressProblem());
  });
  for (const event of ['focus', 'online']) window.addEventListener(event, look);
  document.addEventListener('visibilitychange', look);
  const seat = savedSeat();
  // After a reload the person is still in the room.
  const wasJoined = seat.name !== '' && remembered('joined') === `#${seat.room}`;
  if (wasJoined && addressProblem() === '') join(seat);
  else ask(seat, addressProblem());
}

/** Somebody looks: what has come counts as read, and a client that waits connects now. */
function look(): void {
  if (document.hidden) return;
  unread?.look();
  conversation?.retryNow();
}

function join(seat: Seat): void {
  const isSameRoom = conversation?.seat.room === seat.room;
  conversation?.leave();
  remember('name', seat.name);
  remember('joined', `#${seat.room}`);
  remember('token', seat.token);
  hideJoinForm();
  chat.hidden = false;
  if (!isSameRoom) list.clear();
  composer.reset();
  const place = seat.room === '' ? 'the global room' : seat.room;
  find('room-name', HTMLElement).textContent = place;
  find('own-name', HTMLElement).textContent = `as ${neutralise(seat.name)}`;
  const sees = () => !document.hidden && document.hasFocus() && list.follows;
  unread = new Unread(`${place} · Chat`, sees, showUnread);
  conversation = new Conversation(seat, isSameRoom, list, composer, {
    onHeard: () => unread?.came() && list.markUnread(),
    onTokenNeeded() {
      const isWrong = seat.token !== '';
      ask({ ...seat, token: '' }, isWrong ? 'That is not the token.' : 'This server asks for a token.', true);
    },
  });
  if (roomOfAddress() !== seat.room) history.replaceState(null, '', seat.room === '' ? '.' : `#${seat.room}`);
  composer.focus();
}

/** Leaves the room and shows the form. */
function ask(seat: Seat, problem = '', asksToken = seat.token !== ''): void {
  conversation?.leave();
  conversation = undefined;
  unread = undefined;
  remember('joined', '');
  remember('token', seat.token);
  chat.hidden = true;
  showJoinForm(seat, problem, asksToken);
}

function showUnread(count: number): void {
  toEnd.hidden = count === 0 || list.follows;
  toEnd.textContent = `↓ ${count.toLocaleString('en')} new`;
}

function savedSeat(): Seat {
  return { name: remembered('name'), room: roomOfAddress() ?? '', token: remembered('token') };
}

/** The room that the address names; undefined where it names something that is no room. */
function roomOfAddress(): string | undefined {
  const name = location.hash.slice(1);
  return name === '' || isRoomName(name) ? name : undefined;
}

function addressProblem(): string {
  return roomOfAddress() === undefined ? roomProblem(neutralise(location.hash.slice(1, 100))) : '';
}
