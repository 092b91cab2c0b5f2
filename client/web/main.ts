/** The chat page: the room is in the address (`/#tea`), the name and the secrets stay in this tab. */
import { isRoomName } from '#protocol';
import type { LoginOutcome } from '../core/account.ts';
import { type Registration, register } from '../core/account-service.ts';
import { neutralise } from '../core/visible-text.ts';
import { Composer } from './composer.ts';
import { Conversation, chatUrlOf } from './conversation.ts';
import { storedLogin } from './correspondence.ts';
import { Direct } from './direct.ts';
import { find } from './elements.ts';
import { allowImages, offerImages, onImage } from './image-picker.ts';
import {
  hideJoinForm,
  onJoin,
  roomProblem,
  type Seat,
  showAccounts,
  showJoinForm,
  waitInForm,
} from './join-form.ts';
import { MessageList } from './message-list.ts';
import { onPeople } from './people-list.ts';
import { PostsView } from './posts-view.ts';
import { onRetry } from './state-line.ts';
import { remember, remembered } from './tab-memory.ts';
import { Unread } from './unread.ts';

const chat = find('chat', HTMLElement);
const toEnd = find('to-end', HTMLButtonElement);
const roomView = {
  scroll: find('scroll', HTMLElement),
  log: find('log', HTMLElement),
  empty: find('empty', HTMLElement),
  dropped: find('dropped', HTMLElement),
};
const list = new MessageList(roomView, () => unread?.look());
const composer = new Composer(say, () => direct?.write());
const posts = new PostsView({ isWatched, onChange: () => direct?.draw() });
let conversation: Conversation | undefined;
let direct: Direct | undefined;
let unread: Unread | undefined;

start();

function start(): void {
  find('loading', HTMLElement).hidden = true;
  onJoin((seat, password, isNew) => void enter(seat, password, isNew));
  onRetry(() => {
    if (conversation?.ended) join(conversation.seat);
    else conversation?.retryNow();
  });
  onPeople(
    (place) => {
      direct?.open(place);
      unread?.look();
      if (place === 'posts') posts.focus();
      else composer.focus();
    },
    () => {
      conversation?.person.account.logout();
      ask(savedSeat());
    },
  );
  onImage(
    () => conversation?.person.images,
    (url) => {
      if (say(url)) composer.pend(url);
    },
    (sentence) => direct?.warn(sentence),
  );
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
  window.addEventListener('pagehide', () => {
    direct?.keep();
    posts.keep();
  });
  const seat = savedSeat();
  // After a reload the person is still in the room.
  const wasJoined = seat.name !== '' && remembered('joined') === `#${seat.room}`;
  if (wasJoined && addressProblem() === '') join(seat);
  else ask(seat, addressProblem());
  void findAccounts();
}

/** The server says with its page whether the chat has accounts. */
async function findAccounts(): Promise<void> {
  const { headers } = await fetch('.', { method: 'HEAD', cache: 'no-store' });
  if (headers.has('chat-accounts')) showAccounts(storedLogin()?.login.user);
  allowImages(headers.get('content-security-policy'));
  offerImages(conversation?.person.account.user !== undefined);
}

/** Says a line where the person is; true if it is pending until it comes back from the room. */
function say(line: string): boolean {
  if (direct?.peer !== undefined) {
    direct.say(line);
    return false;
  }
  list.scrollToEnd();
  unread?.look();
  conversation?.say(line);
  return true;
}

/** Somebody looks: what has come counts as read, and a client that waits connects now. */
function look(): void {
  if (document.hidden) return;
  unread?.look();
  direct?.look();
  posts.look();
  conversation?.retryNow();
}

function isRoomOpen(): boolean {
  return direct === undefined || direct.place === 'room';
}

function isWatched(): boolean {
  return !document.hidden && document.hasFocus();
}

