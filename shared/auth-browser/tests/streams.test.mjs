import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import { createLatchkey } from 'latchkey';
import { agentTransport, tokenDeliveries, tokenDeliveryFrom } from 'latchkey/streams';
import { API, Clock, MemoryStorage, event, json, signIn, SUB } from './world.mjs';

const clock = new Clock();
const delivered = event(clock);
const TOOL = 'verify_cognito_otp';

const frames = (...messages) => messages.map((message) => `data: ${JSON.stringify(message)}\n\n`).join('');

/** The same sign-in as each kind of stream carries it. */
const STREAMS = {
  'a UI message stream': frames(
    { type: 'start' },
    { type: 'text-delta', id: '1', delta: 'One moment' },
    { type: 'tool-input-start', toolCallId: 'c1', toolName: TOOL },
    { type: 'tool-input-available', toolCallId: 'c1', toolName: TOOL, input: { email: 'ada@example.com' } },
    { type: 'tool-output-available', toolCallId: 'c1', output: delivered },
    { type: 'finish' },
  ) + 'data: [DONE]\n\n',
  'a UI message stream with JSON in a string': frames(
    { type: 'tool-input-available', toolCallId: 'c1', toolName: TOOL, dynamic: true },
    { type: 'tool-output-available', toolCallId: 'c1', output: JSON.stringify(delivered), dynamic: true },
  ),
  'a UI message stream with an MCP result': frames(
    { type: 'tool-input-available', toolCallId: 'c1', toolName: `auth___${TOOL}`, dynamic: true },
    {
      type: 'tool-output-available',
      toolCallId: 'c1',
      output: { content: [{ type: 'text', text: JSON.stringify(delivered) }], isError: false },
    },
  ),
  'Strands messages': frames(
    { init_event_loop: true },
    { message: { role: 'assistant', content: [{ text: 'ok' }, { toolUse: { toolUseId: 't1', name: TOOL, input: {} } }] } },
    {
      message: {
        role: 'user',
        content: [{ toolResult: { toolUseId: 't1', status: 'success', content: [{ text: JSON.stringify(delivered) }] } }],
      },
    },
  ),
  'Strands events with JSON content': frames(
    { event: { contentBlockStart: { start: { toolUse: { toolUseId: 't1', name: TOOL } }, contentBlockIndex: 1 } } },
    {
      message: {
        role: 'user',
        content: [{ toolResult: { toolUseId: 't1', status: 'success', content: [{ json: delivered }] } }],
      },
    },
  ),
  'AG-UI': frames(
    { type: 'RUN_STARTED', threadId: 't', runId: 'r' },
    { type: 'TOOL_CALL_START', toolCallId: 'c1', toolCallName: TOOL },
    { type: 'TOOL_CALL_END', toolCallId: 'c1' },
    { type: 'TOOL_CALL_RESULT', messageId: 'm', toolCallId: 'c1', content: JSON.stringify(delivered), role: 'tool' },
  ),
};

async function* chunked(text, size) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

