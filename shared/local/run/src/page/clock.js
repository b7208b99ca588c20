// The local run's clock, which may differ from this computer's.

let offsetMs = 0;
const ticks = new Set();

/** Milliseconds since 1970 as the operations see them. */
export const now = () => Date.now() + offsetMs;

/** How far the local run is ahead of this computer. */
export const aheadMs = () => offsetMs;

/** Calls back at once, and then every second while the page can be seen. */
export function everySecond(work) {
  ticks.add(work);
  work();
}

export const tick = () => ticks.forEach((work) => work());

setInterval(() => {
  if (!document.hidden) tick();
}, 1000);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) tick();
});

/**
 * Takes the time from the local run, if it answers; this computer's is right until a person has
 * moved it.
 */
export async function readClock() {
  try {
    const response = await fetch('/_local/clock', { cache: 'no-store' });
    if (response.ok) adopt(await response.json());
  } catch {
    // Without an answer no sign-in works either, and the sign-in shows that.
  }
  tick();
}

/** Moves time for everything in the local run. Says whether that was done. */
export async function moveClock(seconds) {
  const response = await fetch('/_local/clock', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ advanceSeconds: seconds }),
  });
  if (response.ok) adopt(await response.json());
  tick();
  return response.ok;
}

function adopt(answer) {
  const told = Date.parse(answer?.now);
  // Less than a second apart is the way there and back.
  if (!Number.isNaN(told)) offsetMs = Math.abs(told - Date.now()) < 1000 ? 0 : told - Date.now();
}
