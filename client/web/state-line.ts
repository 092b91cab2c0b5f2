/** The state of the connection: a sentence that a screen reader says, and a countdown that it does not. */
import { neutralise } from '../core/visible-text.ts';
import { find } from './elements.ts';

export type State = 'connecting' | 'connected' | 'offline' | 'ended';

const line = find('state', HTMLElement);
const sentence = find('state-text', HTMLElement);
const countdown = find('countdown', HTMLElement);
const retry = find('retry', HTMLButtonElement);
let timer: ReturnType<typeof setInterval> | undefined;

/** Calls `act` when the person does not want to wait, or wants to join again. */
export function onRetry(act: () => void): void {
  retry.addEventListener('click', act);
}

export function showState(state: State, text: string): void {
  clearInterval(timer);
  line.dataset.state = state;
  sentence.textContent = neutralise(text);
  countdown.textContent = '';
  retry.hidden = state !== 'offline' && state !== 'ended';
  retry.textContent = state === 'ended' ? 'Join again' : 'Try now';
}

/** Counts down the seconds to the next attempt. */
export function showCountdown(waitMs: number): void {
  const endAtMs = performance.now() + waitMs;
  const show = (): void => {
    const seconds = Math.max(0, Math.ceil((endAtMs - performance.now()) / 1000));
    countdown.textContent = seconds > 0 ? `Next attempt in ${seconds} s` : 'Trying…';
  };
  clearInterval(timer);
  timer = setInterval(show, 1000);
  show();
}
