import type { LatchkeyElement } from './base.js';

/**
 * `<latchkey-account>`. Attributes: `api-url`, `token-delivery`, `sections` (of `profile address
 * password passkeys authenticator sessions activity data sign-out`). Event: `latchkey-signed-out`.
 */
export interface LatchkeyAccount extends LatchkeyElement {}
export const LatchkeyAccount: { new (): LatchkeyAccount; prototype: LatchkeyAccount };

declare global {
  interface HTMLElementTagNameMap {
    'latchkey-account': LatchkeyAccount;
  }
  interface HTMLElementEventMap {
    'latchkey-signed-out': CustomEvent<{ everywhere: boolean }>;
  }
}
