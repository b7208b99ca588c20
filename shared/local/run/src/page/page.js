// Starts the page: two views, one clock, and whichever of sign-in and session is due.
import { byId, make, say, setText, showProblem, whileBusy } from './dom.js';
import { latchkey, loggedFetch, problemOf, readProblem } from './api.js';
import { everySecond, moveClock, now, readClock } from './clock.js';
import { comeBack, startAgent } from './agent.js';
import { showContract } from './contract.js';
import { clear as clearAuthenticator, fillProof, startAuthenticator } from './authenticator.js';
import { startLog } from './log.js';
import { lookForMail, startMailbox } from './mailbox.js';
import { fillConfirmation, hidePassword, showPassword, startPassword } from './password.js';
import { hideSecondFactor, startSecondFactor } from './secondfactor.js';
import { fillCode, hideSignIn, showSignIn, startSignIn } from './signin.js';
import { hideSession, showSession, startSession } from './session.js';

const TITLES = { try: 'Latchkey, local', agent: 'Agent · Latchkey, local', contract: 'Contract · Latchkey, local' };

startLog();
startMailbox((code, to) => fillConfirmation(code, to) || fillProof(code, to) || fillCode(code, to));
comeBack();
showView({ focus: false });
addEventListener('hashchange', () => showView({ focus: true }));
// Another page may have moved the clock meanwhile.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) syncClock();
});
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  document.querySelector('main:not([hidden]) h1').focus();
});

await syncClock();
startSignIn();
startPassword();
startSecondFactor(onHeld);
startSession();
startAuthenticator();
startAgent();
startClock();
latchkey.onSessionChange(onSessionChange);
const session = latchkey.loadSession();
if (session) showSession(session, { focus: false });
else showWaysIn({ focus: false });

function showWaysIn(options) {
  showSignIn(options);
  showPassword();
}

/** A sign-in waits for its second factor, or does not any more. */
function onHeld(isHeld, problem) {
  if (isHeld) {
    hideSignIn();
    hidePassword();
  } else {
    showWaysIn({ notice: problem });
  }
}

function onSessionChange({ reason, session }) {
  if (session) {
    hideSignIn();
    hidePassword();
    hideSecondFactor();
    const isNew = reason !== 'refreshed';
    if (isNew) clearAuthenticator();
    showSession(session, { readProfile: isNew, focus: isNew });
    if (isNew) lookForMail();
    return;
  }
  hideSession();
  clearAuthenticator();
  const ended = { title: 'The session has ended', detail: 'The API refused to renew it. Sign in again.' };
  showWaysIn({ notice: reason === 'refused' ? ended : null });
  say(reason === 'refused' ? 'The session has ended.' : 'Signed out.');
}

function syncClock() {
  return readClock((...request) => fetch(...request));
}

function showView({ focus }) {
  const [named] = location.hash.slice(1).split('/');
  const wanted = Object.hasOwn(TITLES, named) ? named : 'try';
  for (const panel of document.querySelectorAll('[data-view-panel]')) panel.hidden = panel.dataset.viewPanel !== wanted;
  for (const link of document.querySelectorAll('[data-view]')) {
    if (link.dataset.view === wanted) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = TITLES[wanted];
  if (wanted === 'contract') showContract({ focus });
  else if (focus) document.querySelector(`#${wanted}-view h1`).focus();
}

function startClock() {
  const shown = byId('clock-now');
  everySecond(() => {
    const instant = new Date(now()).toISOString();
    setText(shown, `${instant.slice(0, 10)} ${instant.slice(11, 19)} UTC`);
    shown.dateTime = instant;
  });
  for (const button of document.querySelectorAll('[data-advance]')) {
    button.addEventListener('click', () => whileBusy(button, () => advance(Number(button.dataset.advance))));
  }
  byId('clock-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const seconds = Number(byId('seconds').value.trim());
    if (!Number.isInteger(seconds) || seconds < 1) {
      showProblem(byId('clock-problem'), { title: 'Give whole seconds, one at least' });
      byId('seconds').focus();
      return;
    }
    whileBusy(event.submitter ?? make('button'), () => advance(seconds));
  });
}

async function advance(seconds) {
  const region = byId('clock-problem');
  showProblem(region, null);
  try {
    const response = await moveClock(loggedFetch, seconds);
    if (response.ok) say(`${seconds} seconds later.`);
    else showProblem(region, await readProblem(response));
  } catch (error) {
    showProblem(region, problemOf(error));
  }
}
