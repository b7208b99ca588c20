/** The events of the account, newest first, in pages. */
import { make, section } from './parts.js';

const PAGE = 20;

export class ActivitySection {
  #account;

  constructor(account) {
    this.#account = account;
  }

  view() {
    const account = this.#account;
    return section(
      account.voice,
      'activity',
      'account.activity',
      make('p', { class: 'note' }, account.voice.say('account.activityHint')),
      make('div', { class: 'buttons' }, account.button('account.showActivity', () => account.attempt([], () => this.#show()))),
    );
  }

  async #show() {
    const account = this.#account;
    const { client, voice } = account;
    const list = make('ul', { class: 'rows', part: 'activity' });
    let before;
    const more = account.button('account.more', () => account.attempt([], next));
    const next = async () => {
      const page = await client.listActivity({ limit: PAGE, before });
      before = page.before;
      more.hidden = before === undefined;
      const rows = page.events.map((event) => this.#row(event));
      list.append(...rows);
      // The button may be gone, and the new rows are the answer.
      rows[0]?.focus();
    };
    await next();
    account.show({
      title: 'account.activity',
      hint: list.childElementCount === 0 ? voice.say('account.noActivity') : undefined,
      content: [list, more],
      ways: [account.back('activity')],
    });
  }

  #row({ at, type, by, method, device, country }) {
    const account = this.#account;
    const { voice } = account;
    const known = voice.has(`account.event.${type}`) ? `account.event.${type}` : 'account.event';
    const details = [
      voice.date(at),
      method && voice.say(`account.method.${method}`),
      device && account.device(device),
      country && voice.country(country),
      by === 'guest' ? null : voice.say(by === 'operator' ? 'account.byOperator' : 'account.byLatchkey'),
    ];
    return make(
      'li',
      { tabindex: '-1' },
      make('div', {}, make('strong', {}, voice.say(known)), make('p', { class: 'note' }, details.filter(Boolean).join(' · '))),
    );
  }
}
