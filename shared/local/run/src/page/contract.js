// The OpenAPI contract, rendered: each operation's input, answers and refusals, searched, and
// tried.
import { byId, copy, json, make, setText, showProblem } from './dom.js';
import { local } from './client.js';
import { tryOut } from './tryit.js';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];
/** Deep enough for every shape of the API, and an end for a schema that names itself. */
const MAX_DEPTH = 5;

let reading = null;
let rendered = false;
/** Each operation's article and entry in the index, with the words that a search finds it by. */
let found = [];

/** The contract as JSON, read once; null without an answer. */
export async function contractOnce() {
  reading ??= local('openapi.json');
  const contract = await reading;
  if (contract === null) reading = null;
  return contract;
}

/**
 * Shows the contract, and scrolls to the operation in the address bar's hash, if there is one. With
 * `focus`, the heading takes it.
 */
export async function showContract({ focus }) {
  const contract = await contractOnce();
  const problem = { title: 'The contract could not be read', detail: 'Is the local run still up?' };
  showProblem(byId('contract-problem'), contract === null ? problem : null);
  if (contract !== null && !rendered) {
    rendered = true;
    render(contract);
    byId('contract-search').addEventListener('input', search);
  }
  const target = location.hash.startsWith('#contract/') ? byId(location.hash.slice(1)) : null;
  if (target) {
    byId('contract-search').value = '';
    search();
    target.scrollIntoView();
    target.querySelector('h2').focus({ preventScroll: true });
  } else if (focus) {
    byId('contract-heading').focus();
  }
}

/** Every word must occur somewhere in the contract's text about an operation. */
function search() {
  const words = byId('contract-search').value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { article, entry, text } of found) {
    const fits = words.every((word) => text.includes(word));
    article.hidden = !fits;
    entry.hidden = !fits;
    if (fits) count += 1;
  }
  for (const group of byId('contract-index').children) group.hidden = [...group.querySelectorAll('li')].every((entry) => entry.hidden);
  const all = count === found.length;
  setText(byId('contract-found'), all ? `${count} operations` : count === 0 ? 'No operation says that.' : `${count} of ${found.length} operations`);
}

function render(contract) {
  const resolve = resolver(contract);
  const operations = Object.entries(contract.paths ?? {}).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => {
      const operation = item[method];
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
      return {
        ...operation,
        path,
        method: method.toUpperCase(),
        parameters,
        security: operation.security ?? contract.security ?? [],
      };
    }),
  );
  const info = contract.info ?? {};
  byId('contract-about').replaceChildren(
    make(
      'p',
      { class: 'muted' },
      `${info.title ?? 'API'} ${info.version ?? ''} · OpenAPI ${contract.openapi ?? ''} · `,
      make('a', { href: '/_local/openapi.json' }, 'as JSON'),
    ),
    make('details', { class: 'about' }, make('summary', {}, 'How the API speaks'), ...prose(info.description)),
  );
  byId('contract-index').replaceChildren(
    ...byTag(contract, operations).map(([tag, members]) =>
      make(
        'section',
        {},
        make('h2', {}, tag),
        make(
          'ul',
          {},
          members.map((operation) =>
            entryOf(operation),
          ),
        ),
      ),
    ),
  );
  byId('operations').replaceChildren(...operations.map((operation) => article(operation, resolve)));
  found = operations.map((operation) => ({
    article: byId(anchor(operation)),
    entry: byId(`entry/${operation.operationId}`),
    text: JSON.stringify([operation.operationId, operation.path, operation.summary, operation.description, operation.responses, operation.tags]).toLowerCase(),
  }));
  search();
}

const entryOf = ({ operationId }) =>
  make('li', { id: `entry/${operationId}` }, make('a', { href: `#contract/${operationId}` }, operationId));

function byTag(contract, operations) {
  const tags = new Map((contract.tags ?? []).map(({ name }) => [name, []]));
  for (const operation of operations) {
    const tag = operation.tags?.[0] ?? 'Other';
    tags.set(tag, [...(tags.get(tag) ?? []), operation]);
  }
  return [...tags].filter(([, members]) => members.length > 0);
}

const anchor = ({ operationId }) => `contract/${operationId}`;

