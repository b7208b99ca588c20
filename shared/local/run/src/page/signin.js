// Signing in: the address, then the code. What is under way survives a reload, as the mail app may
// take the tab's place.
import {
  byId,
  countdown,
  forgiveOnInput,
  isOff,
  say,
  setText,
  showFieldError,
  showProblem,
  showWork,
  whileBusy,
} from './dom.js';
import { latchkey, post, problemOf, readProblem } from './api.js';
import { everySecond, now, tick } from './clock.js';
import { lookForMail } from './mailbox.js';
import { holdSignIn } from './secondfactor.js';

const KEPT_UNDER = 'latchkey.sign-in';

/** Problems after which no code of this sign-in can succeed any more. */
const OVER = new Set(['OTP_EXPIRED', 'MAX_ATTEMPTS_EXCEEDED', 'INVALID_SESSION', 'SESSION_EXPIRED']);

const LABELS = { 'send-code': 'Send code', 'verify-code': 'Sign in', 'resend-code': 'Send another code' };

/** { email, sessionToken, destination, delivery, endsAt, resendAt, attempts } or null. */
let underWay = null;
/** Until when each button has to wait, by its id. */
const waits = new Map();

export function startSignIn() {
  underWay = recall();
  byId('email-form').addEventListener('submit', (event) => {
    event.preventDefault();
    press('send-code', sendCode);
  });
  byId('code-form').addEventListener('submit', (event) => {
    event.preventDefault();
    press('verify-code', verifyCode);
  });
  byId('resend-code').addEventListener('click', () => press('resend-code', resendCode));
  byId('start-over').addEventListener('click', () => {
    showProblem(byId('sign-in-problem'), null);
    begin();
  });
  forgiveOnInput(byId('email'));
  // The wait may have been the address's own; another one need not wait with it.
  byId('email').addEventListener('input', () => {
    waits.delete('send-code');
    showTimes();
  });
  forgiveOnInput(byId('code'));
  everySecond(showTimes);
}

/** Shows the step that is due, and puts the focus on its field unless the page has only just opened. */
export function showSignIn({ notice = null, focus = true } = {}) {
  byId('sign-in').hidden = false;
  byId('email-form').hidden = underWay !== null;
  byId('code-form').hidden = underWay === null;
  if (notice) showProblem(byId('sign-in-problem'), notice);
  if (underWay) setText(byId('code-sent'), `If ${underWay.destination} can sign in by code, one is on its way.`);
  showTimes();
  if (focus) byId(underWay ? 'code' : 'email').focus();
}

export function hideSignIn() {
  byId('sign-in').hidden = true;
  showProblem(byId('sign-in-problem'), null);
}

/** Puts a code from the mailbox into the field. */
export function fillCode(code, to) {
  if (byId('sign-in').hidden || underWay === null) {
    say('No sign-in is waiting for a code. Send one first.');
    return;
  }
  if (to.toLowerCase() !== underWay.email.toLowerCase()) {
    say(`That code was mailed to ${to}; this sign-in is for ${underWay.email}.`);
    return;
  }
  const field = byId('code');
  field.value = code;
  showFieldError(field, null);
  field.focus();
}

async function sendCode() {
  const field = byId('email');
  const email = field.value.trim();
  showFieldError(field, null);
  if (email === '') {
    showFieldError(field, 'Enter an email address.');
    field.focus();
    return;
  }
  const response = await ask('/auth/otp/initiate', { email });
  if (!response.ok) {
    await refused(response, 'send-code', field);
    return;
  }
  const delivery = byId('email-form').elements.delivery.value;
  remember(await response.json(), { email, delivery, attempts: null });
  byId('code').value = '';
  showSignIn();
  say('A code is on its way.');
  lookForMail();
}

async function resendCode() {
  const response = await ask('/auth/otp/resend', { sessionToken: underWay.sessionToken });
  if (!response.ok) {
    await refused(response, 'resend-code', null);
    return;
  }
  remember(await response.json(), underWay);
  showSignIn();
  say('Another code is on its way. The one before still works.');
  lookForMail();
}

async function verifyCode() {
  const field = byId('code');
  const code = field.value.replace(/[\s-]/g, '');
  showFieldError(field, null);
  if (!/^\d{6,8}$/.test(code)) {
    showFieldError(field, 'A code has 6 to 8 digits.');
    field.focus();
    return;
  }
  const { email, sessionToken, delivery } = underWay;
  const response = await ask('/auth/otp/verify', { email, code, sessionToken, tokenDelivery: delivery });
  if (!response.ok) {
    await refused(response, 'verify-code', field);
    return;
  }
  const answer = await response.json();
  if (answer?.mfaRequired === true) {
    forget();
    holdSignIn(answer);
    return;
  }
  forget();
  // Whoever listens for the session takes over from here.
  latchkey.storeSession(answer);
}

