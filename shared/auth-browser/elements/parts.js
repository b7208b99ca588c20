/** The parts of the elements: nodes, fields, forms, and problems. No markup is ever parsed. */
import { solveChallenge } from '../proof-of-work.js';

let serial = 0;

/** An element with attributes (`on…` for listeners) and children. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A part of the account, under its heading. `id` names it for links and focus. */
export function section(voice, id, heading, ...content) {
  const title = make('h3', { id, tabindex: '-1' }, voice.say(heading));
  return make('section', { 'aria-labelledby': id, part: 'section' }, title, ...content);
}

/** How often a page solves a challenge for one request. */
const MOST_SOLUTIONS = 3;

const NAMES = {
  email: { type: 'email', autocomplete: 'username', inputmode: 'email', maxlength: 128 },
  code: { type: 'text', autocomplete: 'one-time-code', inputmode: 'numeric', maxlength: 24 },
  backupCode: { type: 'text', autocomplete: 'off', autocapitalize: 'characters', maxlength: 64 },
  password: { type: 'password', autocomplete: 'current-password', maxlength: 256 },
  newPassword: { type: 'password', autocomplete: 'new-password', maxlength: 256 },
  presentCode: { type: 'text', autocomplete: 'one-time-code', maxlength: 64 },
  name: { type: 'text', autocomplete: 'name', maxlength: 100 },
};

/**
 * A labelled field. Its error is announced, and has its room from the start, so that nothing moves.
 * `as` is the API's name for it, if that differs.
 */
export function field(voice, name, { label = `label.${name}`, value = '', hint, optional = false, as = [name] } = {}) {
  serial += 1;
  const id = `f${serial}`;
  const attributes = NAMES[name];
  const input = make('input', {
    id,
    name,
    part: `input ${name}`,
    ...attributes,
    required: !optional,
    spellcheck: 'false',
    'aria-describedby': `${id}-note`,
    dir: name === 'name' ? 'auto' : 'ltr',
  });
  input.value = value;
  const note = make('p', { id: `${id}-note`, part: 'note', class: 'note' }, hint ?? '');
  const wrong = (text) => {
    note.textContent = text === null ? (hint ?? '') : text;
    note.classList.toggle('wrong', text !== null);
    if (text === null) input.removeAttribute('aria-invalid');
    else input.setAttribute('aria-invalid', 'true');
  };
  input.addEventListener('input', () => wrong(null));
  const label_ = make('label', { for: id, part: 'label' }, voice.say(label));
  const box = attributes.type === 'password' ? passwordBox(voice, input) : input;
  return { name, as, input, wrong, optional, node: make('div', { class: 'field' }, label_, box, note) };
}

function passwordBox(voice, input) {
  const button = make('button', { type: 'button', class: 'eye', part: 'reveal', 'aria-pressed': 'false' }, '👁');
  const title = () => {
    const shown = input.type === 'text';
    button.setAttribute('aria-label', voice.say(shown ? 'hide' : 'show'));
    button.setAttribute('aria-pressed', String(shown));
  };
  button.addEventListener('click', () => {
    input.type = input.type === 'text' ? 'password' : 'text';
    title();
  });
  title();
  return make('div', { class: 'with-eye' }, input, button);
}

/** The problem found before the request is sent; null without one, and for a hidden field. */
export function missing({ name, input, optional, node }) {
  if (node.hidden) return null;
  const value = input.value;
  if (value.trim() === '') return optional ? null : 'field.required';
  if (name === 'email' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value.trim())) return 'field.email';
  if (name === 'code' && !isCode(digitsOf(value))) return 'field.code';
  if (name === 'newPassword' && [...value].length < 12) return 'field.too_short';
  return null;
}

/**
 * The digits of a code as people type and paste it: with spaces, dashes, and digits of full width.
 */
export function digitsOf(text) {
  return text.normalize('NFKC').replace(/[^\p{L}\p{N}]/gu, '');
}

/** Six to eight decimal digits, of any script. */
export const isCode = (digits) => /^\p{Nd}{6,8}$/u.test(digits);

export function valueOf({ name, input }) {
  if (name === 'code') return digitsOf(input.value);
  return name === 'email' || name === 'name' ? input.value.trim() : input.value;
}

/**
 * A form with one primary action, and `more` above it. It works once at a time, and says when it is
 * busy.
 */
