// The page of a deployment: sign-in, account, and the outcome of an agent's request. Terraform
// writes settings.json beside it.
//
// It imports nothing at first, so that a person sees a word at once, and another if the rest cannot
// be loaded.

/** Until the elements bring theirs. A test compares these with them. */
const WORDS = {
  en: {
    busy: 'One moment',
    'problem.UNREACHABLE': 'There is no connection. Please check it and try again.',
    'problem.SERVICE_UNAVAILABLE': 'This does not work right now. Please try again in a moment.',
    'account.tryAgain': 'Try again',
  },
  de: {
    busy: 'Einen Moment',
    'problem.UNREACHABLE': 'Es gibt keine Verbindung. Bitte prüfen Sie sie und versuchen Sie es noch einmal.',
    'problem.SERVICE_UNAVAILABLE': 'Das geht gerade nicht. Bitte versuchen Sie es gleich noch einmal.',
    'account.tryAgain': 'Noch einmal versuchen',
  },
};

/** As long as the client waits for a session. */
const SETTINGS_TIMEOUT_MS = 10_000;

const [result, signIn, account] = ['consent-result', 'sign-in', 'account'].map((name) => document.querySelector(`latchkey-${name}`));
const note = document.createElement('div');
const said = document.createElement('p');
const again = document.createElement('button');
let client = null;
/** Whether the account is shown; null before the first of the two. */
let isSignedInShown = null;
/** Waits for what gets the focus. */
let toBeDrawn = null;

note.id = 'note';
said.role = 'status';
again.type = 'button';
again.hidden = true;
// A module that could not be loaded stays so until the next load.
again.addEventListener('click', () => (client === null ? location.reload() : void begin()));
note.append(said, again);
document.querySelector('main').append(note);
void begin();

async function begin() {
  if (again.ariaDisabled === 'true') return;
  again.ariaDisabled = 'true';
  say('busy');
  let texts;
  try {
    client ??= await load();
    // The tab of an agent's request needs no session for its result.
    const isOfAgent = ['success', 'error'].includes(new URLSearchParams(location.search).get('auth'));
    // Before the elements are defined, so that they begin with this client and its session.
    if (!isOfAgent) await client.restore();
    texts = (await import('./components.js')).TEXTS;
  } catch (problem) {
    // The form would tell a signed-in person that they are not.
    console.error(problem);
    say(problem.status === undefined ? 'problem.UNREACHABLE' : 'problem.SERVICE_UNAVAILABLE');
    again.hidden = false;
    again.ariaDisabled = 'false';
    return;
  }
  // The elements use English if they lack a language, and the page declares their language.
  const spoken = languageOf(texts);
  document.documentElement.lang = spoken;
  document.title = `${texts[spoken]['start.title']} · ${document.querySelector('#product').textContent}`;
  const hadFocus = note.contains(document.activeElement);
  note.remove();
  // The tab of an agent's request ends with its result: it was opened for that alone.
  if (result.hidden) follow(hadFocus);
}

/** The settings, and the client that they describe. */
async function load() {
  const [settings, { createLatchkey }] = await Promise.all([readSettings(), import('./latchkey.js')]);
  const { apiUrl, tokenDelivery, ways, rememberDeviceDays, product, language } = settings;
  document.documentElement.lang = (language ?? navigator.language).split('-')[0];
  document.querySelector('#product').textContent = product;
  signIn.setAttribute('ways', ways);
  signIn.setAttribute('remember-days', rememberDeviceDays);
  const made = createLatchkey({ apiUrl: new URL(apiUrl, location.href).href, tokenDelivery });
  for (const element of [result, signIn, account]) element.client = made;
  return made;
}

async function readSettings() {
  const response = await fetch(new URL('settings.json', import.meta.url), { signal: AbortSignal.timeout(SETTINGS_TIMEOUT_MS) });
  if (!response.ok) throw Object.assign(new Error('settings.json cannot be read'), { status: response.status });
  return response.json();
}

function languageOf(texts) {
  const wanted = client === null ? navigator.language.split('-')[0] : document.documentElement.lang;
  return Object.hasOwn(texts, wanted) ? wanted : 'en';
}

function say(key) {
  const spoken = languageOf(WORDS);
  note.lang = spoken;
  said.textContent = WORDS[spoken][key];
  again.textContent = WORDS[spoken]['account.tryAgain'];
}

/** Shows whoever is signed in, from now on. */
function follow(takesFocus) {
  client.onSessionChange(({ reason, session }) => {
    if (session !== null) return;
    show(true);
    // It may be a sign-in in another tab.
    if (reason === 'elsewhere') client.restore().then(() => show(true), () => {});
  });
  // The sign-in may offer a passkey once there is a session.
  signIn.addEventListener('latchkey-signed-in', () => show(true));
  show(takesFocus);
}

/** One of the two: a signed-in person sees the account. */
function show(takesFocus) {
  const isSignedIn = client.loadSession() !== null;
  if (isSignedIn === isSignedInShown) return;
  const isFirst = isSignedInShown === null;
  isSignedInShown = isSignedIn;
  signIn.hidden = isSignedIn;
  account.hidden = !isSignedIn;
  // The sign-in before has ended, and begins again.
  if (!isSignedIn && !isFirst) signIn.client = client;
  if (takesFocus) focusOn(...(isSignedIn ? [account, 'h2'] : [signIn, 'input']));
}

/** Moves the focus into an element once it is drawn, unless the person has moved it by then. */
function focusOn(element, selector) {
  const isFree = () => [null, document.body].includes(document.activeElement) || document.activeElement.closest('[hidden]') !== null;
  const move = () => {
    const part = element.shadowRoot.querySelector(selector);
    if (part === null && isFree()) return;
    toBeDrawn?.disconnect();
    if (isFree()) part.focus();
  };
  toBeDrawn?.disconnect();
  toBeDrawn = new MutationObserver(move);
  toBeDrawn.observe(element.shadowRoot, { childList: true, subtree: true });
  move();
}