/** Asks the API, and shows the work that a refusal may be paid for with. */
async function ask(path, body) {
  const region = byId('sign-in-problem');
  const response = await post(path, body, showWork(region));
  showProblem(region, null);
  return response;
}

/** Runs a button's work; a request that throws is a problem like any other. */
function press(id, work) {
  const button = byId(id);
  if (isOff(button)) {
    const wait = waits.get(id);
    if (wait) say(`Not yet: ${countdown(wait - now())} to wait.`);
    return;
  }
  showProblem(byId('sign-in-problem'), null);
  whileBusy(button, async () => {
    try {
      await work();
    } catch (error) {
      showProblem(byId('sign-in-problem'), problemOf(error));
    }
  }).then(showTimes);
}

async function refused(response, buttonId, field) {
  const problem = await readProblem(response);
  if (problem.retryAfterSeconds) waits.set(buttonId, now() + problem.retryAfterSeconds * 1000);
  if (underWay && (OVER.has(problem.code) || problem.attemptsRemaining === 0)) {
    // The way on is a new sign-in: waiting for this one helps nobody.
    waits.delete(buttonId);
    begin();
    showProblem(byId('sign-in-problem'), { ...problem, retryAfterSeconds: null });
    return;
  }
  const wrong = problem.errors.find((error) => error.field === field?.name);
  showProblem(byId('sign-in-problem'), { ...problem, errors: problem.errors.filter((error) => error !== wrong) });
  if (problem.attemptsRemaining !== null && underWay) {
    remember(null, { ...underWay, attempts: problem.attemptsRemaining });
  }
  if (field) {
    if (wrong) showFieldError(field, wrong.message);
    else if (problem.code === 'INVALID_OTP') field.setAttribute('aria-invalid', 'true');
    field.focus();
    field.select();
  }
}

function begin() {
  const email = underWay?.email;
  forget();
  if (email) byId('email').value = email;
  byId('code').value = '';
  showFieldError(byId('code'), null);
  showSignIn();
  byId('email').select();
}

function showTimes() {
  if (underWay) {
    const left = underWay.endsAt - now();
    setText(byId('code-time'), left > 0 ? `${countdown(left)} left` : 'Time is up: start over for a new code');
    const { attempts } = underWay;
    setText(
      byId('code-attempts'),
      attempts === null ? '' : ` · ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} left`,
    );
  }
  for (const [id, label] of Object.entries(LABELS)) {
    const button = byId(id);
    if (button.hasAttribute('aria-busy')) continue;
    const until = Math.max(waits.get(id) ?? 0, id === 'resend-code' ? (underWay?.resendAt ?? 0) : 0);
    const left = until - now();
    if (left > 0) {
      waits.set(id, until);
      button.setAttribute('aria-disabled', 'true');
    } else {
      waits.delete(id);
      button.removeAttribute('aria-disabled');
    }
    setText(button, left > 0 ? `${label} in ${countdown(left)}` : label);
  }
}

function remember(answer, rest) {
  underWay = { ...rest };
  if (answer) {
    underWay.sessionToken = answer.sessionToken;
    underWay.destination = answer.delivery?.destination ?? rest.email;
    underWay.endsAt = now() + answer.expiresIn * 1000;
    underWay.resendAt = now() + answer.resendAfter * 1000;
  }
  try {
    sessionStorage.setItem(KEPT_UNDER, JSON.stringify(underWay));
  } catch {
    // Without storage a reload starts over, and nothing else is lost.
  }
  tick();
}

function forget() {
  underWay = null;
  waits.delete('verify-code');
  waits.delete('resend-code');
  try {
    sessionStorage.removeItem(KEPT_UNDER);
  } catch {
    // Nothing was stored where nothing can be removed.
  }
}

function recall() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT_UNDER));
    const whole =
      ['email', 'sessionToken', 'destination', 'delivery'].every((name) => typeof kept[name] === 'string') &&
      [kept.endsAt, kept.resendAt].every(Number.isFinite);
    return whole && kept.endsAt > now() ? kept : null;
  } catch {
    return null;
  }
}
