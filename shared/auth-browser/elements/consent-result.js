/**
 * `<latchkey-consent-result>`: shows the outcome of an agent's request, on the page to which the
 * browser returns (`?auth=…`). Without such an address it shows nothing.
 *
 * Anyone can write the address, so a success is checked at the API. The address is cleared, so a
 * reload shows nothing again. Attributes: `api-url`. Properties: `client`, `texts`. Event:
 * `latchkey-consent-result` with the outcome as `detail`.
 */
import { LatchkeyElement, define } from './base.js';
import { CONSENT_TEXTS } from './consent-texts.js';
import { TEXTS } from './texts.js';

/**
 * The reasons why the API sent the browser back without a consent. Other codes get a general text.
 */
const REASONS = new Set(['AUTH_CANCELLED', 'USER_MISMATCH', 'INVALID_SESSION', 'SESSION_EXPIRED']);

const BY_STATUS = { COMPLETED: 'allowed', EXPIRED: 'SESSION_EXPIRED', FAILED: 'failed', PENDING: 'failed' };

const TITLES = { allowed: 'consent.yes', unsure: 'consent.unsure' };

export class LatchkeyConsentResult extends LatchkeyElement {
  static words = [TEXTS, CONSENT_TEXTS];

  #told = null;

  start() {
    this.#told ??= this.#readAddress();
    this.hidden = this.#told === null;
    if (this.#told !== null) void this.#tell();
  }

  #readAddress() {
    const query = new URLSearchParams(location.search);
    const auth = query.get('auth');
    if (auth !== 'success' && auth !== 'error') return null;
    history.replaceState(history.state, '', location.pathname + location.hash);
    return { isSuccess: auth === 'success', sessionId: query.get('session_id') ?? '', code: query.get('code') ?? '' };
  }

  async #tell() {
    const outcome = await this.#outcome();
    const said = REASONS.has(outcome) || Object.hasOwn(TITLES, outcome) ? outcome : 'failed';
    this.setAttribute('data-outcome', said);
    this.show({
      title: TITLES[said] ?? 'consent.no',
      hint: this.voice.say(`consent.${said}`),
      content: [],
    });
    this.dispatch('latchkey-consent-result', said);
  }

  async #outcome() {
    const { isSuccess, sessionId, code } = this.#told;
    if (!isSuccess) return code;
    try {
      const { status } = await this.client.getSessionStatus({ sessionId });
      return BY_STATUS[status] ?? 'failed';
    } catch (problem) {
      return problem.status === undefined || problem.status >= 429 ? 'unsure' : 'failed';
    }
  }
}

define('latchkey-consent-result', LatchkeyConsentResult);
