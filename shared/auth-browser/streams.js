/**
 * Finds a sign-in in an agent's stream, and sends the guest's token to an agent. No dependencies.
 *
 * An agent's stream contains text that strangers may have written: documents, web pages, the
 * model's own words. Text that looks like a sign-in must not sign a person in as another one. So
 * only one thing counts: the result of the tool `verify_cognito_otp`, found by the id of its call,
 * in the stream's own structure and never in its text.
 */
import { LatchkeyError, attempt, isRecord, isTokenDeliveryEvent, own } from './keeper.js';

const TOOL = 'verify_cognito_otp';

/** AgentCore Gateway puts the target's name in front. */
const PREFIX = '___';

/** A longer event is skipped: token delivery events have some 10,000 characters. */
const MAX_EVENT_LENGTH = 1_048_576;

/** Calls whose names are kept at a time; a conversation's turn has a handful. */
const MAX_CALLS = 1_000;

/**
 * The next token delivery event of a stream, or null when it ends without one. Reads AgentCore
 * Runtime's server-sent events, Strands' events, AG-UI, Vercel's UI message streams and MCP
 * results. See the declarations for the options.
 */
export async function tokenDeliveryFrom(source, options = {}) {
  for await (const event of tokenDeliveries(source, options)) return event;
  return null;
}

/** Every token delivery event of a stream, in its order. */
export async function* tokenDeliveries(source, { email, tool = TOOL, calls = {}, quoted = false } = {}) {
  const names = new Map(Object.entries(calls));
  for await (const message of messagesOf(source, quoted)) {
    for (const [callId, name] of callsIn(message)) remember(names, callId, name);
    for (const [callId, output] of resultsIn(message)) {
      const name = names.get(String(callId));
      if (name !== tool && !name?.endsWith(PREFIX + tool)) continue;
      const event = candidatesIn(output).find(isTokenDeliveryEvent);
      if (event && (email === undefined || sameAddress(event.email, email))) yield event;
    }
  }
}

/**
 * A `fetch` for one agent: it adds the guest's token to requests, and stores the session in the
 * answer's stream. Any address but the agent's own endpoint is refused, so the token reaches no
 * other server.
 */
export function agentTransport({ latchkey, endpoint, token = 'bearer', email, quoted, calls, tool, onOtherPerson, ...rest }) {
  const agent = new URL(endpoint, globalThis.location?.href);
  const send = rest.fetch ?? ((...request) => globalThis.fetch(...request));
  if (token !== 'bearer' && token !== 'payload') {
    throw new LatchkeyError('CONFIGURATION', "token must be 'bearer' or 'payload'");
  }

  return async (input, init = {}) => {
    const isRequest = typeof Request === 'function' && input instanceof Request;
    const url = new URL(isRequest ? input.url : input, agent);
    if (url.origin !== agent.origin || !isWithin(url.pathname, agent.pathname)) {
      throw new LatchkeyError('FOREIGN_ADDRESS', 'the access token is only for the agent');
    }
    const headers = new Headers(init.headers ?? (isRequest ? input.headers : undefined));
    let body = init.body ?? (isRequest ? await input.clone().text() : undefined);
    if (latchkey.loadSession() !== null) {
      const accessToken = await latchkey.getAccessToken();
      if (token === 'bearer') headers.set('Authorization', `Bearer ${accessToken}`);
      else body = withToken(body, accessToken);
    }
    const method = init.method ?? (isRequest ? input.method : 'POST');
    const signal = init.signal ?? (isRequest ? input.signal : undefined);
    const response = await send(url.href, { ...init, method, headers, body, signal, redirect: 'error' });
    if (!response.ok || response.body === null) return response;
    const [forThePage, forUs] = response.body.tee();
    void store(new Response(forUs, { headers: response.headers }));
    const { status, statusText, headers: answered } = response;
    return new Response(forThePage, { status, statusText, headers: answered });
  };

  async function store(stream) {
    try {
      for await (const event of tokenDeliveries(stream, { email, quoted, calls, tool })) {
        const kept = latchkey.loadSession();
        if (kept === null || kept.cognitoSub === event.cognito_sub) latchkey.storeSession(event);
        // The stored session's owner never changes without a click.
        else onOtherPerson?.(event, () => latchkey.storeSession(event));
      }
    } catch {
      // The page reads the same stream, and sees how it breaks off.
    }
  }
}