/** Joins, after the account was made or the person has logged in, where they want that. */
async function enter(seat: Seat, password: string, isNew: boolean): Promise<void> {
  const credentials = { user: seat.name, password };
  if (isNew) {
    waitInForm(true);
    const made = await register({ chatUrl: chatUrlOf(seat), headers: {} }, credentials);
    waitInForm(false);
    if (made.result !== 'ok') return ask(seat, registrationWords(made, seat.name));
  }
  const joined = join(seat);
  if (password === '') return;
  const outcome = await joined.person.account.login(credentials);
  if (outcome.result !== 'ok' && outcome.result !== 'lost' && joined === conversation)
    ask(seat, loginWords(outcome));
}

function join(seat: Seat): Conversation {
  const isSameRoom = conversation?.seat.room === seat.room;
  leave();
  remember('name', seat.name);
  remember('joined', `#${seat.room}`);
  remember('token', seat.token);
  hideJoinForm();
  chat.hidden = false;
  if (!isSameRoom) list.clear();
  composer.reset();
  const roomName = seat.room === '' ? 'the global room' : seat.room;
  const sees = () => isWatched() && list.follows && isRoomOpen();
  unread = new Unread(`${roomName} · Chat`, sees, showUnread);
  conversation = new Conversation(seat, isSameRoom, list, composer, {
    onHeard: () => unread?.came() && list.markUnread(),
    onTokenNeeded() {
      const isWrong = seat.token !== '';
      ask({ ...seat, token: '' }, isWrong ? 'That is not the token.' : 'This server asks for a token.', true);
    },
    onLoginNeeded: () => ask(seat, 'This server asks who you are: give the name and password of an account.'),
  });
  const { person } = conversation;
  posts.enter(person, storedLogin()?.login.user);
  direct = new Direct({
    ...{ person, composer, list, posts, roomName, isWatched },
    roomUnread: () => unread?.count ?? 0,
    onChange: () => unread?.alsoCount((direct?.unread ?? 0) + posts.unread),
  });
  offerImages(person.account.user !== undefined);
  person.account.events.on('signedIn', () => offerImages(true));
  person.account.events.on('signedOut', ({ user, why }) => {
    offerImages(false);
    if (why === 'expired') ask(seat, `The login of ${user} has expired: log in again.`);
  });
  conversation.connect();
  if (roomOfAddress() !== seat.room) history.replaceState(null, '', seat.room === '' ? '.' : `#${seat.room}`);
  composer.focus();
  return conversation;
}

function leave(): void {
  direct?.leave();
  direct = undefined;
  posts.leave();
  conversation?.leave();
}

/** Leaves the room and shows the form. */
function ask(seat: Seat, problem = '', asksToken = seat.token !== ''): void {
  leave();
  conversation = undefined;
  unread = undefined;
  remember('joined', '');
  remember('token', seat.token);
  chat.hidden = true;
  showJoinForm(seat, problem, asksToken, storedLogin()?.login.user);
}

function showUnread(count: number): void {
  toEnd.hidden = count === 0 || list.follows || !isRoomOpen();
  toEnd.textContent = `↓ ${count.toLocaleString('en')} new`;
  direct?.draw();
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

/** Why there is no account, in words. */
function registrationWords(made: Exclude<Registration, { result: 'ok' }>, user: string): string {
  if (made.result === 'taken') return `Somebody has the name ${user} already: take another one, or log in.`;
  if (made.result === 'closed') return 'This server makes no accounts on request.';
  if (made.result === 'busy')
    return `No account was made, ${made.detail}. Try again in ${wait(made.retryAfterMs)}.`;
  return `No account was made: ${neutralise(made.detail)}.`;
}

/** Why a login did not succeed, in words. */
function loginWords(outcome: Exclude<LoginOutcome, { result: 'ok' }>): string {
  if (outcome.result === 'busy') return `The server is busy: try again in ${wait(outcome.retryAfterMs)}.`;
  return 'The name or the password is wrong.';
}

function wait(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1000))} s`;
}
