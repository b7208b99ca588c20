import type { Latchkey, Session } from './latchkey.js';

/**
 * The common part of the elements. Custom properties (`--latchkey-accent` …) and parts (`primary`,
 * `input` …) style them.
 */
export interface LatchkeyElement extends HTMLElement {
  /** Their client; without one, the attributes `api-url` and `token-delivery` make it. */
  client: Latchkey;
  /** The page's own words, by the keys of `TEXTS`. */
  texts: Readonly<Record<string, string>>;
}

/**
 * `<latchkey-sign-in>`. Attributes: `api-url`, `token-delivery`, `email`, `ways` (of `code password
 * passkey register`; the first is asked first, unless the device has a passkey), `remember-days`
 * (the deployment's `REMEMBER_DEVICE_DAYS`: 30, or 0 where no browser is spared the second factor).
 * Events: `latchkey-signed-in`, once nothing more is asked, and `latchkey-step`.
 */
export interface LatchkeySignIn extends LatchkeyElement {}
export const LatchkeySignIn: { new (): LatchkeySignIn; prototype: LatchkeySignIn };

/**
 * `<latchkey-account>`. Attributes: `api-url`, `token-delivery`, `sections` (of `profile address
 * password passkeys authenticator sessions activity data sign-out`). Event: `latchkey-signed-out`.
 */
export interface LatchkeyAccount extends LatchkeyElement {}
export const LatchkeyAccount: { new (): LatchkeyAccount; prototype: LatchkeyAccount };

/** The outcome of an agent's request. */
export type ConsentOutcome =
  | 'allowed'
  | 'AUTH_CANCELLED'
  | 'USER_MISMATCH'
  | 'INVALID_SESSION'
  | 'SESSION_EXPIRED'
  | 'failed'
  | 'unsure';

/**
 * `<latchkey-consent-result>`, for the page that the browser comes back to when an agent has asked
 * to act for a person. Attribute: `api-url`. Event: `latchkey-consent-result`.
 */
export interface LatchkeyConsentResult extends LatchkeyElement {}
export const LatchkeyConsentResult: { new (): LatchkeyConsentResult; prototype: LatchkeyConsentResult };

/** The elements' words, by language and key. */
export const TEXTS: Readonly<Record<'en' | 'de', Readonly<Record<string, string>>>>;

declare global {
  interface HTMLElementTagNameMap {
    'latchkey-sign-in': LatchkeySignIn;
    'latchkey-account': LatchkeyAccount;
    'latchkey-consent-result': LatchkeyConsentResult;
  }
  interface HTMLElementEventMap {
    'latchkey-signed-in': CustomEvent<Session>;
    'latchkey-signed-out': CustomEvent<{ everywhere: boolean }>;
    'latchkey-consent-result': CustomEvent<ConsentOutcome>;
    'latchkey-step': CustomEvent<string>;
  }
}