describe('a token delivery', () => {
  for (const [name, text] of Object.entries(STREAMS)) {
    test(`is found in ${name}`, async () => {
      assert.deepEqual(await tokenDeliveryFrom(text), delivered);
      assert.deepEqual(await tokenDeliveryFrom(new Response(text)), delivered);
      assert.deepEqual(await tokenDeliveryFrom(new Response(text).body), delivered);
    });

    for (const size of [1, 2, 7, 4096]) {
      test(`is found in ${name} cut into pieces of ${size} bytes`, async () => {
        assert.deepEqual(await tokenDeliveryFrom(chunked(text, size)), delivered);
      });
    }

    test(`is found in ${name} with other line ends, comments and fields`, async () => {
      for (const end of ['\r\n', '\r']) {
        const other = `: hello${end}${end}${text.replaceAll('\n', end).replaceAll('data:', `event: x${end}id: 7${end}data:`)}`;
        assert.deepEqual(await tokenDeliveryFrom(chunked(other, 3)), delivered);
      }
    });

    test(`is found in ${name} whose last empty line is missing`, async () => {
      const messages = text.replace('data: [DONE]\n\n', '').replace(/(data: \{"type":"finish"\}\n\n)?$/, '');
      assert.deepEqual(await tokenDeliveryFrom(messages.trimEnd()), delivered);
    });
  }

  test('is found in messages that were parsed already', async () => {
    const messages = STREAMS['AG-UI'].split('\n\n').filter(Boolean);
    assert.deepEqual(await tokenDeliveryFrom(messages.map((each) => JSON.parse(each.slice(6)))), delivered);
  });

  test('is found in the result of a call whose name the caller knows', async () => {
    const answer = { jsonrpc: '2.0', id: 7, result: { content: [], structuredContent: delivered } };
    const calls = { 7: `target___${TOOL}` };
    assert.deepEqual(await tokenDeliveryFrom(json(200, answer), { calls }), delivered);
    assert.deepEqual(await tokenDeliveryFrom(json(200, [answer]), { calls }), delivered);
    assert.deepEqual(await tokenDeliveryFrom(frames(answer), { calls }), delivered);
    assert.equal(await tokenDeliveryFrom(frames(answer)), null);
    assert.equal(await tokenDeliveryFrom(frames(answer), { calls: { 7: 'read_page' } }), null);
  });

  test('that comes quoted is found where the caller says that it may be', async () => {
    const quoted = STREAMS['Strands messages']
      .split('\n\n')
      .filter(Boolean)
      .map((each) => `data: ${JSON.stringify(`${each}\n\n`)}\n\n`)
      .join('');
    assert.equal(await tokenDeliveryFrom(quoted), null);
    assert.deepEqual(await tokenDeliveryFrom(quoted, { quoted: true }), delivered);
  });

  test('comes once for each, in order', async () => {
    const another = event(clock, { sub: 'another' });
    const text = STREAMS['AG-UI'] + STREAMS['AG-UI'].replace(JSON.stringify(JSON.stringify(delivered)), JSON.stringify(JSON.stringify(another)));
    const found = [];
    for await (const each of tokenDeliveries(text)) found.push(each.cognito_sub);
    assert.deepEqual(found, [SUB, 'another']);
  });

  test('as another address than the expected one is passed over', async () => {
    assert.equal(await tokenDeliveryFrom(STREAMS['AG-UI'], { email: 'grace@example.com' }), null);
    assert.deepEqual(await tokenDeliveryFrom(STREAMS['AG-UI'], { email: 'Ada@Example.com' }), delivered);
  });
});

describe('what only looks like one', () => {
  const text = JSON.stringify(delivered);
  const result = { type: 'tool-output-available', toolCallId: 'c1', output: delivered };
  const call = { type: 'tool-input-available', toolCallId: 'c1', toolName: TOOL };
  const strands = (status, id = 't1') => ({
    message: { role: 'user', content: [{ toolResult: { toolUseId: id, status, content: [{ json: delivered }] } }] },
  });
  const use = (role, name = TOOL) => ({ message: { role, content: [{ toolUse: { toolUseId: 't1', name, input: {} } }] } });

  const hostile = {
    'an event by itself': [delivered],
    'an event as text of the model': [{ type: 'text-delta', id: '1', delta: text }],
    'an event in a string': [text],
    'a whole stream in a string': [STREAMS['Strands messages']],
    "another tool's result": [{ ...call, toolName: 'read_web_page' }, result],
    "another tool's result with the name as its end": [{ ...call, toolName: `my_${TOOL}` }, result],
    'a result without a call': [result],
    'a result before its call': [result, call],
    'a call whose id was another tool’s': [{ ...call, toolName: 'read_web_page' }, call, result],
    'a result that is preliminary': [call, { ...result, preliminary: true }],
    'a result that failed': [use('assistant'), strands('error')],
    'an MCP result that failed': [call, { ...result, output: { isError: true, content: [{ type: 'text', text }] } }],
    'a call that a user’s message names': [use('user'), strands('success')],
    'the result of another call': [use('assistant'), strands('success', 't2')],
    'an error of the tool': [call, { type: 'tool-output-error', toolCallId: 'c1', errorText: text }],
    'an event in the input': [{ ...call, input: delivered }],
    'an event deep in the output': [call, { ...result, output: { page: delivered } }],
    'an event in a text around it': [call, { ...result, output: `Here it is: ${text}` }],
    'an event that is broken': [call, { ...result, output: { ...delivered, access_token: 'x' } }],
    'a Strands text': [use('assistant'), { message: { role: 'user', content: [{ text }] } }],
  };
  for (const [name, messages] of Object.entries(hostile)) {
    test(`${name} is passed over`, async () => {
      assert.equal(await tokenDeliveryFrom(frames(...messages)), null);
    });
  }

  for (const [name, stream] of Object.entries({
    nothing: '',
    'no events': 'hello\n\nworld',
    'no JSON': 'data: {\n\n',
    'rubbish in UTF-8': new Uint8Array([0xff, 0xfe, 0x64, 0x61]),
    'a huge line': `data: ${'x'.repeat(2_000_000)}\n\n`,
    'an event of two million characters': frames({ type: 'x', pad: 'x'.repeat(2_000_000) }),
  })) {
    test(`${name} is no harm`, async () => {
      const source = typeof stream === 'string' ? stream : [stream];
      assert.equal(await tokenDeliveryFrom(source), null);
      const after = typeof stream === 'string' ? `${stream}\n\n${STREAMS['AG-UI']}` : [stream, `\n\n${STREAMS['AG-UI']}`];
      assert.deepEqual(await tokenDeliveryFrom(after), delivered);
    });
  }
});

