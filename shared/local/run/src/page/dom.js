// Small hands for the document. Text only ever becomes text: nothing here, or on this page, parses
// markup.

export const byId = (id) => document.getElementById(id);

/** An element with properties (`class`, `aria-…` and other attributes as they are written) and children, strings as text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets the text only when it differs, so that a screen reader is not told the same thing every second. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let statusTimer;

/** Says something that needs no answer, to eyes and ears. */
export function say(message) {
  const status = byId('status');
  status.textContent = message;
  clearTimeout(statusTimer);
  statusTimer = setTimeout(() => {
    status.textContent = '';
  }, 6000);
}

/**
 * Runs the work of a button once at a time. The button keeps the focus and says that it is busy; a disabled
 * one would lose the focus to nowhere.
 */
export async function whileBusy(button, work) {
  if (isOff(button)) return;
  button.setAttribute('aria-disabled', 'true');
  button.setAttribute('aria-busy', 'true');
  try {
    await work();
  } finally {
    button.removeAttribute('aria-disabled');
    button.removeAttribute('aria-busy');
  }
}

export const isOff = (button) => button.getAttribute('aria-disabled') === 'true';

/** Shows a problem in a live region, or clears it when there is none. */
export function showProblem(region, problem) {
  region.replaceChildren();
  if (!problem) return;
  region.append(make('strong', {}, problem.title));
  if (problem.detail) region.append(make('p', {}, problem.detail));
  if (problem.errors?.length > 0) {
    region.append(
      make(
        'ul',
        {},
        problem.errors.map(({ field, message }) => make('li', {}, field ? `${field}: ${message}` : message)),
      ),
    );
  }
  if (problem.retryAfterSeconds) region.append(make('p', {}, `Try again in ${inWords(problem.retryAfterSeconds)}.`));
  if (problem.requestId)
    region.append(make('p', { class: 'hint mono' }, `${problem.code ?? problem.status} · ${problem.requestId}`));
}

/** Shows in a problem's place that the browser works, so that nobody has to wait. Returns what hears of the progress, from 0 to 1. */
export function showWork(region) {
  const bar = make('progress', { max: 1, value: 0, 'aria-label': 'This browser is at work' });
  const words = make('p', {}, 'Many have tried this address lately. This browser shows that it is not one of them: a few seconds.');
  return (progress) => {
    if (!bar.isConnected) region.replaceChildren(make('strong', {}, 'One moment'), words, bar);
    bar.value = progress;
  };
}

/** Shows what is wrong with a field beside it, until it is edited. */
export function showFieldError(input, message) {
  setText(byId(`${input.id}-error`), message ?? '');
  if (message) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

export function forgiveOnInput(input) {
  input.addEventListener('input', () => showFieldError(input, null));
}

/** `4:59`, `1:00:00`. */
export function countdown(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  const hours = Math.floor(seconds / 3600);
  const pad = (number) => String(number).padStart(2, '0');
  return hours > 0 ? [hours, ...parts.map(pad)].join(':') : `${parts[0]}:${pad(parts[1])}`;
}

export function inWords(seconds) {
  if (seconds < 120) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}

/** In UTC, as are the clock and the tokens' claims. */
export const timeOfDay = (milliseconds) => new Date(milliseconds).toISOString().slice(11, 19);

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied.`);
  } catch {
    say('This browser does not let the page copy. Select the text instead.');
  }
}