function article(operation, resolve) {
  const id = anchor(operation);
  const request = resolve(operation.requestBody);
  const requestSchema = jsonContent(request)?.schema;
  const responses = Object.entries(operation.responses ?? {}).map(([status, response]) => [status, resolve(response)]);
  const good = responses.filter(([status]) => status < '400');
  const bad = responses.filter(([status]) => status >= '400');
  return make(
    'article',
    { class: 'card operation', id, 'aria-labelledby': `${id}-heading` },
    make(
      'h2',
      { id: `${id}-heading`, tabindex: -1 },
      make('span', { class: 'method' }, operation.method),
      ' ',
      make('span', { class: 'mono' }, operation.path),
    ),
    make('p', { class: 'summary' }, operation.summary ?? ''),
    make(
      'p',
      { class: 'tags' },
      make('span', { class: 'tag mono' }, operation.operationId),
      make('span', { class: 'tag' }, authentication(operation)),
      operation['x-latchkey']?.tool
        ? make(
            'span',
            { class: 'tag' },
            'agent tool ',
            make('span', { class: 'mono' }, operation['x-latchkey'].tool.name),
          )
        : null,
    ),
    ...prose(operation.description),
    curl(operation, request, resolve),
    tryOut(operation, firstExample(jsonContent(request), resolve)),
    operation.parameters.length > 0
      ? section('Parameters', fieldTable(operation.parameters.map((parameter) => parameterField(parameter, resolve))))
      : null,
    requestSchema
      ? section('Request', ...shapes(requestSchema, resolve), examples(jsonContent(request), resolve))
      : null,
    ...good.map(([status, response]) => {
      const content = jsonContent(response);
      return section(
        `Answer ${status}`,
        make('p', {}, response.description ?? ''),
        ...(content?.schema ? shapes(content.schema, resolve) : []),
        content ? examples(content, resolve) : null,
      );
    }),
    bad.length > 0 ? errors(bad, resolve) : null,
    agentTool(operation['x-latchkey']?.tool, resolve),
    grants(operation['x-latchkey']?.grants),
  );
}

function section(title, ...children) {
  return make('section', {}, make('h3', {}, title), ...children.filter(Boolean));
}

function authentication({ security }) {
  if (security.length === 0) return 'public';
  return security
    .map(
      (either) =>
        Object.entries(either)
          .map(([scheme, scopes]) => [scheme, ...scopes].join(' '))
          .join(' and ') || 'public',
    )
    .join(' or ');
}

function curl(operation, request, resolve) {
  const parts = [`curl -X ${operation.method} ${quote(location.origin + operation.path)}`];
  if (operation.security.some((either) => 'cognitoJwt' in either))
    parts.push('-H "Authorization: Bearer $ACCESS_TOKEN"');
  if (operation.security.some((either) => 'iam' in either))
    parts.push('--aws-sigv4 aws:amz:eu-west-1:execute-api', '--user LOCAL:local');
  const example = firstExample(jsonContent(request), resolve);
  if (example !== undefined) parts.push("-H 'Content-Type: application/json'", `-d ${quote(JSON.stringify(example))}`);
  return make(
    'div',
    { class: 'curl' },
    json(parts.join(' \\\n  '), `${operation.operationId} with curl`),
    make(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'aria-label': `Copy the curl line of ${operation.operationId}`,
        onclick: () => copy(parts.join(' '), 'The curl line'),
      },
      'Copy',
    ),
  );
}

/** For a POSIX shell. */
const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** One table, or one for each alternative. */
function shapes(schema, resolve) {
  const flat = flatten(schema, resolve);
  const alternatives = flat.oneOf ?? flat.anyOf;
  if (!alternatives) return [fieldTable(fields(flat, resolve))];
  return alternatives.flatMap((alternative, index) => {
    const whole = flatten({ allOf: [{ ...flat, oneOf: undefined, anyOf: undefined }, alternative] }, resolve);
    return [
      make('p', { class: 'muted' }, whole.title ?? (index === 0 ? 'Either' : 'or')),
      fieldTable(fields(whole, resolve)),
    ];
  });
}

