// The local run's clock, which may stand elsewhere than this computer's.

let offsetMs = 0;
const ticks = new Set();

/** Milliseconds since 1970 as the operations see them. */
export const now = () => Date.now() + offsetMs;

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

/** Takes the time from the local run, where it says so; this computer's is right until somebody has moved it. */
export async function readClock(fetch) {
  try {
    const response = await fetch('/_local/clock', { cache: 'no-store' });
    if (response.ok) adopt(await response.json());
  } catch {
    // Without an answer there is nothing to sign in to either, and the sign-in says so.
  }
}

/** Moves time for everything in the local run. Returns the answer, which may be a refusal. */
export async function moveClock(fetch, seconds) {
  const response = await fetch('/_local/clock', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ advanceSeconds: seconds }),
  });
  if (response.ok) {
    const told = response.status === 204 ? false : adopt(await response.clone().json());
    if (!told) offsetMs += seconds * 1000;
    tick();
  }
  return response;
}

function adopt(answer) {
  const told = Date.parse(answer?.now);
  if (Number.isNaN(told)) return false;
  offsetMs = told - Date.now();
  return true;
}
