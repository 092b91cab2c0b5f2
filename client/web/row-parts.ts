/** What rows are made of: who, when, and what. Text of others enters them as text only. */
import { colourOf, neutralise } from '../core/visible-text.ts';
import { make } from './elements.ts';
import { imageOf } from './image-picker.ts';

/** Colours of names in the style sheet. */
const nameColours = 8;

/** Who said it, and when. */
export function headOf(name: string, own: boolean, at: Date): HTMLElement {
  const head = make('div', 'head', make('bdi', `name c${colourOf(name, nameColours)}`, neutralise(name)));
  if (own) head.append(make('span', 'you', 'you'));
  head.append(timeOf(at));
  return head;
}

/** A text, or the image that it is the address of. */
export function bodyOf(text: string, from: string): HTMLElement {
  const body = make('p', 'body', imageOf(text, neutralise(from)) ?? neutralise(text));
  body.dir = 'auto';
  return body;
}

/** A line of the page itself, unlike what people say. */
export function noteRow(kind: 'note' | 'warning', text: string, at: Date): HTMLElement {
  return make('li', kind, timeOf(at), make('span', '', neutralise(text)));
}

function timeOf(at: Date): HTMLTimeElement {
  const clock = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const isToday = at.toDateString() === new Date().toDateString();
  const day = isToday ? '' : `${at.toLocaleDateString([], { day: 'numeric', month: 'short' })}, `;
  const time = make('time', '', day + clock);
  time.dateTime = at.toISOString();
  return time;
}
