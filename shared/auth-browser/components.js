/**
 * Defines `<latchkey-sign-in>`, `<latchkey-account>` and `<latchkey-consent-result>`. On a server it
 * defines nothing, and can be imported all the same.
 */
export { LatchkeyAccount } from './elements/account.js';
export { LatchkeyConsentResult } from './elements/consent-result.js';
export { LatchkeySignIn } from './elements/sign-in.js';
export { TEXTS } from './elements/texts.js';
