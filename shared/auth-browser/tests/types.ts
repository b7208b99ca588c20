// Compiled, never run: the declarations must accept a page's code, and refuse its mistakes.
import {
  authFetch,
  clearSession,
  configure,
  createLatchkey,
  ensureValidIdToken,
  getAccessToken,
  isProblem,
  isTokenDeliveryEvent,
  LatchkeyError,
  loadSession,
  onSessionChange,
  readClaims,
  refreshSession,
  storeSession,
  type Session,
  type SignInTokens,
} from 'latchkey';
import { LatchkeyAccount, TEXTS } from 'latchkey/components';
import 'latchkey/components/sign-in';
import { Account, ConsentResult, LatchkeyProvider, Protected, SignIn, useLatchkey, useSession } from 'latchkey/react';
import { createTokenVerifier, renewCookies } from 'latchkey/server';
import { agentTransport, tokenDeliveryFrom } from 'latchkey/streams';
import { createElement, type ReactNode } from 'react';
import { type WorkChallenge, solveChallenge } from 'latchkey/proof-of-work';

configure({ apiUrl: 'https://example.com/api', storage: 'local' });
createLatchkey({ storage: sessionStorage, fetch, locks: navigator.locks, now: () => Date.now() });
createLatchkey({ locks: null });
// @ts-expect-error: cookies are not a storage
configure({ storage: 'cookie' });

export function onMessage(message: unknown): Session | undefined {
  // @ts-expect-error: unknown things are not events
  storeSession(message);
  if (!isTokenDeliveryEvent(message)) return undefined;
  const success: true = message.success;
  return success ? storeSession(message) : undefined;
}

export async function use(answer: SignInTokens): Promise<void> {
  const session = storeSession(answer);
  // @ts-expect-error: a session does not change
  session.accessToken = '';
  // @ts-expect-error: null in cookie mode
  const refreshToken: string = session.refreshToken;
  const tokens: string[] = [await getAccessToken(), await ensureValidIdToken(), refreshToken];
  const response: Response = await authFetch(new URL('https://example.com/api/me'), { method: 'PATCH' });
  const renewed: Session = await refreshSession();
  const stop: () => void = onSessionChange(({ reason, session: now }) => {
    // @ts-expect-error: no such reason
    if (reason === 'expired' || now === null) clearSession();
  });
  stop();
  const claims: Record<string, unknown> | null = readClaims(tokens[0]);
  try {
    loadSession()?.email.toUpperCase();
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'NO_SESSION') throw error;
  }
  void [response, renewed, claims];
}

export async function work(challenge: WorkChallenge): Promise<string> {
  // @ts-expect-error: a challenge does not change
  challenge.parameters.cost = 1;
  const { signal } = new AbortController();
  return solveChallenge(challenge, { signal, onProgress: (progress: number) => void progress });
}

const client = createLatchkey({ apiUrl: 'https://example.com/api', tokenDelivery: 'cookie' });

export async function call(): Promise<string | undefined> {
  // @ts-expect-error: an address is needed
  await client.initiateOtp({});
  // @ts-expect-error: no such operation
  void client.deleteEverything;
  const { sessionToken } = await client.initiateOtp({ email: 'ada@example.com' }, { timeoutMs: 5_000 });
  try {
    const answer = await client.verifyOtp({ email: 'ada@example.com', code: '12345678', sessionToken });
    // @ts-expect-error: a second factor may be missing
    void answer.user;
    if ('user' in answer) return answer.user.guestId;
    const missing: true = 'mfaRequired' in answer ? answer.mfaRequired : answer.mfaSetupRequired;
    void missing;
  } catch (error) {
    if (isProblem(error, 'verifyOtp')) {
      // @ts-expect-error: this operation never says so
      if (error.code === 'EMAIL_EXISTS') return undefined;
      if (error.code === 'INVALID_OTP') return `${error.attemptsRemaining ?? 0} left`;
      if (error.code === 'UNREACHABLE') return error.retryAfterSeconds?.toFixed();
    }
  }
  await client.signOut({ everywhere: true });
  const restored: Session | null = await client.restore();
  return restored?.email;
}

export async function streams(response: Response): Promise<void> {
  const event = await tokenDeliveryFrom(response, { email: 'ada@example.com' });
  if (event !== null) client.storeSession(event);
  const send = agentTransport({ latchkey: client, endpoint: '/agent', onOtherPerson: (_, accept) => void accept() });
  await send('/agent', { method: 'POST', body: '{}' });
  // @ts-expect-error: tokens do not travel in addresses
  agentTransport({ latchkey: client, endpoint: '/agent', token: 'query' });
}

export async function server(header: string | null): Promise<string | null> {
  const verify = createTokenVerifier({ issuer: 'https://issuer.example', clientId: ['a', 'b'] });
  const { accessToken, setCookies } = await renewCookies(header, { apiUrl: 'https://example.com/api' });
  setCookies.forEach((cookie: string) => void cookie);
  return accessToken === null ? null : (await verify(accessToken)).sub;
}

export async function alone(): Promise<unknown[]> {
  const { LatchkeySignIn } = await import('latchkey/components/sign-in');
  const { LatchkeyAccount: Alone } = await import('latchkey/components/account');
  const { LatchkeyConsentResult } = await import('latchkey/components/consent-result');
  // @ts-expect-error: another element is another import
  void (await import('latchkey/components/sign-in')).LatchkeyAccount;
  // @ts-expect-error: another element is another import
  void (await import('latchkey/components/account')).LatchkeySignIn;
  // @ts-expect-error: the words of all elements come with all elements
  void (await import('latchkey/components/consent-result')).TEXTS;
  return [LatchkeySignIn, Alone, LatchkeyConsentResult];
}

export function elements(page: Document): void {
  const signIn = page.createElement('latchkey-sign-in');
  signIn.client = client;
  signIn.texts = { 'start.title': 'Welcome' };
  signIn.addEventListener('latchkey-signed-in', ({ detail }) => void detail.email);
  // @ts-expect-error: texts are words
  signIn.texts = { 'start.title': 7 };
  void [page.createElement('latchkey-account'), TEXTS.de['start.title'], LatchkeyAccount];
}

export function Page(): ReactNode {
  const session = useSession();
  void useLatchkey().signOut({ everywhere: true });
  const inside = createElement(Protected, { fallback: createElement(SignIn, { onDone: ({ email }) => void email }) });
  const result = createElement(ConsentResult, { onDone: (outcome) => void (outcome === 'allowed') });
  return createElement(LatchkeyProvider, { client, children: [session?.email, inside, createElement(Account, {}), result] });
}
