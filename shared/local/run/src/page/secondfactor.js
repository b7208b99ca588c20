// The second factor: what a sign-in waits for when its first was right and the guest has an
// authenticator, or Cognito asks for more.
import { byId, forgiveOnInput, isOff, say, setText, showFieldError, showProblem, whileBusy } from './dom.js';
import { latchkey, post, problemOf, readProblem } from './api.js';

/** Problems after which nothing finishes this sign-in any more. */
const OVER = new Set(['MAX_ATTEMPTS_EXCEEDED', 'INVALID_SESSION', 'SESSION_EXPIRED']);

const ASKS = {
  SOFTWARE_TOKEN_MFA: 'Enter the code that your authenticator shows, or one of your backup codes.',
  NEW_PASSWORD_REQUIRED: 'Your password was chosen for you. Choose one of your own.',
  EMAIL_OTP: 'Enter the code that was mailed to you.',
};

/** { sessionToken, challenge } or null. */
let held = null;
let onHeld = () => {};

/** `changed` is called whenever a sign-in is held, and when it is not any more. */
export function startSecondFactor(changed) {
  onHeld = changed;
  forgiveOnInput(byId('factor'));
  byId('factor-form').addEventListener('submit', (event) => {
    event.preventDefault();
    if (isOff(byId('factor-button'))) return;
    showProblem(byId('factor-problem'), null);
    whileBusy(byId('factor-button'), async () => {
      try {
        await bring();
      } catch (error) {
        showProblem(byId('factor-problem'), problemOf(error));
      }
    });
  });
  byId('factor-start-over').addEventListener('click', () => release(null));
}

/** Takes an answer with `mfaRequired` over from the first factor. */
export function holdSignIn({ sessionToken, challenge }) {
  held = { sessionToken, challenge };
  const field = byId('factor');
  field.value = '';
  field.type = challenge === 'NEW_PASSWORD_REQUIRED' ? 'password' : 'text';
  field.autocomplete = challenge === 'NEW_PASSWORD_REQUIRED' ? 'new-password' : 'one-time-code';
  setText(byId('factor-hint'), ASKS[challenge] ?? `Cognito asks for ${challenge}.`);
  byId('second-factor').hidden = false;
  onHeld(true, null);
  field.focus();
}

export function hideSecondFactor() {
  held = null;
  byId('factor').value = '';
  byId('second-factor').hidden = true;
  showProblem(byId('factor-problem'), null);
}

function release(problem) {
  hideSecondFactor();
  onHeld(false, problem);
}

async function bring() {
  const response = await post('/auth/mfa/verify', { sessionToken: held.sessionToken, ...answer(byId('factor').value) });
  if (response.ok) {
    const body = await response.json();
    if (body.mfaRequired === true) {
      holdSignIn(body);
      return;
    }
    if (Number.isInteger(body.backupCodesLeft)) say(`Backup codes left: ${body.backupCodesLeft}.`);
    latchkey.storeSession(body);
    return;
  }
  const problem = await readProblem(response);
  if (OVER.has(problem.code) || problem.attemptsRemaining === 0) {
    release({ ...problem, retryAfterSeconds: null });
    return;
  }
  const wrong = problem.errors[0];
  if (wrong) showFieldError(byId('factor'), wrong.message);
  const left = problem.attemptsRemaining;
  const detail = left === null ? problem.detail : `${problem.detail} ${left} ${left === 1 ? 'attempt' : 'attempts'} left.`;
  showProblem(byId('factor-problem'), { ...problem, detail, errors: [] });
  byId('factor').focus();
  byId('factor').select();
}

function answer(text) {
  if (held.challenge === 'NEW_PASSWORD_REQUIRED') return { newPassword: text };
  const digits = text.replace(/[\s-]/g, '');
  return /^\d{6,8}$/.test(digits) ? { code: digits } : { backupCode: text };
}
