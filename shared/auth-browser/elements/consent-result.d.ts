import type { LatchkeyElement } from './base.js';

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

declare global {
  interface HTMLElementTagNameMap {
    'latchkey-consent-result': LatchkeyConsentResult;
  }
  interface HTMLElementEventMap {
    'latchkey-consent-result': CustomEvent<ConsentOutcome>;
  }
}
