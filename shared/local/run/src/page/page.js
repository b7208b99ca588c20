// Starts the console: its views, the clock, the keys, and the elements that a person sees.
import { byId, make, say, setText, showProblem, whileBusy } from './dom.js';
import { latchkey, local } from './client.js';
import { aheadMs, everySecond, moveClock, now, readClock } from './clock.js';
import { fillAnswer, startAgent } from './agent.js';
import { startConnect } from './connect.js';
import { showContract } from './contract.js';
import { goToMail, lookForMail, startMailbox } from './mailbox.js';
import { startOperator } from './operator.js';
import { lookForRequests, startRequests } from './requests.js';
import { showSession, startSession } from './session.js';

const TITLES = { try: 'Latchkey, local', agent: 'Agent · Latchkey, local', operator: 'Operator · Latchkey, local', contract: 'Contract · Latchkey, local', landing: 'Latchkey, local' };

const SHORTCUTS_KEY = 'latchkey.local.shortcuts';

const signIn = document.querySelector('latchkey-sign-in');
const account = document.querySelector('latchkey-account');
const consentResult = document.querySelector('latchkey-consent-result');

const [ready] = await Promise.all([local('ready'), readClock()]);
// Before the elements are defined, so that they begin with this client.
signIn.setAttribute('remember-days', ready?.rememberDeviceDays ?? 0);
for (const element of [consentResult, signIn, account]) element.client = latchkey;
await import('./components.js');
const hasComeBack = !consentResult.hidden;

startConnect();
startMailbox(useCode);
startRequests();
startSession();
startAgent();
startOperator();
startClock();
startShortcuts();
byId('frame-width').addEventListener('change', ({ target }) => byId('frame').classList.toggle('phone', target.value === 'phone'));
// Another page may have moved the clock meanwhile.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) readClock();
});
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  document.querySelector('main:not([hidden]) :is(h1, h2)').focus();
});
addEventListener('hashchange', () => showView({ focus: true }));
latchkey.onSessionChange(({ reason, session }) => {
  // The sign-in may offer a passkey once there is a session.
  if (session === null || signIn.hidden) showPerson(session, reason);
  else showSession(session);
  lookForMail();
  lookForRequests();
});
signIn.addEventListener('latchkey-signed-in', ({ detail }) => showPerson(detail, 'stored'));
// In cookie mode a new tab finds its session.
const session = await latchkey.restore().catch(() => latchkey.loadSession());
showPerson(session, 'start');
showView({ focus: false });

/** One of the two: a signed-in person sees the account. */
function showPerson(session, reason) {
  const isSignedIn = session !== null;
  const changes = signIn.hidden !== isSignedIn;
  if (changes && !isSignedIn) signIn.client = latchkey;
  signIn.hidden = isSignedIn;
  account.hidden = !isSignedIn;
  showSession(session);
  if (reason === 'refused') say('The session has ended.');
  if (reason === 'cleared') say('Signed out.');
}

/** Puts a mailed code into the field that waits for one. */
function useCode(code, to) {
  if (location.hash.startsWith('#agent')) {
    if (!fillAnswer(code)) say('The agent does not wait for a code. The pool’s page takes it in its own window.');
    return;
  }
  const expected = addressUnderWay();
  if (signIn.hidden === false && expected !== null && expected.toLowerCase() !== to.toLowerCase()) {
    say(`That code is for ${to}; this sign-in is for ${expected}.`);
    return;
  }
  const shown = [signIn, account].find((element) => !element.hidden);
  const fields = [...(shown?.shadowRoot?.querySelectorAll('input[name="code"]') ?? [])];
  const field = fields.find((each) => each.checkVisibility());
  if (!field) {
    say('No field waits for a code.');
    return;
  }
  field.value = code;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  field.focus();
}

/** The address of the element's sign-in, as it keeps it across a reload. */
function addressUnderWay() {
  try {
    return JSON.parse(sessionStorage.getItem('latchkey.sign-in'))?.email ?? null;
  } catch {
    return null;
  }
}

