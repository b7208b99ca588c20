// A scripted agent: it signs a person in by Latchkey's tools, and asks for leave to act for that
// person.
import { byId, countdown, forgiveOnInput, make, say, setText, showFieldError, showProblem, whileBusy } from './dom.js';
import { jsonRequest, latchkey, loggedFetch, problemOf, readProblem } from './api.js';
import { everySecond, now } from './clock.js';
import { isTokenDeliveryEvent } from './latchkey.js';
import { McpError, callTool, listTools } from './mcp.js';

const KEPT_UNDER = 'latchkey.agent';

/** What the agent asks for, step by step. */
const ASKS = {
  email: { label: 'Your email address', mode: 'email', complete: 'email' },
  code: { label: 'The code from the mail', mode: 'numeric', complete: 'one-time-code' },
};

/** Why the API sent the browser back without a consent. */
const REASONS = {
  AUTH_CANCELLED: 'You have not consented. Nothing was handed over.',
  INVALID_SESSION: 'This consent does not count. Begin again, and sign in when you are asked to.',
  SESSION_EXPIRED: 'The time for this ran out. Begin again.',
  USER_MISMATCH: 'Another browser began this, or somebody else consented. Nothing was handed over.',
};

let step = 'email';
/** { email, sessionToken } while a code is awaited. */
let signIn = null;
/** { sessionId, expiresAt } of the authorization that is under way, kept across the redirect. */
let waiting = recall();
/** The last authorization that was completed here. */
let completed = null;
/** What there is to say to somebody who has just come back. */
let outcome = null;
/** Grows with every authorization, so that an older one's answers are not taken for the newer one's. */
let round = 0;

export function startAgent() {
  byId('agent-form').addEventListener('submit', (event) => {
    event.preventDefault();
    press('agent-send', answer);
  });
  byId('agent-take-code').addEventListener('click', () => press('agent-take-code', takeCode));
  byId('agent-start-over').addEventListener('click', startOver);
  byId('agent-authorize').addEventListener('click', () => press('agent-authorize', authorize));
  byId('agent-ask').addEventListener('click', () => press('agent-ask', askForGuest));
  forgiveOnInput(byId('agent-answer'));
  latchkey.onSessionChange(showStep);
  everySecond(showTime);
  greet();
  if (outcome) turn('agent', outcome);
  showStep();
  if (waiting) press('agent-ask', follow);
}

/** Takes from the address what the API says on the way back, so that a reload does not say it again. */
export function comeBack() {
  const query = new URLSearchParams(location.search);
  if (!query.has('auth')) return;
  history.replaceState(null, '', `${location.pathname}#agent`);
  if (query.get('auth') === 'success') {
    if (waiting?.sessionId !== query.get('session_id')) {
      outcome = 'You come back from an authorization that was not begun here.';
    }
    return;
  }
  remember(null);
  outcome = REASONS[query.get('code')] ?? 'That did not work. Begin again.';
}

function greet() {
  turn('agent', latchkey.loadSession() ? 'Hello again.' : 'Hello. To help you I have to know who you are. What is your email address?');
}

/** The field that is due, or what can be done by whoever is signed in. */
function showStep() {
  const session = latchkey.loadSession();
  byId('agent-form').hidden = session !== null;
  byId('agent-leave').hidden = session === null;
  byId('agent-take-code').hidden = step !== 'code';
  const { label, mode, complete } = ASKS[step];
  setText(byId('agent-answer-label'), label);
  byId('agent-answer').inputMode = mode;
  byId('agent-answer').autocomplete = complete;
}

function showTime() {
  const left = waiting ? waiting.expiresAt - now() : 0;
  setText(byId('agent-time'), left > 0 ? `Waiting for your consent: ${countdown(left)} left.` : '');
}

async function answer() {
  const field = byId('agent-answer');
  const text = field.value.trim();
  if (text === '') {
    showFieldError(field, 'Say something.');
    field.focus();
    return;
  }
  field.value = '';
  turn('you', text);
  if (step === 'email') await begin(text);
  else await prove(text.replace(/[\s-]/g, ''));
}

async function begin(email) {
  const result = await use('initiate_cognito_login', { email });
  if (result.success === true) {
    signIn = { email, sessionToken: result.session_token };
    turn('agent', result.message);
    ask('code');
  } else {
    failed(result);
  }
}

async function prove(code) {
  const { email, sessionToken } = signIn;
  const result = await use('verify_cognito_otp', { email, otp_code: code, session_token: sessionToken });
  if (isTokenDeliveryEvent(result)) {
    signIn = null;
    step = 'email';
    latchkey.storeSession(result);
    turn('agent', `You are signed in as ${result.email}. This page has seen your tokens go by and keeps them from now on.`);
    byId('agent-authorize').focus();
    return;
  }
  failed(result);
  const isOver = ['MAX_ATTEMPTS_EXCEEDED', 'OTP_EXPIRED', 'INVALID_SESSION', 'SESSION_EXPIRED'].includes(result.error_code);
  ask(isOver ? 'email' : 'code');
}

async function takeCode() {
  const query = new URLSearchParams({ to: signIn.email });
  const response = await loggedFetch(`/_local/mailbox/latest?${query}`);
  const code = response.ok ? (await response.json()).code : null;
  if (code === null) {
    say('No code has arrived yet.');
    return;
  }
  byId('agent-answer').value = code;
  byId('agent-answer').focus();
}

