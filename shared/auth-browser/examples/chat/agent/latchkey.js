// The agent's calls to Latchkey's functions, by Lambda's Invoke API. An agent in an account uses an
// AWS SDK, which signs; a local run needs no signature.
const LAMBDA = process.env.LATCHKEY_LAMBDA ?? 'http://127.0.0.1:8787/_local/lambda';
const FUNCTIONS = { initiate_cognito_login: 'initiate-otp', verify_cognito_otp: 'verify-otp' };

/** The result of a tool, invoked as an AgentCore Gateway invokes its target. */
export async function useTool(name, input) {
  const context = { custom: { bedrockAgentCoreToolName: `latchkey___${name}` } };
  return invoke(FUNCTIONS[name], input, {
    'X-Amz-Client-Context': Buffer.from(JSON.stringify(context)).toString('base64'),
  });
}

/** The guest of this access token; null without one, and for an invalid one. */
export async function guestOf(token) {
  if (token === undefined) return null;
  const result = await invoke('get-authenticated-guest', { authToken: token });
  if (result.user) return result.user;
  if (result.error?.code === 'AUTH_REQUIRED') return null;
  throw new Error(`Latchkey cannot say who this is: ${result.error?.code}`);
}

async function invoke(name, payload, headers = {}) {
  const url = `${LAMBDA}/2015-03-31/functions/${name}/invocations`;
  const answered = await fetch(url, { method: 'POST', headers, body: JSON.stringify(payload) });
  if (!answered.ok) throw new Error(`${name} answered ${answered.status}`);
  return answered.json();
}
