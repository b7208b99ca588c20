/**
 * Defines `<latchkey-sign-in>` and `<latchkey-account>`. On a server it defines nothing, and can be
 * imported all the same.
 */
export { LatchkeyAccount } from './elements/account.js';
export { LatchkeySignIn } from './elements/sign-in.js';
export { TEXTS } from './elements/texts.js';
