// The requests that this page made, newest first.
import { byId, make, timeOfDay } from './dom.js';
import { onRequest } from './api.js';

/** More than a sign-in with all its detours makes; enough to scroll through. */
const KEPT = 100;

export function startLog() {
  const rows = byId('log');
  const empty = rows.firstElementChild;
  onRequest((entry) => {
    empty.remove();
    rows.prepend(row(entry));
    while (rows.children.length > KEPT) rows.lastElementChild.remove();
  });
  byId('clear-log').addEventListener('click', () => rows.replaceChildren(empty));
}

function row({ at, method, path, status, code, ms }) {
  const good = status !== null && status < 400;
  return make(
    'tr',
    {},
    make('td', { class: 'mono muted' }, timeOfDay(at)),
    make('td', { class: 'mono' }, make('span', { class: 'method' }, method), ' ', path),
    make('td', { class: good ? 'mono' : 'mono bad' }, [status ?? 'failed', code].filter(Boolean).join(' ')),
    make('td', { class: 'mono number' }, String(ms)),
  );
}