describe('a transport', () => {
  const AGENT = 'https://agents.example/runtimes/arn%3Aaws%3Aagent/invocations?qualifier=DEFAULT';
  let latchkey;
  let requests;
  let answer;
  let others;

  beforeEach(() => {
    latchkey = createLatchkey({ apiUrl: API, storage: new MemoryStorage(), now: clock.now, locks: null, channel: null });
    requests = [];
    others = [];
    answer = () => new Response(STREAMS['a UI message stream']);
  });

  const transport = (options) =>
    agentTransport({
      latchkey,
      endpoint: AGENT,
      fetch: async (url, init) => {
        requests.push({ url, init, headers: new Headers(init.headers), body: init.body });
        return answer();
      },
      onOtherPerson: (found, accept) => others.push([found, accept]),
      ...options,
    });

  /** The page has read its answer, and so have we. */
  async function settled(response) {
    const text = await response.text();
    await new Promise((resolve) => setImmediate(resolve));
    return text;
  }

  test('stores what the stream delivers, and the page sees all of it', async () => {
    const response = await transport()(AGENT, { method: 'POST', body: '{"prompt":"hi"}' });
    assert.equal(await settled(response), STREAMS['a UI message stream']);
    assert.equal(latchkey.loadSession().email, 'ada@example.com');
    assert.equal(requests[0].headers.get('Authorization'), null);
  });

  test('sends the token as a bearer', async () => {
    const { accessToken } = latchkey.storeSession(signIn(clock));
    await transport()(AGENT, { method: 'POST', body: '{"prompt":"hi"}' });
    assert.equal(requests[0].headers.get('Authorization'), `Bearer ${accessToken}`);
    assert.equal(requests[0].body, '{"prompt":"hi"}');
    assert.equal(requests[0].init.redirect, 'error');
  });

  test('sends the token in the payload', async () => {
    const { accessToken } = latchkey.storeSession(signIn(clock));
    await transport({ token: 'payload' })(new Request(AGENT, { method: 'POST', body: '{"prompt":"hi"}' }));
    assert.deepEqual(JSON.parse(requests[0].body), { prompt: 'hi', auth_token: accessToken });
    assert.equal(requests[0].headers.get('Authorization'), null);
  });

  for (const address of ['https://evil.example/runtimes', 'https://agents.example/other', '//evil.example']) {
    test(`sends nothing to ${address}`, async () => {
      latchkey.storeSession(signIn(clock));
      await assert.rejects(transport()(address, { method: 'POST', body: '{}' }), { code: 'FOREIGN_ADDRESS' });
      assert.equal(requests.length, 0);
    });
  }

  test("never replaces another person's session by itself", async () => {
    const grace = latchkey.storeSession(signIn(clock, { sub: 'grace' }));
    await settled(await transport()(AGENT, { method: 'POST', body: '{}' }));
    assert.deepEqual(latchkey.loadSession(), grace);
    const [[found, accept]] = others;
    assert.equal(found.cognito_sub, SUB);
    accept();
    assert.equal(latchkey.loadSession().cognitoSub, SUB);
  });

  test('stores nothing of a failed answer, nor as an address that is not expected', async () => {
    answer = () => new Response(STREAMS['AG-UI'], { status: 424 });
    await settled(await transport()(AGENT, { method: 'POST', body: '{}' }));
    answer = () => new Response(STREAMS['AG-UI']);
    await settled(await transport({ email: 'grace@example.com' })(AGENT, { method: 'POST', body: '{}' }));
    assert.equal(latchkey.loadSession(), null);
  });

  test('a stream that breaks off is the page’s to see', async () => {
    answer = () => new Response(new ReadableStream({ pull: (controller) => controller.error(new TypeError('reset')) }));
    await assert.rejects((await transport()(AGENT, { method: 'POST', body: '{}' })).text());
    assert.equal(latchkey.loadSession(), null);
  });

  test('needs to know how the token travels', () => {
    assert.throws(() => transport({ token: 'query' }), { code: 'CONFIGURATION' });
  });
});
