/** The account's sessions: each one can be ended, and all others at once. */
import { make, section } from './parts.js';

export class SessionsSection {
  #account;

  constructor(account) {
    this.#account = account;
  }

  view() {
    const account = this.#account;
    return section(
      account.voice,
      'sessions',
      'account.sessions',
      account.later(async () => this.#list((await account.client.listSessions()).sessions)),
    );
  }

  #list(sessions) {
    const account = this.#account;
    const others = sessions.filter(({ current }) => !current);
    const ordered = [...sessions.filter(({ current }) => current), ...others];
    return [
      make('ul', { class: 'rows', part: 'sessions' }, ...ordered.map((session) => this.#row(session))),
      others.length > 0
        ? make('div', {}, account.button('account.endOthers', () => this.#end('account.othersEnded', () => account.client.endOtherSessions())))
        : null,
    ];
  }

  #row({ sessionId, device, country, method, createdAt, lastUsedAt, publicClient, current }) {
    const account = this.#account;
    const { voice } = account;
    const named = account.device(device);
    const where = [named, country && voice.country(country), current && voice.say('account.here')].filter(Boolean).join(' · ');
    const signedIn = voice.say('account.signedIn', { date: voice.date(createdAt), method: voice.say(`account.method.${method}`) });
    const done = publicClient ? 'account.endedWithOthers' : 'account.ended';
    const end = () => this.#end(done, () => account.client.endSession({ sessionId }));
    return make(
      'li',
      { 'data-current': current },
      make(
        'div',
        {},
        make('strong', {}, where),
        make('p', { class: 'note' }, `${voice.say('account.lastUsed', { date: voice.date(lastUsedAt) })} ${signedIn}`),
      ),
      current ? null : account.button('account.end', end, 'quiet', { 'aria-label': voice.say('account.endOn', { device: named }) }),
    );
  }

  #end(done, end) {
    const account = this.#account;
    return account.attempt([], async () => {
      await end();
      await account.overview('sessions');
      account.tell(account.voice.say(done), { good: true });
    });
  }
}
