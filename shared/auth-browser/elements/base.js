/**
 * The common part of all elements: language, client, one step at a time, words for problems,
 * clocks.
 */
import { createLatchkey } from '../latchkey.js';
import { adopt } from './style.js';
import { make, markFields, sentence } from './parts.js';
import { TEXTS, speaker } from './texts.js';

/** On a server there is no element to extend; the class is defined there and never used. */
const Base = globalThis.HTMLElement ?? class {};

/** Clients by their attributes, so that a sign-in and an account on one page share a session. */
const clients = new Map();

/**
 * Why a client's session ended, until a sign-in has said it: the element that heard of the end may
 * be gone by then.
 */
export const endings = new WeakMap();

/** How many backup codes a client's sign-in has left over, until an account has said it. */
export const spent = new WeakMap();

const ENDINGS = { refused: 'problem.REFRESH_REFUSED', elsewhere: 'problem.AUTH_REQUIRED' };

/** The searches for a cookie's session, so that the elements of a client share one. */
const searches = new WeakMap();

/** Whether the person has used one of the elements: until then, the page decides on the focus. */
let isUsed = false;
const used = () => {
  isUsed = true;
};

export class LatchkeyElement extends Base {
  /** The tables of words that the element speaks from. */
  static words = [TEXTS];

  #client = null;
  #texts = {};
  #clocks = [];
  #connected = false;
  /** What comes once the person lets go of what is shown only once. */
  #late = null;
  /** Waits until the element is seen, to give it the focus. */
  #unseen = null;

