// Compiled, never run: the declarations must take what a page writes, and refuse what it must not.
import {
  authFetch,
  clearSession,
  configure,
  createLatchkey,
  ensureValidIdToken,
  getAccessToken,
  isTokenDeliveryEvent,
  LatchkeyError,
  loadSession,
  onSessionChange,
  readClaims,
  refreshSession,
  storeSession,
  type Session,
  type SignInAnswer,
} from '@latchkey/auth-browser';
import { type WorkChallenge, solveChallenge } from '@latchkey/auth-browser/proof-of-work';

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

export async function use(answer: SignInAnswer): Promise<void> {
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
