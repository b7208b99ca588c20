/**
 * Defines `<latchkey-sign-in>`, `<latchkey-account>` and `<latchkey-consent-result>`. Each also has
 * its own import (`latchkey/components/sign-in` …), for pages with only one. On a server this
 * defines nothing, and can still be imported.
 */
import { ACCOUNT_TEXTS } from './elements/account-texts.js';
import { CONSENT_TEXTS } from './elements/consent-texts.js';
import { TEXTS as COMMON_TEXTS } from './elements/texts.js';

export { LatchkeyAccount } from './elements/account.js';
export { LatchkeyConsentResult } from './elements/consent-result.js';
export { LatchkeySignIn } from './elements/sign-in.js';

export const TEXTS = {
  en: { ...COMMON_TEXTS.en, ...ACCOUNT_TEXTS.en, ...CONSENT_TEXTS.en },
  de: { ...COMMON_TEXTS.de, ...ACCOUNT_TEXTS.de, ...CONSENT_TEXTS.de },
};
