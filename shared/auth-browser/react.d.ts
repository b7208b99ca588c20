import type { ReactNode } from 'react';
import type { ConsentOutcome } from './components.js';
import type { Latchkey, LatchkeyOptions, Session } from './latchkey.js';

export interface LatchkeyProviderProps extends LatchkeyOptions {
  children?: ReactNode;
  /** A client of the page's own, in place of one that the other properties make. */
  client?: Latchkey;
}

/** Gives the components below it one client. */
export function LatchkeyProvider(props: LatchkeyProviderProps): ReactNode;

/** The client. */
export function useLatchkey(): Latchkey;

/** The session; null without one, undefined while a server renders and does not know. */
export function useSession(): Session | null | undefined;

export interface ElementProps<Detail> {
  className?: string;
  lang?: string;
  /** The page's own words, by the keys of `TEXTS`. */
  texts?: Readonly<Record<string, string>>;
  onDone?: (detail: Detail) => void;
}

/** `<latchkey-sign-in>`; `ways`, `email` and `remember-days` are its attributes. */
export function SignIn(props: ElementProps<Session> & { ways?: string; email?: string; 'remember-days'?: number }): ReactNode;

/** `<latchkey-account>`; `sections` is its attribute. */
export function Account(props: ElementProps<{ everywhere: boolean }> & { sections?: string }): ReactNode;

/** `<latchkey-consent-result>`, for the page that the browser comes back to. */
export function ConsentResult(props: ElementProps<ConsentOutcome>): ReactNode;

/**
 * Its children for a signed-in person; `fallback`, or a sign-in, for all others. The sign-in stays
 * until its conversation ends.
 */
export function Protected(props: { children?: ReactNode; fallback?: ReactNode }): ReactNode;
