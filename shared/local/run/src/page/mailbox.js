// The local run's mailbox. Mail is written by others: its HTML is shown in a frame without scripts
// and without requests, its text as text.
import { byId, make, say, setText, timeOfDay } from './dom.js';

/**
 * A mail is in the box when the answer that sent it arrives; the others come from other senders.
 */
const POLL_MS = 1500;
const SHOWN = 30;

/** The opened mails, and those whose code was used. */
const read = new Set();
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
  byId('every-mail').addEventListener('click', showWordedMails);
}

/** Every mail in every language, as it is worded now; a second press puts them away. */
async function showWordedMails() {
  const list = byId('worded-mails');
  if (list.hidden) {
    const response = await fetch('/_local/worded-mails', { cache: 'no-store' }).catch(() => null);
    if (!response?.ok) {
      say('The mails could not be shown.');
      return;
    }
    list.replaceChildren(...(await response.json()).map(wordedItem));
  }
  list.hidden = !list.hidden;
  byId('every-mail').setAttribute('aria-expanded', String(!list.hidden));
}

function wordedItem(mail) {
  const details = make(
    'details',
    {},
    make(
      'summary',
      {},
      make('span', { class: 'mail-subject', lang: mail.language }, mail.subject),
      make('span', { class: 'mail-to muted' }, `${mail.about}, ${mail.language}`),
    ),
  );
  const show = () => details.append(content(mail, `/_local/worded-mails/${mail.id}/html`));
  details.addEventListener('toggle', show, { once: true });
  return make('li', { class: 'mail' }, details);
}

export function lookForMail() {
  looking ??= look().finally(() => {
    looking = null;
  });
  return looking;
}

/** To the newest mail, or to the mailbox without one. */
export function goToMail() {
  (byId('mails').querySelector('summary') ?? byId('mailbox-heading')).focus();
}

async function look() {
  let mails;
  try {
    const response = await fetch('/_local/mailbox', { cache: 'no-store' });
    if (!response.ok) throw new Error(`the mailbox answered ${response.status}`);
    mails = (await response.json()).filter(isMail).slice(0, SHOWN);
  } catch {
    setText(byId('mailbox-state'), 'The mailbox does not answer. Is the local run still up?');
    return;
  }
  setText(
    byId('mailbox-state'),
    mails.length === 0 ? 'No mail yet. Every mail that Latchkey sends arrives here, to whatever address. A press on a code fills it in.' : '',
  );
  announce(mails);
  const ids = JSON.stringify(mails.map(({ id }) => id));
  // Mails that stay keep their elements, so that focus and open mails stay.
  if (ids !== shown) {
    shown = ids;
    const list = byId('mails');
    const kept = new Map([...list.children].map((item) => [item.dataset.id, item]));
    const wanted = mails.map((mail) => kept.get(String(mail.id)) ?? item(mail));
    for (const element of kept.values()) if (!wanted.includes(element)) element.remove();
    wanted.forEach((element, index) => {
      if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
    });
  }
  count();
}

function announce(mails) {
  const fresh = known === null ? [] : mails.filter(({ id }) => !known.has(id));
  // Mails from before the page opened are no news.
  if (known === null) for (const { id } of mails) read.add(id);
  known = new Set(mails.map(({ id }) => id));
  if (fresh.length > 0) say(`Mail for ${fresh[0].to}.`);
}

function count() {
  const unread = [...(known ?? [])].filter((id) => !read.has(id)).length;
  setText(byId('unread'), unread === 0 ? '' : `${unread} unread`);
  for (const element of byId('mails').children) {
    element.classList.toggle('unread', !read.has(Number(element.dataset.id)));
  }
}

function markRead(id) {
  read.add(id);
  count();
}

function item(mail) {
  const time = Date.parse(mail.sentAt);
  const details = make(
    'details',
    {},
    make(
      'summary',
      {},
      make('span', { class: 'mail-subject' }, mail.subject),
      make('span', { class: 'mail-to muted' }, mail.to),
      make('time', { class: 'muted mono', datetime: mail.sentAt }, Number.isNaN(time) ? '' : timeOfDay(time)),
    ),
  );
  details.addEventListener('toggle', () => markRead(mail.id), { once: true });
  details.addEventListener('toggle', () => details.append(content(mail, `/_local/mailbox/${mail.id}/html`)), { once: true });
  return make('li', { class: 'mail', 'data-id': mail.id }, details, mail.code ? codeChip(mail) : null);
}

function codeChip(mail) {
  const use = () => {
    markRead(mail.id);
    onCode(mail.code, mail.to);
  };
  return make(
    'button',
    { type: 'button', class: 'code-chip', onclick: use },
    make('span', { class: 'unseen' }, `Use the code for ${mail.to}: `),
    make('span', { class: 'mono' }, mail.code),
    make('span', { class: 'hint', 'aria-hidden': 'true' }, 'use'),
  );
}

/** The HTML as a mail program shows it, and the text, one at a time. */
function content(mail, address) {
  const text = make('pre', { class: 'mail-text' }, mail.text);
  if (mail.html === '') return text;
  const frame = make('iframe', { src: address, sandbox: '', title: `Mail: ${mail.subject}` });
  text.hidden = true;
  const button = make('button', { type: 'button', class: 'quiet' }, 'Show as text');
  button.addEventListener('click', () => {
    text.hidden = !text.hidden;
    frame.hidden = !text.hidden;
    button.textContent = text.hidden ? 'Show as text' : 'Show as HTML';
  });
  return make('div', { class: 'mail-content' }, frame, text, make('div', { class: 'actions' }, button));
}

function isMail(mail) {
  const texts = [mail?.to, mail?.subject, mail?.text, mail?.html, mail?.sentAt];
  const code = mail?.code ?? null;
  return (
    Number.isInteger(mail?.id) &&
    texts.every((text) => typeof text === 'string') &&
    (code === null || typeof code === 'string')
  );
}
