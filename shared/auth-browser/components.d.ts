export { LatchkeyAccount } from './elements/account.js';
export { LatchkeyConsentResult } from './elements/consent-result.js';
export { LatchkeySignIn } from './elements/sign-in.js';
export type { LatchkeyElement } from './elements/base.js';
export type { ConsentOutcome } from './elements/consent-result.js';

/** The elements' words, by language and key. */
export const TEXTS: Readonly<Record<'en' | 'de', Readonly<Record<string, string>>>>;