function showView({ focus }) {
  const [named] = location.hash.slice(1).split('/');
  const isLanding = hasComeBack && named === '';
  const wanted = isLanding ? 'landing' : Object.hasOwn(TITLES, named) ? named : 'try';
  for (const panel of document.querySelectorAll('[data-view-panel]')) {
    panel.hidden = !panel.dataset.viewPanel.split(' ').includes(wanted);
  }
  for (const part of document.querySelectorAll('[data-view-part]')) {
    const isOther = part.dataset.viewPart !== wanted;
    part.classList.toggle('elsewhere', isOther);
  }
  for (const link of document.querySelectorAll('[data-view]')) {
    if (link.dataset.view === wanted) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = TITLES[wanted];
  if (wanted === 'contract') void showContract({ focus });
  else if (focus) document.querySelector('main:not([hidden]) h1').focus();
}

function startClock() {
  const shown = byId('clock-now');
  everySecond(() => {
    const instant = new Date(now()).toISOString();
    setText(shown, `${instant.slice(11, 19)} UTC`);
    shown.dateTime = instant;
    setText(byId('clock-ahead'), aheadMs() < 1000 ? '' : `${inWords(aheadMs() / 1000)} ahead`);
  });
  for (const button of document.querySelectorAll('[data-advance]')) {
    button.addEventListener('click', () => whileBusy(button, () => advance(Number(button.dataset.advance))));
  }
  byId('clock-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const seconds = Number(byId('seconds').value.trim());
    if (!Number.isInteger(seconds) || seconds < 1) {
      showProblem(byId('clock-problem'), { title: 'Give whole seconds, one at least.' });
      byId('seconds').focus();
      return;
    }
    whileBusy(event.submitter ?? make('button'), () => advance(seconds));
  });
  byId('reset').addEventListener('click', () =>
    whileBusy(byId('reset'), async () => {
      const response = await fetch('/_local/reset', { method: 'POST' }).catch(() => null);
      if (!response?.ok) return say('The local run could not begin afresh.');
      latchkey.clearSession();
      sessionStorage.clear();
      location.assign('/');
      return undefined;
    }),
  );
}

async function advance(seconds) {
  const region = byId('clock-problem');
  showProblem(region, null);
  const done = await moveClock(seconds).catch(() => false);
  if (done) say(`${inWords(seconds)} later.`);
  else showProblem(region, { title: 'The clock could not be moved.' });
}

function inWords(exactly) {
  const seconds = Math.round(exactly);
  const parts = [
    [Math.floor(seconds / 3600), 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [seconds % 60, 'second'],
  ];
  const spoken = parts.filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount} ${unit}${amount === 1 ? '' : 's'}`);
  return spoken.join(' ') || '0 seconds';
}

/** Keys of one letter can be switched off: speech input would press them (WCAG 2.1.4). */
function startShortcuts() {
  const box = byId('shortcuts');
  try {
    box.checked = localStorage.getItem(SHORTCUTS_KEY) !== 'off';
    box.addEventListener('change', () => localStorage.setItem(SHORTCUTS_KEY, box.checked ? 'on' : 'off'));
  } catch {
    // Storage is forbidden: the choice holds until the page is left.
  }
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      closeInnermost();
      return;
    }
    const [target] = event.composedPath();
    const isTyping = target instanceof Element && target.matches('input:not([type="checkbox"]), textarea, select');
    if (!box.checked || isTyping) return;
    if (event.key === '/') {
      event.preventDefault();
      location.hash = '#contract';
      void showContract({ focus: false }).then(() => byId('contract-search').focus());
    } else if (event.key === 'm') {
      event.preventDefault();
      if (document.querySelector('main:not([hidden])').id !== 'console-view') location.hash = '#try';
      setTimeout(goToMail);
    }
  });
}

/** Closes the open part around the focus, or else the clock, and gives its summary the focus. */
function closeInnermost() {
  const around = document.activeElement?.closest('details[open]:not(.connect)');
  const open = around ?? document.querySelector('.clock[open]');
  if (!open) return;
  open.open = false;
  open.querySelector('summary').focus();
}