  connectedCallback() {
    // Properties that a page set before the element was defined hide the accessors below.
    for (const name of ['client', 'texts'].filter((each) => Object.hasOwn(this, each))) {
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    if (this.shadowRoot === null) {
      adopt(this.attachShadow({ mode: 'open', delegatesFocus: false }));
    }
    this.#connected = true;
    // Safari gives no focus to a button that is pressed.
    for (const kind of ['focusin', 'pointerdown']) this.addEventListener(kind, used);
    if (this.#client === null && this.hasAttribute('awaits-client')) return;
    const language = this.closest('[lang]')?.getAttribute('lang') || document.documentElement.lang || navigator.language;
    this.voice = speaker(language, this.constructor.words, this.#texts);
    this.shadowRoot.replaceChildren();
    this.stage = make('div', { part: 'stage' });
    this.said = make('p', { class: 'said', part: 'message', role: 'status', 'aria-live': 'polite' });
    this.shadowRoot.append(this.stage, this.said);
    this.start();
  }

  disconnectedCallback() {
    this.#connected = false;
    this.#clocks.forEach(clearInterval);
    this.#clocks = [];
    this.#unseen?.disconnect();
    if (this.stage !== undefined) this.stop();
  }

  /** The client that the page gives, or one by the attributes `api-url` and `token-delivery`. */
  get client() {
    if (this.#client === null) {
      const apiUrl = new URL(this.getAttribute('api-url') ?? location.origin, location.href).href;
      const tokenDelivery = this.getAttribute('token-delivery') ?? 'body';
      const key = `${apiUrl} ${tokenDelivery}`;
      if (!clients.has(key)) clients.set(key, createLatchkey({ apiUrl, tokenDelivery }));
      this.#client = clients.get(key);
    }
    return this.#client;
  }

  set client(client) {
    this.#client = client;
    this.#again();
  }

  /** The page's own words, by the keys of the tables. */
  set texts(texts) {
    this.#texts = { ...texts };
    this.#again();
  }

  get texts() {
    return this.#texts;
  }

  #again() {
    if (!this.#connected) return;
    // The words that come before the client are read when it comes.
    if (this.#client === null && this.hasAttribute('awaits-client')) return;
    this.unlessKept(() => {
      this.disconnectedCallback();
      this.connectedCallback();
    });
  }

  /**
   * In cookie mode, looks for the session that the cookie holds: once for all elements of a client,
   * and once more after a sibling's word. Whoever listens to the client hears of it.
   */
  async search(again = false) {
    const { client } = this;
    if (client.tokenDelivery !== 'cookie' || client.loadSession() !== null) return;
    if (!searches.has(client) || (again && searches.get(client).isOver)) {
      const search = { isOver: false };
      const over = () => {
        search.isOver = true;
      };
      search.end = client.restore().then(over, over);
      searches.set(client, search);
    }
    await searches.get(client).end;
  }

  /** Notes why a session ended. A person's own sign-out needs no words. */
  noteEnd({ session, reason }) {
    if (session !== null) endings.delete(this.client);
    else if (Object.hasOwn(ENDINGS, reason)) endings.set(this.client, ENDINGS[reason]);
  }

  /** Shows what is shown only once. It stays, on a hidden element too, until `letGo`. */
  keep(view) {
    this.show(view);
    this.setAttribute('data-keeps', '');
  }

  letGo(next) {
    const late = this.#late ?? next;
    this.#late = null;
    this.removeAttribute('data-keeps');
    late();
  }

  /** Does at once what replaces the view, or once the person lets go of it. */
  unlessKept(work) {
    if (this.hasAttribute('data-keeps')) this.#late = work;
    else work();
  }

  /**
   * Shows one step. Its heading takes the focus, so that a screen reader announces the step; a
   * field may take it instead.
   */
  show({ title, hint, content, ways = [], focus }) {
    this.#clocks.forEach(clearInterval);
    this.#clocks = [];
    const heading = make('h2', { tabindex: '-1', part: 'title' }, this.voice.say(title));
    const quiet = ways.filter(Boolean).map(({ node, say, onclick }) =>
      node ?? make('button', { type: 'button', part: 'quiet', onclick }, this.voice.say(say)),
    );
    this.stage.replaceChildren(
      heading,
      ...(hint ? [make('p', { class: 'hint', part: 'hint' }, hint)] : []),
      ...content.filter(Boolean),
      ...(quiet.length > 0 ? [make('div', { class: 'ways', part: 'ways' }, ...quiet)] : []),
    );
    // Not at first: the page decides about its own focus.
    if (this.hasShown || isUsed) this.#focus(focus ?? heading);
    this.hasShown = true;
  }

  /** Gives a node the focus, once the element is seen and the person is not at something else. */
  #focus(node) {
    this.#unseen?.disconnect();
    if (this.checkVisibility()) {
      if (!isElsewhere(this)) node.focus();
      return;
    }
    this.#unseen = new ResizeObserver(() => this.checkVisibility() && this.#focus(node));
    this.#unseen.observe(this);
  }

  tell(text, { good = false, requestId } = {}) {
    this.said.classList.toggle('wrong', text !== '' && !good);
    this.said.classList.toggle('good', good);
    this.said.replaceChildren(text, ...this.#small(requestId));
  }

  tellProblem(problem) {
    this.tell(sentence(this.voice, problem), { requestId: this.#unknown(problem) });
  }

  /** A problem in the place of what it has prevented. */
  problemNote(problem) {
    return make('p', { class: 'note wrong', role: 'alert' }, sentence(this.voice, problem), ...this.#small(this.#unknown(problem)));
  }

  #unknown({ code, requestId }) {
    return this.voice.has(`problem.${code}`) ? undefined : requestId;
  }

  #small(requestId) {
    return requestId ? [make('span', { class: 'small' }, ` ${this.voice.say('problem.request', { requestId })}`)] : [];
  }

  /** Runs a step's work. A failure is shown, at the fields if it names some. */
  async attempt(fields, work) {
    this.tell('');
    try {
      await work();
    } catch (problem) {
      markFields(this.voice, fields, problem);
      this.tellProblem(problem);
    }
  }

  /** Runs at once and every second, until the next step. */
  every(work) {
    const clock = setInterval(work, 1_000);
    this.#clocks.push(clock);
    work();
  }

  dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  start() {}
  stop() {}
}

/** Whether the focus is at something that can be seen outside of an element. */
function isElsewhere(element) {
  const active = document.activeElement;
  for (let node = element; node; node = node.parentNode ?? node.host) if (node === active) return false;
  return active?.checkVisibility() ?? false;
}

export function define(name, element) {
  if (globalThis.customElements && !customElements.get(name)) customElements.define(name, element);
}