function isWithin(path, root) {
  return path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`);
}

function withToken(body, accessToken) {
  const payload = attempt(() => JSON.parse(body));
  if (!isRecord(payload)) throw new LatchkeyError('CONFIGURATION', "with token: 'payload' the body is a JSON object");
  return JSON.stringify({ ...payload, auth_token: accessToken });
}

function sameAddress(one, other) {
  return one.toLowerCase() === String(other).toLowerCase();
}

/** An id that two tools share is ignored. */
function remember(names, callId, name) {
  if (typeof callId !== 'string' || typeof name !== 'string') return;
  const known = names.get(callId);
  names.set(callId, known === undefined || known === name ? name : '');
  if (names.size > MAX_CALLS) names.delete(names.keys().next().value);
}

/** The calls that a message begins, as ids with the names of their tools. */
function callsIn(message) {
  const type = own(message, 'type');
  // Vercel's UI message stream.
  if (type === 'tool-input-start' || type === 'tool-input-available') {
    return [[own(message, 'toolCallId'), own(message, 'toolName')]];
  }
  // AG-UI.
  if (type === 'TOOL_CALL_START') return [[own(message, 'toolCallId'), own(message, 'toolCallName')]];
  // Strands: the whole message of the assistant, and the start of a block while it streams.
  const uses = contentOf(message, 'assistant').map((block) => own(block, 'toolUse'));
  const start = path(message, 'event', 'contentBlockStart', 'start', 'toolUse');
  return [...uses, start].filter(isRecord).map((use) => [own(use, 'toolUseId'), own(use, 'name')]);
}

/** The results that a message holds, by the ids of their calls. */
function resultsIn(message) {
  const type = own(message, 'type');
  if (type === 'tool-output-available') {
    return own(message, 'preliminary') === true ? [] : [[own(message, 'toolCallId'), own(message, 'output')]];
  }
  if (type === 'TOOL_CALL_RESULT') return [[own(message, 'toolCallId'), own(message, 'content')]];
  // MCP's answer to `tools/call`; the caller knows which tool its id was for.
  if (own(message, 'jsonrpc') === '2.0' && isRecord(own(message, 'result'))) {
    return [[own(message, 'id'), own(message, 'result')]];
  }
  return contentOf(message, 'user')
    .map((block) => own(block, 'toolResult'))
    .filter((result) => isRecord(result) && own(result, 'status') !== 'error')
    .map((result) => [own(result, 'toolUseId'), result]);
}

/** The blocks of a Strands message, if it has this role. */
function contentOf(message, role) {
  const inner = own(message, 'message');
  if (!isRecord(inner) || own(inner, 'role') !== role) return [];
  const content = own(inner, 'content');
  return Array.isArray(content) ? content.filter(isRecord) : [];
}

function path(value, ...names) {
  return names.reduce((inner, name) => (isRecord(inner) ? own(inner, name) : undefined), value);
}

/**
 * The possible contents of a tool's output: itself, JSON in a text, or the parts of an MCP or
 * Strands result.
 */
function candidatesIn(output) {
  if (typeof output === 'string') return [attempt(() => JSON.parse(output))];
  if (!isRecord(output) || own(output, 'isError') === true) return [];
  const content = own(output, 'content');
  const parts = Array.isArray(content) ? content.filter(isRecord) : [];
  const texts = parts.map((part) => own(part, 'text')).filter((text) => typeof text === 'string');
  return [
    output,
    own(output, 'structuredContent'),
    ...parts.map((part) => own(part, 'json')),
    ...texts.map((text) => attempt(() => JSON.parse(text))),
  ];
}

/** The JSON objects of a source, whatever carries them. */
async function* messagesOf(source, quoted) {
  if (typeof Response === 'function' && source instanceof Response) {
    if (/^application\/json\b/i.test(source.headers.get('Content-Type') ?? '')) {
      const text = await source.text();
      const value = attempt(() => JSON.parse(text));
      for (const each of Array.isArray(value) ? value : [value]) yield* objectsIn(each, quoted);
      return;
    }
    source = source.body ?? [];
  }
  if (typeof source === 'string') source = [source];
  else if (isRecord(source) && !iterable(source)) source = [source];
  const events = serverSentEvents();
  for await (const chunk of iterable(source) ? source : readerOf(source)) {
    if (isRecord(chunk) && !ArrayBuffer.isView(chunk) && !(chunk instanceof ArrayBuffer)) yield chunk;
    else for (const data of events.push(chunk)) yield* objectsIn(attempt(() => JSON.parse(data)), quoted);
  }
  for (const data of events.end()) yield* objectsIn(attempt(() => JSON.parse(data)), quoted);
}

function* objectsIn(value, quoted) {
  if (isRecord(value)) yield value;
  else if (quoted && typeof value === 'string') {
    // The agent's code yields text that is JSON, or an event once more.
    for (const line of value.split(/\r\n|\r|\n/)) {
      const inner = attempt(() => JSON.parse(line.replace(/^data: ?/, '')));
      if (isRecord(inner)) yield inner;
    }
  }
}

function iterable(source) {
  return source?.[Symbol.asyncIterator] !== undefined || source?.[Symbol.iterator] !== undefined;
}

/** Not every browser iterates over a stream. */
async function* readerOf(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}

/**
 * The data of server-sent events (HTML standard, section 9.2), over chunk borders that fall
 * anywhere.
 */
function serverSentEvents() {
  const decoder = new TextDecoder();
  let rest = '';
  let data = [];
  let length = 0;

  function* lines(text, isLast) {
    rest += text;
    // A carriage return at the end may be half of a line's end.
    const whole = isLast ? rest.length : rest.length - (rest.endsWith('\r') ? 1 : 0);
    const parts = rest.slice(0, whole).split(/\r\n|\r|\n/);
    rest = parts.pop() + rest.slice(whole);
    if (rest.length > MAX_EVENT_LENGTH) {
      length = Infinity;
      rest = '';
    }
    yield* parts;
  }

  function* events(text, isLast) {
    for (const line of lines(text, isLast)) {
      if (line === '') {
        if (data.length > 0 && length <= MAX_EVENT_LENGTH) yield data.join('\n');
        data = [];
        length = 0;
      } else if (line.startsWith('data:')) {
        length += line.length;
        if (length <= MAX_EVENT_LENGTH) data.push(line.slice(line[5] === ' ' ? 6 : 5));
      }
    }
  }

  return {
    push: (chunk) => events(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }), false),
    // Servers forget the last empty line.
    end: () => events(`${decoder.decode()}\n\n`, true),
  };
}
