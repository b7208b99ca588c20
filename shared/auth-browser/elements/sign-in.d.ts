import type { Session } from '../latchkey.js';
import type { LatchkeyElement } from './base.js';

/**
 * `<latchkey-sign-in>`. Attributes: `api-url`, `token-delivery`, `email`, `ways` (of `code password
 * passkey register`; the first is asked first, unless the device has a passkey), `remember-days`
 * (the deployment's `REMEMBER_DEVICE_DAYS`: 30, or 0 where no browser is spared the second factor).
 * Events: `latchkey-signed-in`, once nothing more is asked, and `latchkey-step`.
 */
export interface LatchkeySignIn extends LatchkeyElement {}
export const LatchkeySignIn: { new (): LatchkeySignIn; prototype: LatchkeySignIn };

declare global {
  interface HTMLElementTagNameMap {
    'latchkey-sign-in': LatchkeySignIn;
  }
  interface HTMLElementEventMap {
    'latchkey-signed-in': CustomEvent<Session>;
    'latchkey-step': CustomEvent<string>;
  }
}
