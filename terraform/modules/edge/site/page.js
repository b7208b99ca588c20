// The page of a deployment: sign-in, account, and what became of an agent's request. Terraform
// writes settings.json beside it.
import { de } from './german.js';
import { createLatchkey } from './latchkey.js';

/**
 * What an agent's request came to, by the `auth` and `code` of the address that AgentCore's
 * redirect ends at.
 */
const NEWS = {
  en: {
    title: 'Sign in',
    success: 'The agent may act for you now. You can close this page.',
    AUTH_CANCELLED: 'You have not allowed the agent to act for you. You can close this page.',
    USER_MISMATCH: 'This request was begun by somebody else, or in another browser. The agent was not allowed anything.',
    SESSION_EXPIRED: 'This took too long, and the agent was not allowed anything. Ask it to try again.',
    error: 'The agent was not allowed anything. Ask it to try again.',
  },
  de,
};

const settings = await (await fetch(new URL('settings.json', import.meta.url))).json();
const language = (settings.language ?? navigator.language).split('-')[0];
const words = NEWS[language] ?? NEWS.en;
document.documentElement.lang = NEWS[language] ? language : 'en';
document.title = `${words.title} · ${settings.product}`;
document.querySelector('#product').textContent = settings.product;

const { apiUrl, tokenDelivery, ways } = settings;
const client = createLatchkey({ apiUrl: new URL(apiUrl, location.href).href, tokenDelivery });
const signIn = document.querySelector('latchkey-sign-in');
const account = document.querySelector('latchkey-account');
signIn.setAttribute('ways', ways);

tellNews();
await client.restore().catch(() => null);
for (const element of [signIn, account]) element.client = client;
await import('./components.js');
client.onSessionChange(({ reason }) => {
  if (reason === 'refreshed') return;
  show();
});
show();

/** The one or the other: who is signed in sees the account. */
function show() {
  const isSignedIn = client.loadSession() !== null;
  if (signIn.hidden && !isSignedIn) signIn.client = client;
  signIn.hidden = isSignedIn;
  account.hidden = !isSignedIn;
}

function tellNews() {
  const query = new URLSearchParams(location.search);
  const auth = query.get('auth');
  if (auth !== 'success' && auth !== 'error') return;
  const news = document.querySelector('#news');
  const key = auth === 'success' ? 'success' : query.get('code');
  // Own keys alone: the address is anybody's to write.
  news.textContent = Object.hasOwn(words, key ?? '') && key !== 'title' ? words[key] : words.error;
  news.hidden = false;
  // A reload is no news, and the address names a session.
  history.replaceState(null, '', location.pathname);
}
