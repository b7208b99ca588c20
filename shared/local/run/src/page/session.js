// A developer's view of a session: the tokens, their claims and their time.
import { byId, copyButton, countdown, make, say, setText, showProblem, whileBusy } from './dom.js';
import { deliverTo, latchkey, problemOf, tokenDelivery } from './client.js';
import { everySecond, now } from './clock.js';
import { readClaims } from './latchkey.js';

/** Claims that are instants (RFC 7519, OpenID Connect), in seconds. */
const INSTANTS = new Set(['iat', 'exp', 'nbf', 'auth_time']);

const TOKENS = [
  { id: 'access', name: 'Access token', token: 'accessToken', expiresAt: 'accessExpiresAt' },
  { id: 'id', name: 'Id token', token: 'idToken', expiresAt: 'idExpiresAt' },
];

/** The places of the tokens' texts and bars, made once and filled again and again. */
const parts = new Map();

export function startSession() {
  byId('tokens').append(...TOKENS.map(tokenPanel));
  byId('refresh').addEventListener('click', () =>
    whileBusy(byId('refresh'), async () => {
      showProblem(byId('session-problem'), null);
      try {
        await latchkey.refreshSession();
        say('The tokens are new.');
      } catch (error) {
        if (latchkey.loadSession() !== null) showProblem(byId('session-problem'), problemOf(error));
      }
    }),
  );
  const delivery = byId('delivery');
  delivery.value = tokenDelivery;
  delivery.addEventListener('change', () => deliverTo(delivery.value));
  everySecond(showTimes);
}

export function showSession(session) {
  byId('session').hidden = session === null;
  byId('delivery-part').hidden = session !== null;
  if (session === null) {
    for (const { claims } of parts.values()) claims.replaceChildren();
    return;
  }
  for (const { id, token } of TOKENS) parts.get(id).claims.replaceChildren(...claimRows(readClaims(session[token]) ?? {}));
  setText(
    byId('refresh-token'),
    session.refreshToken === null ? 'The refresh token is in a cookie that no script can read.' : 'The refresh token is in this tab’s storage.',
  );
  showTimes();
}

function tokenPanel({ id, name, token }) {
  const bar = make('progress', { 'aria-label': `${name}: share of its life that is left`, max: 1, value: 0 });
  const left = make('span', { class: 'mono muted', id: `${id}-token-left` });
  const claims = make('tbody', { id: `${id}-claims` });
  parts.set(id, { bar, left, claims });
  const what = name.toLowerCase();
  return make(
    'div',
    { class: 'token' },
    make('div', { class: 'heading' }, make('h3', {}, name), left, copyButton(`the ${what}`, () => latchkey.loadSession()?.[token] ?? '')),
    bar,
    make(
      'details',
      {},
      make('summary', {}, `Claims of the ${what}`),
      make('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': `Claims of the ${what}` }, make('table', { class: 'claims' }, claims)),
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
  const session = latchkey.loadSession();
  if (byId('session').hidden || session === null) return;
  for (const { id, expiresAt } of TOKENS) {
    const { bar, left } = parts.get(id);
    const rest = session[expiresAt] - now();
    bar.value = Math.min(1, Math.max(0, rest / (session[expiresAt] - session.receivedAt)));
    setText(left, rest > 0 ? `${countdown(rest)} left` : 'ended; the next request renews it');
  }
}
