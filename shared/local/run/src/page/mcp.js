// The agent’s tools over MCP, as far as this page needs it: JSON-RPC by POST, and messages read as
// they stream in.
const ENDPOINT = '/_local/mcp';
const PROTOCOL_VERSION = '2025-06-18';

/** The server refused, or answered in another language. */
export class McpError extends Error {}

let connected = null;
let lastId = 0;

/** The tools, by their names without their targets'. */
export async function listTools() {
  await connect();
  const { tools } = await request('tools/list', {});
  return new Map(tools.map((tool) => [tool.name.slice(tool.name.indexOf('___') + 3), tool]));
}

/** Calls a tool by its whole name. Returns its result, which may say that it failed. */
export async function callTool(name, args) {
  await connect();
  const { structuredContent, content, isError } = await request('tools/call', { name, arguments: args });
  // A refusal of ours is a result to show: it contains the next step.
  if (isError && structuredContent === undefined) throw new McpError(content?.[0]?.text ?? 'The tool failed.');
  return structuredContent;
}

function connect() {
  connected ??= handshake().catch((error) => {
    connected = null;
    throw error;
  });
  return connected;
}

async function handshake() {
  const clientInfo = { name: 'latchkey-page', version: '1' };
  await request('initialize', { protocolVersion: PROTOCOL_VERSION, capabilities: {}, clientInfo });
  await send({ jsonrpc: '2.0', method: 'notifications/initialized' });
}

async function request(method, params) {
  lastId += 1;
  const id = lastId;
  const response = await send({ jsonrpc: '2.0', id, method, params });
  for await (const message of messages(response)) {
    if (message.id !== id) continue;
    if (message.error) throw new McpError(message.error.message);
    return message.result;
  }
  throw new McpError('The answer broke off.');
}

async function send(message) {
  const response = await fetch(ENDPOINT, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': PROTOCOL_VERSION,
    },
    body: JSON.stringify(message),
  });
  if (!response.ok) throw new McpError(`The tools' endpoint answered ${response.status}.`);
  return response;
}

/** Each JSON-RPC message of an answer when it arrives: of an event stream, or its one body. */
async function* messages(response) {
  if (!response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
    yield await response.json();
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value.replaceAll('\r', '');
    const events = text.split('\n\n');
    text = events.pop();
    for (const event of events) {
      const lines = event.split('\n').filter((line) => line.startsWith('data:'));
      const data = lines.map((line) => line.slice(5).trimStart()).join('\n');
      if (data !== '') yield JSON.parse(data);
    }
  }
}