export function form(voice, { fields, go, onSubmit, more = null, part = 'primary' }) {
  const label = make('span', {}, voice.say(go));
  const button = make('button', { type: 'submit', part, class: part }, label);
  const node = make('form', { novalidate: true, part: 'form' }, ...fields.map((each) => each.node), ...(more ? [more] : []), button);
  let said = go;
  let isBusy = false;
  let isClosed = false;
  // The button keeps its width and the focus; a press while it is off has no effect.
  const show = () => {
    node.toggleAttribute('data-busy', isBusy);
    button.setAttribute('aria-disabled', String(isBusy || isClosed));
    label.textContent = voice.say(isBusy ? 'busy' : said);
  };
  node.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (isOff(button)) return;
    const wrong = fields.map((each) => [each, missing(each)]).filter(([, key]) => key !== null);
    wrong.forEach(([each, key]) => each.wrong(voice.say(key)));
    if (wrong.length > 0) {
      wrong[0][0].input.focus();
      return;
    }
    isBusy = true;
    show();
    try {
      await onSubmit(Object.fromEntries(fields.map((each) => [each.name, valueOf(each)])));
    } finally {
      isBusy = false;
      show();
    }
  });
  /** Disables sending for good. */
  const close = (closed) => {
    if (closed === isClosed) return;
    isClosed = closed;
    show();
  };
  /** Names the action anew. */
  const name = (key) => {
    said = key;
    show();
  };
  return { node, close, name };
}

/** A button that is off keeps the focus, so it is never `disabled`. */
export const isOff = (button) => button.getAttribute('aria-disabled') === 'true';

/** A sentence for a problem; the fields that it names say the rest. */
export function sentence(voice, problem) {
  if (problem.code === 'INVALID_OTP' && Number.isInteger(problem.attemptsRemaining)) {
    const left = problem.attemptsRemaining;
    if (left > 1) return voice.say('problem.INVALID_OTP.left', { count: left });
    if (left === 0) return voice.say('problem.MAX_ATTEMPTS_EXCEEDED');
    if (left === 1) return voice.say('problem.INVALID_OTP.last');
  }
  const key = voice.has(`problem.${problem.code}`) ? `problem.${problem.code}` : 'problem';
  return voice.say(key, { time: voice.time(problem.retryAfterSeconds ?? 60) });
}

/** Marks the fields that a problem names; the first one takes the focus. */
export function markFields(voice, fields, problem) {
  const named = (problem.errors ?? [])
    .map((error) => [fields.find((each) => each.as.includes(error?.field)), error])
    .filter(([each]) => each !== undefined);
  for (const [each, { code }] of named) {
    const key = each.name === 'email' && code === 'invalid' ? 'field.email' : `field.${code}`;
    each.wrong(voice.say(voice.has(key) ? key : 'field'));
  }
  named[0]?.[0].input.focus();
  return named.length > 0;
}

/**
 * Calls an operation. If work can pay for its refusal, does the work and calls again: others may
 * have raised the price meanwhile, so it does so a few times. `onWork` is called when the work
 * begins (with a signal's controller), with its progress, and at its end (null).
 */
export async function withWork(call, onWork) {
  let solved = {};
  for (let left = MOST_SOLUTIONS; ; left -= 1) {
    try {
      return await call(solved);
    } catch (problem) {
      if (problem?.challenge === undefined || left === 0) throw problem;
      solved = { proofOfWork: await solution(problem, onWork) };
    }
  }
}

async function solution(problem, onWork) {
  const controller = new AbortController();
  onWork(0, controller);
  try {
    return await solveChallenge(problem.challenge, {
      signal: controller.signal,
      onProgress: (progress) => onWork(progress, controller),
    });
  } catch (error) {
    throw error instanceof TypeError || controller.signal.aborted ? problem : error;
  } finally {
    onWork(null, controller);
  }
}

/**
 * A QR code of the API's, drawn anew: its squares alone, so that no policy has to allow images or
 * markup.
 */
export function drawing(qrSvg, title) {
  const text = atob(qrSvg.slice(qrSvg.indexOf(',') + 1));
  const viewBox = /viewBox="([\d .]+)"/.exec(text)?.[1];
  const path = / d="([MmHhVvZzLl\d .,-]+)"/.exec(text)?.[1];
  if (viewBox === undefined || path === undefined) return null;
  const svg = (tag, attributes, ...children) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  return svg('svg', { viewBox, role: 'img', 'aria-label': title, class: 'qr' }, svg('path', { d: path, fill: '#000' }));
}
