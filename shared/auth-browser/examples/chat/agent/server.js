// In place of an agent on AgentCore Runtime: the same request, the same stream of Strands' events,
// and a script in place of the model. Its tools are Latchkey's own, invoked as a gateway does.
import { createServer } from 'node:http';

import { guestOf, useTool } from './latchkey.js';
import { reservationsOf } from './reservations.js';

const PORT = Number(process.env.PORT ?? 8080);
const SESSION = 'x-amzn-bedrock-agentcore-runtime-session-id';
const LARGEST_BODY = 100_000;
/** The state of each conversation. The runtime would give each a process of its own. */
const conversations = new Map();

createServer(async (request, response) => {
  const name = request.headers[SESSION] ?? '';
  if (request.method !== 'POST' || name.length < 33) return void response.writeHead(400).end();
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  try {
    const payload = JSON.parse(await bodyOf(request));
    for await (const event of turn(conversation(name), payload)) {
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    }
  } catch (error) {
    console.error(error);
    const failure = { error: 'failed', error_type: 'Error', message: 'An error occurred' };
    response.write(`data: ${JSON.stringify(failure)}\n\n`);
  }
  response.end();
}).listen(PORT, '127.0.0.1');

function conversation(name) {
  if (!conversations.has(name)) conversations.set(name, { owner: null, signIn: null, calls: 0 });
  return conversations.get(name);
}

async function bodyOf(request) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > LARGEST_BODY) throw new Error('the body is too long');
  }
  return body;
}

/** The agent's work for a prompt. The token identifies the guest, and the prompt never does. */
async function* turn(talk, { prompt, auth_token: token }) {
  const guest = await guestOf(token);
  if (guest && talk.owner !== null && talk.owner !== guest.cognitoSub) {
    return yield* say('This conversation is somebody else’s. Begin another one.');
  }
  if (!guest && talk.owner !== null) {
    return yield* say('Your session has ended. Begin another conversation.');
  }
  const text = String(prompt).trim();
  if (guest) {
    talk.owner = guest.cognitoSub;
    if (!/reservation/i.test(text)) return yield* say(`What can I do for you, ${guest.email}?`);
    const found = reservationsOf(guest.cognitoSub);
    yield* called(talk, 'my_reservations', {}, found);
    return yield* say(found.map(({ room, arrival }) => `The ${room}, from ${arrival}.`).join(' '));
  }
  if (/^\S+@\S+$/.test(text)) return yield* begin(talk, text);
  if (/^[\d\s-]{6,}$/.test(text) && talk.signIn) return yield* prove(talk, text);
  yield* say('I have to know who you are first. What is your email address?');
}

async function* begin(talk, email) {
  const result = await useTool('initiate_cognito_login', { email });
  yield* called(talk, 'initiate_cognito_login', { email }, result);
  if (result.success) talk.signIn = { email, session_token: result.session_token };
  yield* say(result.success ? 'A code is on its way to you. What does it say?' : result.message);
}

async function* prove(talk, text) {
  const input = { ...talk.signIn, otp_code: text.replace(/[\s-]/g, '') };
  const result = await useTool('verify_cognito_otp', input);
  // The browser takes the tokens from this result, and a model would get the result without them.
  yield* called(talk, 'verify_cognito_otp', input, result);
  if (!result.success) return yield* say(result.message);
  talk.signIn = null;
  talk.owner = result.cognito_sub;
  yield* say('Thank you, you are signed in. What can I do for you?');
}

/** A tool's call and its result, as Strands gives them. */
async function* called(talk, name, input, result) {
  talk.calls += 1;
  const toolUseId = `tooluse_${talk.calls}`;
  const use = { toolUse: { toolUseId, name: `latchkey___${name}`, input } };
  yield { message: { role: 'assistant', content: [use] } };
  const content = [{ text: JSON.stringify(result) }];
  const done = { toolResult: { toolUseId, status: 'success', content } };
  yield { message: { role: 'user', content: [done] } };
}

/** Words one by one, and then the whole. */
async function* say(text) {
  yield { event: { messageStart: { role: 'assistant' } } };
  for (const word of text.split(/(?<= )/)) {
    yield { event: { contentBlockDelta: { delta: { text: word }, contentBlockIndex: 0 } } };
  }
  yield { event: { contentBlockStop: { contentBlockIndex: 0 } } };
  yield { event: { messageStop: { stopReason: 'end_turn' } } };
  yield { message: { role: 'assistant', content: [{ text }] } };
}
