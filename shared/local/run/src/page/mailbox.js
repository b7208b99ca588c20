// The local run's mailbox. Mail is written by others: its text is shown as text, its HTML not at
// all.
import { byId, make, say, setText, timeOfDay } from './dom.js';

/** Mail is in the box when the answer that sent it arrives; the rest is what others send. */
const POLL_MS = 2000;
const SHOWN = 30;

let shown = '';
let looking = null;
let known = null;
let onCode = () => {};

export function startMailbox(useCode) {
  onCode = useCode;
  lookForMail();
  setInterval(() => {
    if (!document.hidden) lookForMail();
  }, POLL_MS);
  byId('empty-mailbox').addEventListener('click', async () => {
    const response = await fetch('/_local/mailbox', { method: 'DELETE' }).catch(() => null);
    say(response?.ok ? 'The mailbox is empty.' : 'The mailbox could not be emptied.');
    await lookForMail();
  });
}

/** Not through the log: a look every two seconds would drown the requests that matter. */
export function lookForMail() {
  looking ??= look().finally(() => {
    looking = null;
  });
  return looking;
}

async function look() {
  let mails;
  try {
    const response = await fetch('/_local/mailbox', { cache: 'no-store' });
    if (!response.ok) throw new Error(`the mailbox answered ${response.status}`);
    mails = (await response.json()).filter(isMail).slice(0, SHOWN);
  } catch {
    setText(byId('mailbox-state'), 'The mailbox does not answer.');
    return;
  }
  setText(
    byId('mailbox-state'),
    mails.length === 0 ? 'No mail yet. Codes arrive here; a click on one fills it in.' : '',
  );
  announce(mails);
  const ids = JSON.stringify(mails.map(({ id }) => id));
  // Rebuilt only when something changed, and mails that stay keep their elements, so that focus and
  // open texts stay.
  if (ids === shown) return;
  shown = ids;
  const list = byId('mails');
  const kept = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const wanted = mails.map((mail) => kept.get(String(mail.id)) ?? item(mail));
  for (const [id, element] of kept) if (!wanted.includes(element)) kept.get(id).remove();
  wanted.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
}

function announce(mails) {
  const fresh = known === null ? [] : mails.filter(({ id }) => !known.has(id));
  known = new Set(mails.map(({ id }) => id));
  if (fresh.length > 0) say(`Mail for ${fresh[0].to}.`);
}

function item(mail) {
  const time = Date.parse(mail.sentAt);
  return make(
    'li',
    { class: 'mail', 'data-id': mail.id },
    make(
      'div',
      { class: 'mail-head' },
      make('span', { class: 'mail-to' }, mail.to),
      make('time', { class: 'muted mono', datetime: mail.sentAt }, Number.isNaN(time) ? '' : timeOfDay(time)),
    ),
    mail.code
      ? make(
          'button',
          {
            type: 'button',
            class: 'code-chip',
            'aria-label': `Use code ${[...mail.code].join(' ')}`,
            onclick: () => onCode(mail.code, mail.to),
          },
          make('span', { class: 'mono' }, mail.code),
          make('span', { class: 'hint' }, 'use'),
        )
      : null,
    make('details', {}, make('summary', {}, mail.subject), make('pre', { class: 'mail-text' }, mail.text)),
  );
}

function isMail(mail) {
  const texts = [mail?.to, mail?.subject, mail?.text, mail?.sentAt];
  const code = mail?.code ?? null;
  return (
    ['string', 'number'].includes(typeof mail?.id) &&
    texts.every((text) => typeof text === 'string') &&
    (code === null || typeof code === 'string')
  );
}
