/** The clock of people who do something at a steady rate, whatever becomes of it. */

/** The clock of a sleeping process is late by some ms; nothing is skipped for that. */
const tickMs = 5;

/** Calls `act` with 0, 1, 2 … so many times per second, until the returned timer is cleared. */
export function steadily(ratePerSecond: number, act: (number: number) => void): NodeJS.Timeout {
  const beganMs = performance.now();
  let done = 0;
  return setInterval(() => {
    const due = ((performance.now() - beganMs) * ratePerSecond) / 1000;
    for (; done < due; done++) act(done);
  }, tickMs);
}
