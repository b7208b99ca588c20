// A scripted agent: it signs a person in by Latchkey's tools, and asks for leave to act for that
// person. Consent is given in a window of its own, so that the mailbox stays in sight.
import { byId, countdown, make, setText, showFieldError, showProblem, whileBusy } from './dom.js';
import { jsonRequest, keep, kept, latchkey, problemOf } from './client.js';
import { everySecond, now } from './clock.js';
import { isTokenDeliveryEvent } from './latchkey.js';
import { McpError, callTool, listTools } from './mcp.js';

const KEPT_UNDER = 'latchkey.agent';
const CONSENT_WINDOW = 'popup,width=440,height=760';

/** The polling interval of an authorization, if the API names none. */
const FOLLOW_EVERY_SECONDS = 3;

/** The agent's questions, step by step. */
const ASKS = {
  email: { label: 'Your email address', mode: 'email', complete: 'email' },
  code: { label: 'The code from the mail', mode: 'numeric', complete: 'one-time-code' },
};

const ENDS = {
  EXPIRED: 'The time for this ran out. Begin again.',
  FAILED: 'You have not allowed it. Nothing was handed over.',
};

let step = 'email';
/** { email, sessionToken } while a code is awaited. */
let signIn = null;
/** { sessionId, expiresAt } of the current authorization, kept across a reload. */
let waiting = recall();
/** The last authorization that was completed here. */
let completed = null;
/** Grows with every authorization, so that answers of an older one can be recognised. */
let round = 0;

export function startAgent() {
  byId('agent-form').addEventListener('submit', (event) => {
    event.preventDefault();
    press('agent-send', answer);
  });
  byId('agent-start-over').addEventListener('click', startOver);
  byId('agent-authorize').addEventListener('click', () => press('agent-authorize', authorize));
  byId('agent-ask').addEventListener('click', () => press('agent-ask', askForGuest));
  byId('agent-answer').addEventListener('input', () => showFieldError(byId('agent-answer'), null));
  latchkey.onSessionChange(showStep);
  everySecond(showTime);
  greet();
  showStep();
  if (waiting) void follow();
}

/** Puts a code from the mailbox into the field; says whether one is waited for. */
export function fillAnswer(code) {
  if (byId('agent-form').hidden || step !== 'code') return false;
  byId('agent-answer').value = code;
  byId('agent-answer').focus();
  return true;
}

function greet() {
  turn('agent', latchkey.loadSession() ? 'Hello again.' : 'Hello. To help you I have to know who you are. What is your email address?');
}

/** The next field, or the signed-in person's possible actions. */
function showStep() {
  const session = latchkey.loadSession();
  byId('agent-form').hidden = session !== null;
  byId('agent-leave').hidden = session === null;
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

/**
 * Asks for leave to act for the guest. The window opens at the press, or browsers take it for an
 * advertisement, and is sent on when the API has answered.
 */
async function authorize() {
  const consent = window.open('about:blank', '_blank', CONSENT_WINDOW);
  try {
    const conversationId = crypto.randomUUID();
    const response = await latchkey.authFetch('/auth/oauth2/authorize', jsonRequest('POST', { conversationId }));
    const answered = await response.json();
    if (!response.ok) throw answered;
    const { sessionId, authorizationUrl, expiresAt } = answered;
    remember({ sessionId, expiresAt: Date.parse(expiresAt) });
    goTo(consent, authorizationUrl);
  } catch (error) {
    consent?.close();
    throw error;
  }
  void follow();
}

/** Sends the window there, or offers a link if the browser opens no window. */
function goTo(consent, url) {
  if (consent) {
    turn('agent', 'I have opened a page that asks you. Your code arrives in the mailbox here.');
    consent.location = url;
    return;
  }
  offer(url);
}

function offer(url) {
  const open = (event) => {
    event.preventDefault();
    window.open(url, '_blank', CONSENT_WINDOW);
  };
  const link = make('a', { href: url, target: '_blank', onclick: open }, 'Open the page that asks you');
  byId('conversation').append(make('li', { class: 'turn agent' }, make('p', { class: 'turn-who' }, 'Agent'), make('p', {}, link)));
  link.scrollIntoView({ block: 'nearest' });
}

/** Watches the authorization until it has ended, at the pace that the API asks for. */
async function follow() {
  round += 1;
  const mine = round;
  while (mine === round && waiting) {
    const path = `/auth/session/${encodeURIComponent(waiting.sessionId)}`;
    const response = await fetch(path, { cache: 'no-store' }).catch(() => null);
    if (mine !== round || !waiting) return;
    if (response?.status === 404) {
      remember(null);
      turn('agent', ENDS.EXPIRED);
      return;
    }
    const status = response?.ok ? (await response.json()).status : 'PENDING';
    if (status !== 'PENDING') {
      await ended(status);
      return;
    }
    const seconds = Number.parseInt(response?.headers.get('Retry-After') ?? '', 10);
    await new Promise((resolve) => setTimeout(resolve, (seconds > 0 ? Math.min(seconds, FOLLOW_EVERY_SECONDS) : FOLLOW_EVERY_SECONDS) * 1000));
  }
}

async function ended(status) {
  const { sessionId } = waiting;
  remember(null);
  if (status === 'COMPLETED') {
    completed = sessionId;
    turn('agent', 'You have consented.');
    await showGuest(sessionId).catch(() => turn('agent', 'I could not find out who you are.'));
  } else {
    turn('agent', ENDS[status] ?? ENDS.FAILED);
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
    offer(result.authorization_url);
    void follow();
  } else {
    failed(result);
  }
}

/** Calls a tool visibly: the call, and its result on arrival. */
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

/** The tool's advice to agents is shown with its result; the person sees only their own part. */
function failed(result) {
  turn('agent', typeof result.message === 'string' ? result.message : 'That did not work.');
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

/** Runs a button's work; an exception is shown like any problem. */
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
  keep(KEPT_UNDER, next === null ? null : JSON.stringify(next));
  showTime();
}

function recall() {
  try {
    const stored = JSON.parse(kept(KEPT_UNDER));
    return typeof stored.sessionId === 'string' && Number.isFinite(stored.expiresAt) ? stored : null;
  } catch {
    return null;
  }
}
