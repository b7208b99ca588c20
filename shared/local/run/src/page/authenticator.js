// The authenticator of the signed-in guest: set up with a QR code, confirmed, its backup codes
// kept, and removed.
import { byId, copy, forgiveOnInput, isOff, make, say, setText, showFieldError, showProblem, whileBusy } from './dom.js';
import { jsonRequest, latchkey, post, problemOf, readProblem } from './api.js';
import { lookForMail } from './mailbox.js';

/** The sign-in whose mailed code proves who is here, or null where the password does. */
let proofToken = null;
let backupCodes = [];

const FIELDS = { password: 'proof-password', 'proof.code': 'proof-code', code: 'present-factor', backupCode: 'present-factor' };

export function startAuthenticator() {
  onClick('mail-proof', mailProof);
  onClick('set-up', setUp);
  onClick('disable', disable);
  byId('proof-form').addEventListener('submit', (event) => {
    event.preventDefault();
    act(byId('set-up'), setUp);
  });
  byId('first-code-form').addEventListener('submit', (event) => {
    event.preventDefault();
    act(byId('confirm-authenticator'), confirm);
  });
  byId('copy-backup-codes').addEventListener('click', () => copy(backupCodes.join('\n'), 'The backup codes'));
  byId('download-backup-codes').addEventListener('click', download);
  byId('backup-codes-kept').addEventListener('click', () => {
    clear();
    byId('authenticator-summary').focus();
  });
  ['proof-password', 'proof-code', 'present-factor', 'first-code'].map(byId).forEach(forgiveOnInput);
}

/** Forgets everything: another session, or none. */
export function clear() {
  proofToken = null;
  backupCodes = [];
  for (const id of ['proof-password', 'proof-code', 'present-factor', 'first-code']) byId(id).value = '';
  byId('qr').replaceChildren();
  setText(byId('secret'), '');
  byId('backup-codes').replaceChildren();
  for (const id of ['first-code-form', 'backup-codes-part', 'proof-code-part']) byId(id).hidden = true;
  byId('proof-form').hidden = false;
  byId('authenticator').open = false;
  showProblem(byId('authenticator-problem'), null);
}

/** Puts a mailed code into the field that waits for it; says whether one does. */
export function fillProof(code, to) {
  if (proofToken === null || to.toLowerCase() !== latchkey.loadSession()?.email?.toLowerCase()) return false;
  byId('proof-code').value = code;
  byId('proof-code').focus();
  return true;
}

async function mailProof() {
  const response = await post('/auth/otp/initiate', { email: latchkey.loadSession().email });
  if (!response.ok) return refused(response);
  proofToken = (await response.json()).sessionToken;
  byId('proof-code-part').hidden = false;
  byId('proof-code').focus();
  lookForMail();
  return undefined;
}

async function setUp() {
  const response = await latchkey.authFetch('/auth/mfa/setup', jsonRequest('POST', proofs()));
  if (!response.ok) return refused(response);
  const { secret, otpauthUri, qrSvg } = await response.json();
  byId('qr').replaceChildren(
    make('img', { src: qrSvg, alt: 'QR code for an authenticator app', width: 220, height: 220, 'data-uri': otpauthUri }),
  );
  setText(byId('secret'), secret.replace(/(.{4})(?=.)/g, '$1 '));
  byId('proof-form').hidden = true;
  byId('first-code-form').hidden = false;
  byId('first-code').focus();
  proofToken = null;
  return undefined;
}

async function confirm() {
  const code = byId('first-code').value.replace(/\s/g, '');
  const response = await latchkey.authFetch('/auth/mfa/setup/verify', jsonRequest('POST', { code }));
  if (!response.ok) return refused(response, { code: 'first-code' });
  ({ backupCodes } = await response.json());
  const kept = backupCodes;
  clear();
  backupCodes = kept;
  byId('backup-codes').replaceChildren(...backupCodes.map((one) => make('li', { class: 'mono' }, one)));
  byId('proof-form').hidden = true;
  byId('authenticator').open = true;
  byId('backup-codes-part').hidden = false;
  byId('backup-codes-heading').focus();
  say('The authenticator is in force.');
  return undefined;
}

async function disable() {
  const response = await latchkey.authFetch('/auth/mfa/disable', jsonRequest('POST', proofs()));
  if (!response.ok) return refused(response);
  clear();
  say('There is no authenticator any more.');
  return undefined;
}

function proofs() {
  const factor = byId('present-factor').value.trim();
  const digits = factor.replace(/[\s-]/g, '');
  const second = /^\d{6,8}$/.test(digits) ? { code: digits } : { backupCode: factor };
  return {
    ...(proofToken === null
      ? { password: byId('proof-password').value }
      : { proof: { sessionToken: proofToken, code: byId('proof-code').value.replace(/[\s-]/g, '') } }),
    ...(factor === '' ? {} : second),
  };
}

function download() {
  const url = URL.createObjectURL(new Blob([`${backupCodes.join('\n')}\n`], { type: 'text/plain' }));
  make('a', { href: url, download: 'latchkey-backup-codes.txt' }).click();
  URL.revokeObjectURL(url);
}

function onClick(id, work) {
  byId(id).addEventListener('click', () => act(byId(id), work));
}

function act(button, work) {
  if (isOff(button)) return;
  showProblem(byId('authenticator-problem'), null);
  whileBusy(button, async () => {
    try {
      await work();
    } catch (error) {
      if (latchkey.loadSession() !== null) showProblem(byId('authenticator-problem'), problemOf(error));
    }
  });
}

async function refused(response, fields = FIELDS) {
  const problem = await readProblem(response);
  const beside = problem.errors.filter(({ field }) => field in fields);
  for (const { field } of beside) {
    const messages = beside.filter((one) => one.field === field).map(({ message }) => message);
    showFieldError(byId(fields[field]), messages.join('; '));
  }
  showProblem(byId('authenticator-problem'), { ...problem, errors: problem.errors.filter((error) => !beside.includes(error)) });
  if (beside[0]) byId(fields[beside[0].field]).focus();
}
