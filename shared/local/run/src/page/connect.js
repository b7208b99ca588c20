// The *Connect* card: the addresses, and the commands for using it from elsewhere.
import { byId, copyButton, json, make } from './dom.js';
import { local } from './client.js';

const OPEN_KEY = 'latchkey.local.connect';

export async function startConnect() {
  const card = byId('connect');
  try {
    // On a narrow screen the sign-in comes first.
    const otherwise = matchMedia('(min-width: 56rem)').matches ? 'open' : 'closed';
    card.open = (localStorage.getItem(OPEN_KEY) ?? otherwise) === 'open';
    card.addEventListener('toggle', () => localStorage.setItem(OPEN_KEY, card.open ? 'open' : 'closed'));
  } catch {
    // Storage is forbidden: the card is open at every visit.
  }
  const ready = await local('ready');
  if (ready === null) {
    byId('connect-facts').replaceChildren(make('dt', {}, 'Nothing'), make('dd', {}, 'The local run does not answer. Start it with cargo run.'));
    return;
  }
  byId('connect-facts').replaceChildren(...factsOf(ready).flatMap(fact));
  byId('connect-snippets').replaceChildren(...snippetsOf(ready).map(snippet));
}

function factsOf(ready) {
  const { gateway, cognito, dynamodb, agentcore, kms, lambda, mailbox, userPoolId, clientId, region } = ready;
  return [
    ['API', gateway],
    ['User pool', userPoolId],
    ['Public client', clientId ?? null, 'There is none. PUBLIC_CLIENT = sign-in in --config makes one.'],
    ['Region', region],
    ['Cognito', cognito],
    ['DynamoDB', dynamodb],
    ['AgentCore', agentcore],
    ['KMS, SES, Secrets', kms],
    ['Lambda', lambda],
    ['Mailbox', mailbox],
    ['Agent’s tools (MCP)', `${gateway}/_local/mcp`],
  ];
}

function fact([name, value, otherwise]) {
  return [
    make('dt', {}, name),
    value === null
      ? make('dd', { class: 'muted' }, otherwise)
      : make('dd', { class: 'joined' }, make('span', { class: 'mono' }, value), copyButton(name, () => value)),
  ];
}

function snippet({ name, text }) {
  return make(
    'details',
    { name: 'snippet' },
    make('summary', {}, name),
    make('div', { class: 'snippet' }, json(text, name), copyButton(`the lines for ${name}`, () => text)),
  );
}

function snippetsOf(ready) {
  const { gateway, cognito, dynamodb, agentcore, kms, lambda, userPoolId, clientId, region } = ready;
  const client = clientId ?? 'THE_PUBLIC_CLIENT';
  return [
    {
      name: 'This client',
      text: `import { createLatchkey } from 'latchkey';

const latchkey = createLatchkey({ apiUrl: '${gateway}' });
const { sessionToken } = await latchkey.initiateOtp({ email });
await latchkey.verifyOtp({ email, code, sessionToken });
const me = await latchkey.getProfile();`,
    },
    {
      name: 'Elements',
      text: `<script type="module">import 'latchkey/components';</script>
<latchkey-sign-in api-url="${gateway}"></latchkey-sign-in>
<latchkey-account api-url="${gateway}"></latchkey-account>`,
    },
    {
      name: 'Amplify',
      text: `import { Amplify } from 'aws-amplify';

// The API accepts its tokens if the run was started with PUBLIC_CLIENT = api.
Amplify.configure({
  Auth: {
    Cognito: {
      userPoolId: '${userPoolId}',
      userPoolClientId: '${client}',
      userPoolEndpoint: '${cognito}',
    },
  },
});`,
    },
    {
      name: 'boto3',
      text: `import boto3

local = dict(region_name="${region}", aws_access_key_id="LOCAL", aws_secret_access_key="local")
cognito = boto3.client("cognito-idp", endpoint_url="${cognito}", **local)
print(cognito.list_users(UserPoolId="${userPoolId}")["Users"])`,
    },
    {
      name: 'AWS CLI',
      text: `export AWS_REGION=${region} AWS_ACCESS_KEY_ID=LOCAL AWS_SECRET_ACCESS_KEY=local
aws cognito-idp list-users --endpoint-url ${cognito} --user-pool-id ${userPoolId}
aws lambda invoke --endpoint-url ${lambda} --function-name initiate-otp \\
  --cli-binary-format raw-in-base64-out --payload '{"email":"ada@example.com"}' /dev/stdout`,
    },
    {
      name: '.env',
      text: `LATCHKEY_API_URL=${gateway}
COGNITO_USER_POOL_ID=${userPoolId}
COGNITO_PUBLIC_CLIENT_ID=${clientId ?? ''}
AWS_REGION=${region}
AWS_ACCESS_KEY_ID=LOCAL
AWS_SECRET_ACCESS_KEY=local
AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER=${cognito}
AWS_ENDPOINT_URL_DYNAMODB=${dynamodb}
AWS_ENDPOINT_URL_BEDROCK_AGENTCORE=${agentcore}
AWS_ENDPOINT_URL_KMS=${kms}
AWS_ENDPOINT_URL_SECRETS_MANAGER=${kms}
AWS_ENDPOINT_URL_SESV2=${kms}
AWS_ENDPOINT_URL_LAMBDA=${lambda}`,
    },
  ];
}
