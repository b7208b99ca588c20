// Small helpers for the document. Text only ever becomes text: no code on this page parses markup.

export const byId = (id) => document.getElementById(id);

/**
 * An element with attributes as they are written (`on…` for listeners) and children, strings as
 * text.
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets the text only when it differs, so that a screen reader hears of changes alone. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let statusTimer;

/**
 * Announces a message that needs no answer, to eyes and ears. It is in the header and covers
 * nothing.
 */
export function say(message) {
  const status = byId('status');
  status.textContent = message;
  clearTimeout(statusTimer);
  statusTimer = setTimeout(() => {
    status.textContent = '';
  }, 8000);
}

/**
 * Runs the work of a button once at a time. The button keeps the focus and says that it is busy; a
 * disabled one would lose the focus to nowhere.
 */
export async function whileBusy(button, work) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  button.setAttribute('aria-busy', 'true');
  try {
    await work();
  } finally {
    button.removeAttribute('aria-disabled');
    button.removeAttribute('aria-busy');
  }
}

/** Shows a problem in a live region, or clears it when there is none. */
export function showProblem(region, problem) {
  region.replaceChildren();
  if (!problem) return;
  region.append(make('strong', {}, problem.title));
  if (problem.detail) region.append(make('p', {}, problem.detail));
}

/** Shows a field's problem beside it, until it is edited. */
export function showFieldError(input, message) {
  setText(byId(`${input.id}-error`), message ?? '');
  if (message) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

/** `4:59`, `1:00:00`. */
export function countdown(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  const hours = Math.floor(seconds / 3600);
  const pad = (number) => String(number).padStart(2, '0');
  return hours > 0 ? [hours, ...parts.map(pad)].join(':') : `${parts[0]}:${pad(parts[1])}`;
}

/** In UTC, as are the clock and the tokens' claims. */
export const timeOfDay = (milliseconds) => new Date(milliseconds).toISOString().slice(11, 19);

/** A button that copies the result of `text` when it is pressed. */
export function copyButton(what, text) {
  return make('button', { type: 'button', class: 'quiet', 'aria-label': `Copy ${what}`, onclick: () => copy(text(), what) }, 'Copy');
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied: ${what}.`);
  } catch {
    say('This browser does not let the page copy. Select the text instead.');
  }
}

/** JSON as people read it. A reader may scroll it by keyboard. */
export function json(value, label) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return make('pre', { tabindex: 0, role: 'group', 'aria-label': label }, text);
}
