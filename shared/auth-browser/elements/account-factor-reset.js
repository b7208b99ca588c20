/** An operator's reset of the second factors that waits, and the guest's way to stop it. */
import { make, section } from './parts.js';

/** Nothing where no reset waits. It stands above all sections, whichever a page has chosen. */
export function factorReset(account, { factorResetAt }) {
  if (factorResetAt === undefined) return null;
  const { voice } = account;
  const keep = async () => {
    await account.client.keepFactors();
    await account.overview();
    account.tell(voice.say('account.factorsKept'), { good: true });
  };
  return section(
    voice,
    'factor-reset',
    'account.factorReset',
    make('p', { class: 'note' }, voice.say('account.factorResetHint', { date: voice.date(factorResetAt) })),
    make('div', { class: 'buttons' }, account.button('account.keepFactors', () => account.attempt([], keep))),
  );
}