/** Asks for leave to act for the guest: the browser goes where the API says, and comes back. */
async function authorize() {
  const conversationId = crypto.randomUUID();
  const response = await latchkey.authFetch('/auth/oauth2/authorize', jsonRequest('POST', { conversationId }));
  if (!response.ok) {
    showProblem(byId('agent-problem'), await readProblem(response));
    return;
  }
  const { sessionId, authorizationUrl, expiresAt } = await response.json();
  remember({ sessionId, expiresAt: Date.parse(expiresAt) });
  location.assign(authorizationUrl);
}

/** Watches the authorization until it has ended, at the pace that the API asks for. */
async function follow() {
  round += 1;
  const mine = round;
  turn('agent', 'I am looking whether you have consented.');
  while (mine === round && waiting) {
    const path = `/auth/session/${encodeURIComponent(waiting.sessionId)}`;
    const response = await loggedFetch(path, { cache: 'no-store' });
    if (!response.ok) {
      remember(null);
      showProblem(byId('agent-problem'), await readProblem(response));
      return;
    }
    const { status } = await response.json();
    if (status !== 'PENDING') {
      await ended(status);
      return;
    }
    const seconds = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
    await new Promise((resolve) => setTimeout(resolve, (seconds > 0 ? seconds : 5) * 1000));
  }
}

async function ended(status) {
  const { sessionId } = waiting;
  remember(null);
  if (status === 'COMPLETED') {
    completed = sessionId;
    turn('agent', 'You have consented.');
    await showGuest(sessionId);
  } else if (status === 'EXPIRED') {
    turn('agent', REASONS.SESSION_EXPIRED);
  } else {
    turn('agent', 'You have not consented, or it went wrong. Begin again if you like.');
  }
}

const askForGuest = () => showGuest(waiting?.sessionId ?? completed);

async function showGuest(sessionId) {
  const result = await use('get_authenticated_guest', sessionId === null ? {} : { session_id: sessionId });
  if (result.success === true) {
    turn('agent', `You are guest ${result.guest_id}, and I may act for you.`);
  } else if (result.error_code === 'AUTH_REQUIRED') {
    turn('agent', 'I may not act for you yet.');
    remember({ sessionId: result.session_id, expiresAt: Date.parse(result.expires_at) });
    const link = make('a', { href: result.authorization_url }, 'Open the page that asks you');
    byId('conversation').append(make('li', { class: 'turn agent' }, make('p', { class: 'turn-who' }, 'Agent'), make('p', {}, link)));
    link.scrollIntoView({ block: 'nearest' });
  } else {
    failed(result);
  }
}

/** Calls a tool where everybody can see it: the call, and its result when that has arrived. */
async function use(tool, args) {
  const result = make('pre', { class: 'tool-text' }, 'under way…');
  byId('conversation').append(
    make(
      'li',
      { class: 'turn tool' },
      make('p', { class: 'turn-who mono' }, tool),
      make('pre', { class: 'tool-text' }, printed(args)),
      result,
    ),
  );
  result.scrollIntoView({ block: 'nearest' });
  try {
    const tools = await listTools();
    const known = tools.get(tool);
    if (!known) throw new McpError(`There is no tool ${tool} here.`);
    const answered = await callTool(known.name, args);
    setText(result, printed(answered));
    result.scrollIntoView({ block: 'nearest' });
    return answered;
  } catch (error) {
    setText(result, error instanceof McpError ? error.message : 'No answer.');
    throw error;
  }
}

/** JSON for eyes: tokens and the like are cut short. */
function printed(value) {
  const short = (key, text) => (typeof text === 'string' && text.length > 64 ? `${text.slice(0, 24)}…` : text);
  return JSON.stringify(value, short, 2);
}

function failed(result) {
  turn('agent', [result.message, result.recovery].filter((text) => typeof text === 'string').join(' ') || 'That did not work.');
}

function turn(who, text) {
  const item = make('li', { class: `turn ${who}` }, make('p', { class: 'turn-who' }, who === 'you' ? 'You' : 'Agent'), make('p', {}, text));
  byId('conversation').append(item);
  item.scrollIntoView({ block: 'nearest' });
}

function ask(next) {
  step = next;
  if (next === 'email') signIn = null;
  showStep();
  byId('agent-answer').focus();
}

function startOver() {
  round += 1;
  remember(null);
  showProblem(byId('agent-problem'), null);
  byId('conversation').replaceChildren();
  greet();
  ask('email');
}

/** Runs a button's work; what throws is a problem like any other. */
function press(id, work) {
  showProblem(byId('agent-problem'), null);
  return whileBusy(byId(id), async () => {
    try {
      await work();
    } catch (error) {
      showProblem(byId('agent-problem'), error instanceof McpError ? { title: error.message } : problemOf(error));
    }
  });
}

function remember(next) {
  waiting = next;
  try {
    if (next) sessionStorage.setItem(KEPT_UNDER, JSON.stringify(next));
    else sessionStorage.removeItem(KEPT_UNDER);
  } catch {
    // Without storage the way back leads to a page that does not remember, and says so.
  }
  showTime();
}

function recall() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT_UNDER));
    return typeof kept.sessionId === 'string' && Number.isFinite(kept.expiresAt) ? kept : null;
  } catch {
    return null;
  }
}
