// Passwords: sign in with one, register one, confirm the address, and choose another when it is
// forgotten.
import { byId, forgiveOnInput, isOff, say, setText, showFieldError, showProblem, showWork, whileBusy } from './dom.js';
import { latchkey, post, problemOf, readProblem } from './api.js';
import { lookForMail } from './mailbox.js';
import { holdSignIn } from './secondfactor.js';

/**
 * { kind: 'register' | 'reset', email, sessionToken } while a mailed code is awaited, or null. Only
 * a registration has a token.
 */
let awaited = null;

export function startPassword() {
  onSubmit('password-form', 'password-sign-in', signIn);
  onSubmit('confirm-form', 'confirm-code-button', confirm);
  onClick('register', register);
  onClick('forgot', requestReset);
  onClick('confirm-resend', resend);
  byId('confirm-start-over').addEventListener('click', () => {
    awaited = null;
    showProblem(byId('password-problem'), null);
    showPassword({ focus: true });
  });
  ['password-email', 'password-field', 'confirm-code', 'new-password'].map(byId).forEach(forgiveOnInput);
}

/** Shows the form that is due. */
export function showPassword({ focus = false } = {}) {
  byId('password').hidden = false;
  byId('password-form').hidden = awaited !== null;
  byId('confirm-form').hidden = awaited === null;
  byId('new-password-part').hidden = awaited?.kind !== 'reset';
  byId('confirm-resend').hidden = awaited?.kind !== 'register';
  if (awaited) setText(byId('confirm-sent'), `A code for ${awaited.email} is on its way, if there is an account to send it for.`);
  if (focus) byId(awaited ? 'confirm-code' : 'password-email').focus();
}

export function hidePassword() {
  byId('password').hidden = true;
  byId('password-field').value = '';
  byId('new-password').value = '';
  showProblem(byId('password-problem'), null);
}

/** Puts a code from the mailbox into the field that waits for it; says whether one does. */
export function fillConfirmation(code, to) {
  if (byId('password').hidden || awaited === null || to.toLowerCase() !== awaited.email.toLowerCase()) return false;
  byId('confirm-code').value = code;
  byId('confirm-code').focus();
  return true;
}

async function signIn() {
  const { email, password } = credentials();
  const tokenDelivery = byId('email-form').elements.delivery.value;
  const response = await ask('/auth/login', { email, password, tokenDelivery });
  if (!response.ok) return refused(response, { password: 'password-field', email: 'password-email' });
  byId('password-field').value = '';
  take(await response.json());
  return undefined;
}

/** Keeps the tokens of a sign-in, or asks for what it is held for. */
function take(answer) {
  if (answer.mfaRequired === true) holdSignIn(answer);
  else latchkey.storeSession(answer);
}

async function register() {
  const { email, password } = credentials();
  const response = await ask('/auth/register', { email, password });
  if (!response.ok) return refused(response, { password: 'password-field', email: 'password-email' });
  const { sessionToken } = await response.json();
  byId('password-field').value = '';
  wait({ kind: 'register', email, sessionToken });
  return undefined;
}

async function requestReset() {
  const email = byId('password-email').value.trim();
  const response = await ask('/auth/password/reset', { email });
  if (!response.ok) return refused(response, { email: 'password-email' });
  wait({ kind: 'reset', email });
  return undefined;
}

async function resend() {
  const response = await ask('/auth/register/confirm', { sessionToken: awaited.sessionToken, resend: true });
  if (!response.ok) return refused(response, {});
  say('Another code is on its way.');
  lookForMail();
  return undefined;
}

async function confirm() {
  const code = byId('confirm-code').value.replace(/[\s-]/g, '');
  return awaited.kind === 'reset' ? confirmReset(code) : confirmRegistration(code);
}

/** A confirmed registration is signed in. */
async function confirmRegistration(code) {
  const tokenDelivery = byId('email-form').elements.delivery.value;
  const response = await ask('/auth/register/confirm', { sessionToken: awaited.sessionToken, code, tokenDelivery });
  if (!response.ok) return refused(response, { code: 'confirm-code' });
  awaited = null;
  take(await response.json());
  return undefined;
}

async function confirmReset(code) {
  const { email } = awaited;
  const response = await ask('/auth/password/reset/confirm', { email, code, newPassword: byId('new-password').value });
  if (!response.ok) return refused(response, { code: 'confirm-code', newPassword: 'new-password' });
  awaited = null;
  byId('new-password').value = '';
  byId('password-email').value = email;
  showPassword();
  byId('password-field').focus();
  say('The password is set. Sign in with it.');
  return undefined;
}

/** Asks the API, and shows the work that a refusal may be paid for with. */
async function ask(path, body) {
  const region = byId('password-problem');
  const response = await post(path, body, showWork(region));
  showProblem(region, null);
  return response;
}

function wait(what) {
  awaited = what;
  byId('confirm-code').value = '';
  showPassword({ focus: true });
  lookForMail();
}

const credentials = () => ({ email: byId('password-email').value.trim(), password: byId('password-field').value });

function onSubmit(formId, buttonId, work) {
  byId(formId).addEventListener('submit', (event) => {
    event.preventDefault();
    act(byId(buttonId), work);
  });
}

function onClick(id, work) {
  byId(id).addEventListener('click', () => act(byId(id), work));
}

function act(button, work) {
  if (isOff(button)) return;
  showProblem(byId('password-problem'), null);
  whileBusy(button, async () => {
    try {
      await work();
    } catch (error) {
      showProblem(byId('password-problem'), problemOf(error));
    }
  });
}

/** Shows a refusal, each field's part of it beside the field. */
async function refused(response, fields) {
  const problem = await readProblem(response);
  const beside = problem.errors.filter(({ field }) => field in fields);
  for (const { field } of beside) {
    const messages = beside.filter((one) => one.field === field).map(({ message }) => message);
    showFieldError(byId(fields[field]), messages.join('; '));
  }
  showProblem(byId('password-problem'), { ...problem, errors: problem.errors.filter((error) => !beside.includes(error)) });
  const first = beside[0] ? fields[beside[0].field] : Object.values(fields)[0];
  if (first) byId(first).focus();
}