function fieldTable(rows) {
  if (rows.length === 0) return make('p', { class: 'muted' }, 'No fields.');
  return make(
    'div',
    { class: 'scroll' },
    make(
      'table',
      { class: 'fields' },
      make(
        'thead',
        {},
        make('tr', {}, ...['Field', 'Type', 'Meaning'].map((title) => make('th', { scope: 'col' }, title))),
      ),
      make(
        'tbody',
        {},
        rows.map(({ name, required, type, limits, description }) =>
          make(
            'tr',
            {},
            make(
              'th',
              { scope: 'row', class: 'mono' },
              name,
              required ? null : make('span', { class: 'muted' }, ' optional'),
            ),
            make('td', { class: 'mono' }, type),
            make(
              'td',
              {},
              ...inline(description),
              limits ? make('span', { class: 'muted' }, `${description ? ' ' : ''}${limits}`) : null,
            ),
          ),
        ),
      ),
    ),
  );
}

function fields(schema, resolve, prefix = '', depth = 0) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const flat = flatten(property, resolve);
    const field = {
      name: prefix + name,
      required: required.has(name),
      type: typeName(flat, resolve),
      limits: limits(flat),
      description: flat.description ?? '',
    };
    const inner = flat.type === 'array' ? flatten(flat.items ?? {}, resolve) : flat;
    const suffix = flat.type === 'array' ? '[].' : '.';
    return depth < MAX_DEPTH && inner.properties
      ? [field, ...fields(inner, resolve, `${prefix}${name}${suffix}`, depth + 1)]
      : [field];
  });
}

function parameterField(parameter, resolve) {
  const schema = flatten(parameter.schema ?? {}, resolve);
  return {
    name: parameter.name,
    required: parameter.required === true,
    type: `${typeName(schema, resolve)} in ${parameter.in}`,
    limits: limits(schema),
    description: parameter.description ?? schema.description ?? '',
  };
}

function typeName(schema, resolve) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives)
    return alternatives.map((alternative) => typeName(flatten(alternative, resolve), resolve)).join(' | ');
  if (schema.type === 'array') return `array of ${typeName(flatten(schema.items ?? {}, resolve), resolve)}`;
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? 'any');
  return schema.format ? `${type} (${schema.format})` : type;
}

function limits(schema) {
  const range = (from, to, unit) => {
    if (from === undefined && to === undefined) return null;
    if (to === undefined) return `at least ${from}${unit}`;
    return from === undefined ? `at most ${to}${unit}` : `${from} to ${to}${unit}`;
  };
  const found = [
    range(schema.minLength, schema.maxLength, ' characters'),
    range(schema.minimum, schema.maximum, ''),
    range(schema.minItems, schema.maxItems, ' items'),
    schema.pattern && `matches ${schema.pattern}`,
    schema.default === undefined ? null : `default ${JSON.stringify(schema.default)}`,
  ].filter(Boolean);
  return found.length > 0 ? `(${found.join('; ')})` : '';
}

/** Folded: each operation has a dozen, and they are looked up one at a time. */
function errors(responses, resolve) {
  const rows = responses.flatMap(([status, response]) =>
    errorsOf(response, resolve).map((error) => ({ status, ...error })),
  );
  return make(
    'details',
    {},
    make('summary', {}, `Errors (${rows.length})`),
    make(
      'table',
      { class: 'fields errors' },
      make(
        'thead',
        {},
        make('tr', {}, ...['Status', 'Code', 'When'].map((title) => make('th', { scope: 'col' }, title))),
      ),
      make(
        'tbody',
        {},
        rows.map(({ status, code, when, example }) =>
          make(
            'tr',
            {},
            make('th', { scope: 'row', class: 'mono' }, status),
            make('td', { class: 'mono' }, code),
            make('td', {}, when, example ? make('details', {}, make('summary', {}, 'Example'), json(example, `Example of ${code}`)) : null),
          ),
        ),
      ),
    ),
  );
}

/** The possible answers, by the examples; codes without an example come from the schemas. */
function errorsOf(response, resolve) {
  const found = Object.entries(response.content ?? {}).flatMap(([type, content]) => {
    const shown = Object.values(content.examples ?? {})
      .map(resolve)
      .map(({ summary, value }) => ({
        code: value?.code ?? (type === 'application/json' ? 'from the gateway' : ''),
        when: summary ?? value?.title ?? value?.message ?? response.description ?? '',
        example: value,
      }));
    const codes = codesOf(content.schema, resolve).filter((code) => !shown.some((error) => error.code === code));
    return [...shown, ...codes.map((code) => ({ code, when: response.description ?? '' }))];
  });
  return found.length > 0 ? found : [{ code: '', when: response.description ?? '' }];
}

