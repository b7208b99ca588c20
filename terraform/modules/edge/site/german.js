/** What the page says in German; the keys are those of page.js. */
export const de = {
  title: 'Anmelden',
  success: 'Der Agent darf jetzt für Sie handeln. Sie können diese Seite schließen.',
  AUTH_CANCELLED: 'Sie haben dem Agenten nicht erlaubt, für Sie zu handeln. Sie können diese Seite schließen.',
  USER_MISMATCH: 'Diese Anfrage hat jemand anders oder ein anderer Browser begonnen. Dem Agenten wurde nichts erlaubt.',
  SESSION_EXPIRED: 'Das hat zu lange gedauert, und dem Agenten wurde nichts erlaubt. Bitten Sie ihn, es noch einmal zu versuchen.',
  error: 'Dem Agenten wurde nichts erlaubt. Bitten Sie ihn, es noch einmal zu versuchen.',
};
