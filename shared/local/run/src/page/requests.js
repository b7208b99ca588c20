// Every request that the local run answered, from any sender, newest first. A row opens: the
// request, the answer, and its AWS calls.
import { byId, json, make, setText, timeOfDay } from './dom.js';
import { local } from './client.js';
import { costOfCall, costOfRequest, perMillion, readPrices } from './cost.js';

const POLL_MS = 1000;
/** More than a sign-in with all its detours makes; enough to scroll through. */
const KEPT = 100;

const DOORS = { http: null, tool: 'tool', direct: 'invoked' };

let last = 0;
let looking = null;

export function startRequests() {
  lookForRequests();
  setInterval(() => {
    if (!document.hidden) lookForRequests();
  }, POLL_MS);
  byId('clear-requests').addEventListener('click', () => {
    byId('requests').replaceChildren();
    showEmpty();
  });
}

export function lookForRequests() {
  looking ??= look().finally(() => {
    looking = null;
  });
  return looking;
}

async function look() {
  const fresh = await local(`requests?since=${last}`);
  if (fresh === null) {
    setText(byId('requests-state'), 'The local run does not answer.');
    return;
  }
  const list = byId('requests');
  for (const line of fresh) {
    last = Math.max(last, line.id);
    list.prepend(row(line));
  }
  while (list.children.length > KEPT) list.lastElementChild.remove();
  showEmpty();
}

function showEmpty() {
  const isEmpty = byId('requests').children.length === 0;
  setText(byId('requests-state'), isEmpty ? 'No request yet. Sign in, or use the API with curl: each request shows up here, and opens.' : '');
}

function row(line) {
  const failed = line.code !== null || (line.status ?? 0) >= 400;
  const door = DOORS[line.door];
  const result = [line.status, line.code].filter((part) => part !== null).join(' ') || 'done';
  const details = make(
    'details',
    {},
    make(
      'summary',
      {},
      make('span', { class: 'mono muted' }, timeOfDay(Date.parse(line.at))),
      make('span', { class: 'mono what' }, line.asked, door && make('span', { class: 'tag' }, door)),
      make('span', { class: failed ? 'mono bad' : 'mono good' }, result),
      make('span', { class: 'mono muted number' }, `${Math.round(line.ms)} ms`),
    ),
  );
  details.addEventListener('toggle', () => open(details, line.id), { once: true });
  return make('li', {}, details);
}

async function open(details, id) {
  const body = make('div', { class: 'opened' }, make('p', { class: 'muted' }, 'Reading…'));
  details.append(body);
  const [opened, prices] = await Promise.all([local(`requests/${id}`), readPrices()]);
  if (opened === null) {
    body.replaceChildren(make('p', {}, 'The local run has forgotten this request.'));
    return;
  }
  body.replaceChildren(
    ...[
      opened.operationId &&
        make('p', {}, make('a', { href: `#contract/${opened.operationId}` }, `${opened.operationId} in the contract`)),
      side('Asked', opened.request, id),
      side('Answered', opened.answer, id),
      calls(opened, prices),
      logs(opened, id),
    ].filter(Boolean),
  );
}

function side(title, { headers, body }, id) {
  const lines = Object.entries(headers).flatMap(([name, values]) => values.map((value) => `${name}: ${value}`));
  return make(
    'section',
    {},
    make('h3', {}, title),
    lines.length > 0 &&
      make('details', {}, make('summary', {}, 'Headers'), json(lines.join('\n'), `${title}: headers, request ${id}`)),
    body === null ? make('p', { class: 'muted' }, 'No body.') : json(body, `${title}, request ${id}`),
  );
}

/** The order of the waits: each call's bar begins at its start. */
function calls(opened, prices) {
  if (opened.calls.length === 0) return make('section', {}, make('h3', {}, 'AWS calls'), make('p', { class: 'muted' }, 'None.'));
  const began = Date.parse(opened.at);
  const ends = opened.calls.map((call) => Date.parse(call.at) - began + call.ms);
  const whole = Math.max(opened.ms, ...ends);
  const rows = opened.calls.map((call) => {
    const [, resource = ''] = /(?:^|[/:])([^/:]*)$/.exec(call.resource) ?? [];
    const cost = prices === null ? '' : costOfCall(call, prices) === 0 ? '' : perMillion(costOfCall(call, prices));
    return make(
      'tr',
      {},
      make('th', { scope: 'row', class: 'mono' }, call.action, make('span', { class: 'muted' }, ` ${call.service}${resource && ` ${resource}`}`)),
      make('td', {}, bar(Date.parse(call.at) - began, call.ms, whole)),
      make('td', { class: call.status === 200 ? 'mono number' : 'mono number bad' }, `${call.ms.toFixed(1)} ms${call.status === 200 ? '' : ` ${call.status ?? 'lost'}`}`),
      make('td', { class: 'number muted' }, cost),
    );
  });
  const heads = ['Call', 'When', 'Took', 'Would cost'].map((title) => make('th', { scope: 'col' }, title));
  const sum = prices === null ? null : `All of it, with the function’s time and the API: ${perMillion(costOfRequest(opened, prices))} such requests, at list prices (${prices.prices.region}).`;
  return make(
    'section',
    {},
    make('h3', {}, opened.calls.length === 1 ? '1 AWS call' : `${opened.calls.length} AWS calls`),
    make('table', { class: 'calls' }, make('thead', {}, make('tr', {}, ...heads)), make('tbody', {}, rows)),
    sum && make('p', { class: 'hint' }, sum),
  );
}

/** Drawn, since the document may contain no style. */
function bar(from, ms, whole) {
  const svg = (tag, attributes, ...children) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const x = Math.max(0, (from / whole) * 100);
  const width = Math.max(1, Math.min((ms / whole) * 100, 100 - x));
  return svg(
    'svg',
    { viewBox: '0 0 100 8', preserveAspectRatio: 'none', class: 'bar-chart', 'aria-hidden': 'true', focusable: 'false' },
    svg('rect', { x: 0, y: 3, width: 100, height: 2, class: 'track' }),
    svg('rect', { x, y: 1, width, height: 6, class: 'call' }),
  );
}

function logs({ logs: lines }, id) {
  if (lines.length === 0) return null;
  return make(
    'details',
    {},
    make('summary', {}, lines.length === 1 ? '1 log line' : `${lines.length} log lines`),
    json(lines.map((line) => JSON.stringify(line)).join('\n'), `Log lines of request ${id}`),
  );
}