function codesOf(schema, resolve) {
  const flat = flatten(schema ?? {}, resolve);
  const code = flatten(flat.properties?.code ?? {}, resolve);
  const own = code.const !== undefined ? [code.const] : (code.enum ?? []);
  return [...own, ...(flat.oneOf ?? flat.anyOf ?? []).flatMap((alternative) => codesOf(alternative, resolve))];
}

function agentTool(tool, resolve) {
  if (!tool) return null;
  return section(
    'Agent tool',
    make('p', {}, make('span', { class: 'mono' }, tool.name ?? ''), tool.description ? `: ${tool.description}` : ''),
    tool.inputSchema ? fieldTable(fields(flatten(tool.inputSchema, resolve), resolve)) : null,
  );
}

function grants(names) {
  if (!Array.isArray(names) || names.length === 0) return null;
  return make(
    'details',
    {},
    make('summary', {}, 'What it may do in AWS'),
    make(
      'ul',
      { class: 'mono' },
      names.map((name) => make('li', {}, name)),
    ),
  );
}

function examples(content, resolve) {
  const all = Object.values(content?.examples ?? {}).map(resolve);
  if (content?.example !== undefined) all.push({ summary: 'Example', value: content.example });
  if (all.length === 0) return null;
  return make(
    'div',
    {},
    all.map(({ summary, value }) =>
      make('details', {}, make('summary', {}, summary ? `Example: ${summary}` : 'Example'), json(value, summary ?? 'Example')),
    ),
  );
}

function firstExample(content, resolve) {
  if (!content) return undefined;
  return content.example ?? Object.values(content.examples ?? {}).map(resolve)[0]?.value;
}

function jsonContent(message) {
  const content = message?.content ?? {};
  return content['application/json'] ?? Object.values(content)[0];
}

/** References within the document; members beside a `$ref` are kept, as OpenAPI 3.1 has it. */
function resolver(contract) {
  return function resolve(value, depth = 0) {
    if (typeof value?.$ref !== 'string' || !value.$ref.startsWith('#/') || depth > 10) return value;
    const { $ref, ...beside } = value;
    const steps = $ref
      .slice(2)
      .split('/')
      .map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'));
    const target = steps.reduce(
      (node, step) => (node !== null && typeof node === 'object' && Object.hasOwn(node, step) ? node[step] : undefined),
      contract,
    );
    return { ...resolve(target, depth + 1), ...beside };
  };
}

/** One schema out of a reference and all of its `allOf`. */
function flatten(schema, resolve, depth = 0) {
  const { allOf = [], ...own } = resolve(schema) ?? {};
  if (depth > MAX_DEPTH) return own;
  return allOf
    .map((part) => flatten(part, resolve, depth + 1))
    .concat(own)
    .reduce((whole, part) => {
      const properties = { ...whole.properties };
      for (const [name, property] of Object.entries(part.properties ?? {})) {
        properties[name] = properties[name] ? { allOf: [properties[name], property] } : property;
      }
      const defined = Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined));
      return {
        ...whole,
        ...defined,
        ...(whole.properties || part.properties ? { properties } : {}),
        ...(whole.required || part.required ? { required: [...(whole.required ?? []), ...(part.required ?? [])] } : {}),
      };
    }, {});
}

/** Paragraphs with `code` and **strong** words: as much of Markdown as the contract uses. */
function prose(text) {
  if (typeof text !== 'string') return [];
  return text
    .split(/\n\s*\n/)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => make('p', {}, ...inline(paragraph.trim())));
}

function inline(text) {
  return String(text ?? '')
    .split(/(`[^`]+`|\*\*[^*]+\*\*)/)
    .filter((part) => part !== '')
    .map((part) => {
      if (part.startsWith('`') && part.length > 2) return make('code', {}, part.slice(1, -1));
      if (part.startsWith('**') && part.length > 4) return make('strong', {}, part.slice(2, -2));
      return part;
    });
}
