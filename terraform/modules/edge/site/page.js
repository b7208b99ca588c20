// The page of a deployment: sign-in, account, and the outcome of an agent's request. Terraform
// writes settings.json beside it.
import { createLatchkey } from './latchkey.js';

const settings = await (await fetch(new URL('settings.json', import.meta.url))).json();
const { apiUrl, tokenDelivery, ways, rememberDeviceDays, product } = settings;
const client = createLatchkey({ apiUrl: new URL(apiUrl, location.href).href, tokenDelivery });

const language = (settings.language ?? navigator.language).split('-')[0];
document.documentElement.lang = language;
document.querySelector('#product').textContent = product;

const [result, signIn, account] = ['consent-result', 'sign-in', 'account'].map((name) => document.querySelector(`latchkey-${name}`));
// Before the elements are defined, so that they begin with this client.
signIn.setAttribute('ways', ways);
signIn.setAttribute('remember-days', rememberDeviceDays);
await client.restore().catch(() => null);
for (const element of [result, signIn, account]) element.client = client;
const { TEXTS } = await import('./components.js');

// The elements use English if they lack a language, and the page declares their language.
const spoken = Object.hasOwn(TEXTS, language) ? language : 'en';
document.documentElement.lang = spoken;
document.title = `${TEXTS[spoken]['start.title']} · ${product}`;

// The tab of an agent's request ends with its result: it was opened for that alone.
if (result.hidden) {
  client.onSessionChange(({ session }) => {
    if (session === null) show();
  });
  // The sign-in may offer a passkey once there is a session.
  signIn.addEventListener('latchkey-signed-in', show);
  show();
}

/** One of the two: a signed-in person sees the account. */
function show() {
  const isSignedIn = client.loadSession() !== null;
  if (signIn.hidden && !isSignedIn) signIn.client = client;
  signIn.hidden = isSignedIn;
  account.hidden = !isSignedIn;
}
