// The operator's view: the routes under /admin, signed as an operator's tools sign them.
import { byId, make, say, showProblem, whileBusy } from './dom.js';
import { problemOf } from './client.js';
import { lookForRequests } from './requests.js';
import { signedFetch } from './signature.js';

/** The acts on a guest: words, method, the last part of the path, and whether it cannot be undone. */
const ACTS = [
  { words: 'Sign out', method: 'POST', path: '/sign-out' },
  { words: 'Disable', method: 'POST', path: '/disable' },
  { words: 'Enable', method: 'POST', path: '/enable' },
  { words: 'Delete', method: 'DELETE', path: '', forGood: true },
];

/** The name by which the shown guest was found. */
let named = '';

export function startOperator() {
  byId('operator-form').addEventListener('submit', (event) => {
    event.preventDefault();
    named = byId('operator-guest').value.trim();
    whileBusy(byId('operator-find'), find);
  });
}

async function find() {
  const found = await send('POST', '/admin/guests/find', { [fieldOf(named)]: named });
  byId('operator-found').replaceChildren(...(found ? shown(found) : []));
}

/** The field that a text belongs into. */
function fieldOf(text) {
  if (text.includes('@')) return 'email';
  return text.startsWith('GST-') ? 'guestId' : 'sub';
}

function shown({ user, status, factors, undeliverable, sessions, limits }) {
  const facts = {
    Guest: user.guestId,
    Address: user.email,
    ...(undeliverable && { Mails: undeliverable.why }),
    State: status,
    Factors: factorsInWords(factors),
    Sessions: sessions.map(({ device, method }) => `${device}, by ${method}`).join('; ') || 'none',
    'Spent limits': limits.filter(({ remaining }) => remaining === 0).map(({ policy }) => policy).join(', ') || 'none',
  };
  const buttons = ACTS.map((act) => button(act.words, () => actOn(user, act)));
  const clearing = (more, words) => done(send('POST', '/admin/clear-limits', { email: user.email, ...more, ...reason() }), words);
  const clear = button('Clear limits', () => clearing({}, 'Limits cleared.'));
  const works = undeliverable ? [button('Mails arrive again', () => clearing({ mailWorks: true }, 'The mark is gone.'))] : [];
  return [
    make('dl', { class: 'facts' }, Object.entries(facts).flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)])),
    make('div', { class: 'actions' }, buttons, clear, works),
  ];
}

function button(words, work) {
  const made = make('button', { type: 'button' }, words);
  made.addEventListener('click', () => whileBusy(made, work));
  return made;
}

async function actOn(user, { words, method, path, forGood }) {
  if (forGood && !window.confirm(`${words} ${user.guestId}? This cannot be undone.`)) return;
  const sending = send(method, `/admin/guests/${user.guestId}${path}`, reason());
  if (!forGood) {
    await done(sending, `Done: ${words.toLowerCase()}.`);
  } else if (await sending) {
    say(`Done: ${words.toLowerCase()}.`);
    byId('operator-found').replaceChildren();
  }
}

async function done(sending, words) {
  if (!(await sending)) return;
  say(words);
  await find();
}

function factorsInWords({ password, authenticator, backupCodes, passkeys }) {
  const words = [
    password && 'password',
    authenticator && `authenticator with ${backupCodes} backup codes`,
    passkeys > 0 && `${passkeys} passkeys`,
  ];
  return words.filter(Boolean).join(', ') || 'codes by mail alone';
}

function reason() {
  const text = byId('operator-reason').value.trim();
  return text === '' ? {} : { reason: text };
}

/** The answer, `true` for one without a body, or null after a shown problem. */
async function send(method, path, body) {
  const region = byId('operator-problem');
  showProblem(region, null);
  try {
    const response = await signedFetch(method, path, body);
    const answered = response.status === 204 ? true : await response.json();
    if (!response.ok) throw answered;
    return answered;
  } catch (error) {
    showProblem(region, problemOf(error));
    return null;
  } finally {
    lookForRequests();
  }
}
