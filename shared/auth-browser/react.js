'use client';
/**
 * React over the same client and elements: a provider, two hooks, and four components. Needs React
 * 18 or 19.
 */
import { createContext, createElement, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import './components.js';
import { createLatchkey } from './latchkey.js';

const Context = createContext(null);

/**
 * React's view: the session as one value that changes only when its tokens do. It is read from the
 * client each time, since the session may change while no component listens.
 */
function storeOf(client) {
  let seen = null;
  return {
    client,
    snapshot: () => {
      const session = client.loadSession();
      if (session?.accessToken !== seen?.accessToken) seen = session;
      return seen;
    },
    subscribe: (changed) => client.onSessionChange(changed),
  };
}

/** Gives the components below it one client: `client`, or one made of the other properties. */
export function LatchkeyProvider({ children, client, ...options }) {
  const made = useRef(null);
  made.current ??= client ?? createLatchkey(isServer() ? { ...options, storage: 'memory' } : options);
  const latchkey = client ?? made.current;
  const store = useMemo(() => storeOf(latchkey), [latchkey]);
  useEffect(
    () =>
      latchkey.onSessionChange(({ reason, session }) => {
        // In cookie mode this may be a sign-in in another tab.
        if (reason === 'elsewhere' && session === null) latchkey.restore().catch(() => {});
      }),
    [latchkey],
  );
  return createElement(Context.Provider, { value: store }, children);
}

function useStore() {
  const store = useContext(Context);
  if (store === null) throw new Error('this needs a <LatchkeyProvider> around it');
  return store;
}

/** The client. */
export function useLatchkey() {
  return useStore().client;
}

/** The session; null without one, undefined while a server renders and does not know. */
export function useSession() {
  const { subscribe, snapshot } = useStore();
  return useSyncExternalStore(subscribe, snapshot, () => undefined);
}

function element(name, event) {
  return function LatchkeyComponent({ texts, onDone, ...attributes }) {
    const { client } = useStore();
    const reference = useRef(null);
    const given = useRef({ node: null });
    const done = useRef(onDone);
    done.current = onDone;
    useEffect(() => {
      const node = reference.current;
      // A new property restarts the element: set equal values once.
      const isNew = given.current.node !== node;
      if (texts !== undefined && (isNew || !areAlike(given.current.texts, texts))) node.texts = texts;
      if (isNew || given.current.client !== client) node.client = client;
      given.current = { node, client, texts };
      const listener = (each) => done.current?.(each.detail);
      node.addEventListener(event, listener);
      return () => node.removeEventListener(event, listener);
    }, [client, texts]);
    // React sets an element's properties after the document contains it, and the element waits for
    // them.
    return createElement(name, { ref: reference, 'awaits-client': '', ...attributes });
  };
}

/** `<latchkey-sign-in>` with the provider's client; `onDone` hears of the session. */
export const SignIn = element('latchkey-sign-in', 'latchkey-signed-in');

/** `<latchkey-account>` with the provider's client; `onDone` hears of the sign-out. */
export const Account = element('latchkey-account', 'latchkey-signed-out');

/** `<latchkey-consent-result>` with the provider's client; `onDone` hears of the outcome. */
export const ConsentResult = element('latchkey-consent-result', 'latchkey-consent-result');

/** Its children for a signed-in person; `fallback`, or a sign-in, for all others. */
export function Protected({ children, fallback }) {
  const session = useSession();
  const client = useLatchkey();
  const [looking, setLooking] = useState(true);
  useEffect(() => {
    let left = false;
    // In cookie mode a new tab has its session still to find.
    client.restore().catch(() => {}).finally(() => left || setLooking(false));
    return () => {
      left = true;
    };
  }, [client]);
  if (session === undefined || (looking && session === null)) return null;
  if (fallback !== undefined) return session === null ? fallback : children;
  return createElement(UntilSignedIn, { isSignedIn: session !== null }, children);
}

/**
 * The sign-in stays until its conversation ends: it may offer a passkey after the session begins.
 */
function UntilSignedIn({ children, isSignedIn }) {
  const [asks, setAsks] = useState(!isSignedIn);
  useEffect(() => {
    if (!isSignedIn) setAsks(true);
  }, [isSignedIn]);
  return asks || !isSignedIn ? createElement(SignIn, { onDone: () => setAsks(false) }) : children;
}

/** Words that a page writes in its markup are another object each time it renders. */
function areAlike(one = {}, other) {
  const keys = Object.keys(other);
  return keys.length === Object.keys(one).length && keys.every((key) => one[key] === other[key]);
}

function isServer() {
  return typeof document === 'undefined';
}
