// The signed-in guest: profile, tokens and the ways out.
import {
  byId,
  copy,
  countdown,
  forgiveOnInput,
  make,
  say,
  setText,
  showFieldError,
  showProblem,
  whileBusy,
} from './dom.js';
import { jsonRequest, latchkey, problemOf, readProblem } from './api.js';
import { everySecond, now } from './clock.js';
import { readClaims } from './latchkey.js';

/** Claims that are instants (RFC 7519, OpenID Connect), in seconds. */
const INSTANTS = new Set(['iat', 'exp', 'nbf', 'auth_time']);

const TOKENS = [
  { id: 'access', name: 'Access token', token: 'accessToken', expiresAt: 'accessExpiresAt' },
  { id: 'id', name: 'Id token', token: 'idToken', expiresAt: 'idExpiresAt' },
];

/** Where the tokens' texts and bars are, made once and filled again and again. */
const parts = new Map();

export function startSession() {
  byId('tokens').append(...TOKENS.map(tokenPanel));
  forgiveOnInput(byId('name'));
  onSubmit('profile-form', 'save-name', saveName);
  onClick('refresh', async () => {
    await latchkey.refreshSession();
    say('The tokens are new.');
  });
  onClick('sign-out', () => signOut(false));
  onClick('sign-out-everywhere', () => signOut(true));
  everySecond(showTimes);
}

/** Shows the session that is stored, and reads the profile afresh when it is another guest's. */
export function showSession(session, { readProfile = true, focus = true } = {}) {
  byId('session').hidden = false;
  setText(byId('session-heading'), `Signed in as ${session.email}`);
  for (const { id, token } of TOKENS) {
    const { claims, copyButton } = parts.get(id);
    claims.replaceChildren(...claimRows(readClaims(session[token]) ?? {}));
    copyButton.hidden = false;
  }
  setText(
    byId('refresh-token'),
    session.refreshToken === null
      ? 'The refresh token is in a cookie that no script can read.'
      : 'The refresh token is in this tab’s storage.',
  );
  showTimes();
  if (focus) byId('session-heading').focus();
  if (readProfile) {
    byId('name').value = '';
    byId('profile').replaceChildren();
    return act(loadProfile);
  }
  return undefined;
}

export function hideSession() {
  byId('session').hidden = true;
  showProblem(byId('session-problem'), null);
  byId('profile').replaceChildren();
  byId('name').value = '';
  for (const { claims } of parts.values()) claims.replaceChildren();
}

async function loadProfile() {
  const response = await latchkey.authFetch('/me');
  if (response.ok) showProfile(await response.json());
  else await refused(response);
}

async function saveName() {
  const field = byId('name');
  showFieldError(field, null);
  const name = field.value.trim();
  const response = await latchkey.authFetch('/me', jsonRequest('PATCH', { name: name === '' ? null : name }));
  if (response.ok) {
    showProfile(await response.json());
    say('Saved.');
    return;
  }
  const wrong = await refused(response, 'name');
  if (wrong) showFieldError(field, wrong.message);
  field.focus();
}

async function signOut(everywhere) {
  // First, so that the body holds the refresh token that is current when the request leaves.
  await latchkey.getAccessToken();
  const { refreshToken } = latchkey.loadSession();
  const body = { everywhere, ...(refreshToken === null ? {} : { refreshToken }) };
  const response = await latchkey.authFetch('/auth/logout', jsonRequest('POST', body));
  if (response.ok || response.status === 401) latchkey.clearSession();
  else await refused(response);
}

function showProfile(user) {
  byId('name').value = typeof user.name === 'string' ? user.name : '';
  const facts = {
    Guest: user.guestId,
    Email: `${user.email}${user.emailVerified === true ? ' (verified)' : ''}`,
    'Cognito sub': user.cognitoSub,
    Created: user.createdAt,
    Updated: user.updatedAt,
  };
  byId('profile').replaceChildren(
    ...Object.entries(facts).flatMap(([name, value]) => [
      make('dt', {}, name),
      make('dd', { class: 'mono' }, String(value ?? '')),
    ]),
  );
}

function tokenPanel({ id, name, token }) {
  const bar = make('progress', { 'aria-label': `${name}: share of its life that is left`, max: 1, value: 0 });
  const left = make('span', { class: 'mono', id: `${id}-token-left` });
  const claims = make('tbody', { id: `${id}-claims` });
  const copyButton = make(
    'button',
    {
      type: 'button',
      class: 'quiet',
      'aria-label': `Copy the ${name.toLowerCase()}`,
      onclick: () => copy(latchkey.loadSession()?.[token] ?? '', name),
    },
    'Copy',
  );
  parts.set(id, { bar, left, claims, copyButton });
  return make(
    'div',
    { class: 'token' },
    make('div', { class: 'heading' }, make('h4', {}, name), left, copyButton),
    bar,
    make(
      'details',
      {},
      make('summary', {}, `Claims of the ${name.toLowerCase()}`),
      make(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Claims of the ${name.toLowerCase()}` },
        make('table', { class: 'claims' }, claims),
      ),
    ),
  );
}

function claimRows(claims) {
  return Object.entries(claims).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const isInstant = INSTANTS.has(name) && Number.isSafeInteger(value);
    const instant = isInstant ? new Date(value * 1000) : null;
    const hint =
      instant && !Number.isNaN(instant.getTime())
        ? make('span', { class: 'muted' }, ` ${instant.toISOString().replace('.000', '')}`)
        : null;
    return make('tr', {}, make('th', { scope: 'row', class: 'mono' }, name), make('td', { class: 'mono' }, text, hint));
  });
}

function showTimes() {
  if (byId('session').hidden) return;
  const session = latchkey.loadSession();
  if (session === null) return;
  for (const { id, expiresAt } of TOKENS) {
    const { bar, left } = parts.get(id);
    const rest = session[expiresAt] - now();
    bar.value = Math.min(1, Math.max(0, rest / (session[expiresAt] - session.receivedAt)));
    setText(left, rest > 0 ? `${countdown(rest)} left` : 'ended; the next request renews it');
  }
}

function onClick(id, work) {
  byId(id).addEventListener('click', () => whileBusy(byId(id), () => act(work)));
}

function onSubmit(formId, buttonId, work) {
  byId(formId).addEventListener('submit', (event) => {
    event.preventDefault();
    whileBusy(byId(buttonId), () => act(work));
  });
}

/** A session that ends meanwhile is told by its listener, everything else here. */
async function act(work) {
  showProblem(byId('session-problem'), null);
  try {
    await work();
  } catch (error) {
    if (latchkey.loadSession() !== null) showProblem(byId('session-problem'), problemOf(error));
  }
}

/** Shows the problem, all but what is wrong with the named field, which is returned. */
async function refused(response, fieldName) {
  const problem = await readProblem(response);
  const wrong = problem.errors.find((error) => error.field === fieldName);
  showProblem(byId('session-problem'), { ...problem, errors: problem.errors.filter((error) => error !== wrong) });
  return wrong;
}
