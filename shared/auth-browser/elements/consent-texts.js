/** The words of `<latchkey-consent-result>` beside those of all elements, by language. */
const en = {
  'consent.yes': 'The agent may act for you',
  'consent.no': 'Nothing was allowed',
  'consent.unsure': 'We could not check what happened',
  'consent.allowed': 'You can close this page now. To take it back at any time, sign out on all devices.',
  'consent.AUTH_CANCELLED': 'You have not allowed the agent to act for you. You can close this page.',
  'consent.USER_MISMATCH': 'This request was begun by somebody else, or in another browser. Ask the agent for a new link.',
  'consent.INVALID_SESSION': 'This request does not count any more. Ask the agent for a new link, and sign in when you are asked to.',
  'consent.SESSION_EXPIRED': 'This took too long. Ask the agent for a new link.',
  'consent.failed': 'Ask the agent for a new link, and try again.',
};

const de = {
  'consent.yes': 'Der Agent darf für Sie handeln',
  'consent.no': 'Es wurde nichts erlaubt',
  'consent.unsure': 'Das Ergebnis ließ sich nicht prüfen',
  'consent.allowed': 'Sie können diese Seite schließen. Wenn Sie sich auf allen Geräten abmelden, nehmen Sie die Erlaubnis zurück.',
  'consent.AUTH_CANCELLED': 'Sie haben dem Agenten nicht erlaubt, für Sie zu handeln. Sie können diese Seite schließen.',
  'consent.USER_MISMATCH': 'Diese Anfrage hat jemand anders oder ein anderer Browser begonnen. Bitten Sie den Agenten um einen neuen Link.',
  'consent.INVALID_SESSION': 'Diese Anfrage gilt nicht mehr. Bitten Sie den Agenten um einen neuen Link, und melden Sie sich an, wenn Sie danach gefragt werden.',
  'consent.SESSION_EXPIRED': 'Das hat zu lange gedauert. Bitten Sie den Agenten um einen neuen Link.',
  'consent.failed': 'Bitten Sie den Agenten um einen neuen Link, und versuchen Sie es noch einmal.',
};

export const CONSENT_TEXTS = { en, de };
