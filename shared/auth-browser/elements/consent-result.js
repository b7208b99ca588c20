/**
 * `<latchkey-consent-result>`: says what became of an agent's request, on the page that the
 * browser comes back to (`?auth=…`). Without such an address it shows nothing.
 *
 * The address is anybody's to write, so a success is looked up at the API. The address is cleared:
 * a reload is no news. Attributes: `api-url`. Properties: `client`, `texts`. Event:
 * `latchkey-consent-result` with the outcome as `detail`.
 */
import { LatchkeyElement, define } from './base.js';

/** Why the API sent the browser back without a consent. Other codes are told in general. */
const REASONS = new Set(['AUTH_CANCELLED', 'USER_MISMATCH', 'INVALID_SESSION', 'SESSION_EXPIRED']);

const BY_STATUS = { COMPLETED: 'allowed', EXPIRED: 'SESSION_EXPIRED', FAILED: 'failed', PENDING: 'failed' };

const TITLES = { allowed: 'consent.yes', unsure: 'consent.unsure' };

export class LatchkeyConsentResult extends LatchkeyElement {
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
