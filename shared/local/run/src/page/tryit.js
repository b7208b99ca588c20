// *Try it*: one request of an operation, from the contract's own example, and its answer.
import { json, make, setText, whileBusy } from './dom.js';
import { jsonRequest, latchkey, problemOf } from './client.js';

/** The form of an operation. Its parts are made when it is opened first. */
export function tryOut(operation, example) {
  const details = make('details', { class: 'try' }, make('summary', {}, 'Try it'));
  details.addEventListener('toggle', () => details.append(form(operation, example)), { once: true });
  return details;
}

function form(operation, example) {
  if (operation.security.some((either) => 'iam' in either)) {
    return make('p', {}, 'Agents and operators sign this request for IAM, and a page has no key to sign with: use the curl line above.');
  }
  const id = (name) => `try-${operation.operationId}-${name}`;
  const parameters = operation.parameters.filter(({ in: place }) => place === 'path' || place === 'query');
  const inputs = parameters.map((parameter) => {
    const input = make('input', { id: id(parameter.name), name: parameter.name, required: parameter.in === 'path', spellcheck: 'false', autocomplete: 'off' });
    const optional = parameter.required === true ? '' : ' (optional)';
    return { parameter, input, node: make('div', { class: 'field' }, make('label', { for: input.id }, `${parameter.name}${optional}`), input) };
  });
  const body = example === undefined ? null : make('textarea', { id: id('body'), rows: 8, spellcheck: 'false', class: 'mono' });
  if (body) body.value = JSON.stringify(example, null, 2);
  const said = make('p', { role: 'status' });
  const answer = make('div');
  const button = make('button', { type: 'submit', class: 'primary' }, 'Send');
  const node = make(
    'form',
    {},
    ...inputs.map((each) => each.node),
    body && make('div', { class: 'field' }, make('label', { for: body.id }, 'Body'), body),
    make('div', { class: 'actions' }, button),
    said,
    answer,
  );
  node.addEventListener('submit', (event) => {
    event.preventDefault();
    whileBusy(button, async () => {
      answer.replaceChildren();
      try {
        if (body) JSON.parse(body.value);
      } catch {
        setText(said, 'The body is no JSON.');
        body.focus();
        return;
      }
      setText(said, 'On its way…');
      try {
        const response = await send(operation, inputs, body?.value);
        const text = await response.text();
        setText(said, `Answered ${response.status}.`);
        answer.replaceChildren(...shown(operation, text));
      } catch (error) {
        setText(said, problemOf(error).title);
      }
    });
  });
  return node;
}

function send(operation, inputs, body) {
  let { path } = operation;
  const query = new URLSearchParams();
  for (const { parameter, input } of inputs) {
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value !== '') query.append(parameter.name, input.value);
  }
  if (query.size > 0) path += `?${query}`;
  const init = body === undefined ? { method: operation.method } : { ...jsonRequest(operation.method, null), body };
  const withToken = operation.security.some((either) => 'cognitoJwt' in either);
  // If a token is optional, it is sent if there is one.
  const optional = operation.security.some((either) => Object.keys(either).length === 0);
  if (withToken && !(optional && latchkey.loadSession() === null)) return latchkey.authFetch(path, init);
  return fetch(path, init);
}

function shown(operation, text) {
  if (text === '') return [];
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return [json(text, `Answer of ${operation.operationId}`)];
  }
  const signedIn = typeof value?.accessToken === 'string' && value.user !== undefined;
  const use = make('button', { type: 'button', onclick: () => latchkey.storeSession(value) }, 'Sign in on this page with it');
  return [json(value, `Answer of ${operation.operationId}`), ...(signedIn ? [make('div', { class: 'actions' }, use)] : [])];
}
