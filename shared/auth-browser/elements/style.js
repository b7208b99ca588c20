/**
 * The elements' look: every colour, space, font and radius is a custom property; light and dark by
 * the system.
 */
const RULES = `
:host {
  color-scheme: light dark;
  --lk-accent: var(--latchkey-accent, light-dark(#1f5fbf, #8ab4ff));
  --lk-on-accent: var(--latchkey-on-accent, light-dark(#ffffff, #0b1220));
  --lk-text: var(--latchkey-text, light-dark(#1a1d21, #eceff3));
  --lk-quiet: var(--latchkey-quiet, light-dark(#565d66, #aab2bd));
  --lk-surface: var(--latchkey-surface, light-dark(#ffffff, #16191d));
  --lk-line: var(--latchkey-line, light-dark(#7c8591, #78818d));
  --lk-wrong: var(--latchkey-wrong, light-dark(#b3261e, #ffb4ab));
  --lk-good: var(--latchkey-good, light-dark(#1c6b3a, #86d9a4));
  --lk-font: var(--latchkey-font, system-ui, sans-serif);
  --lk-size: var(--latchkey-size, 1rem);
  --lk-radius: var(--latchkey-radius, 0.5rem);
  --lk-space: var(--latchkey-space, 1rem);
  --lk-width: var(--latchkey-width, 24rem);
  display: block;
  box-sizing: border-box;
  inline-size: 100%;
  max-inline-size: var(--lk-width);
  color: var(--lk-text);
  background: var(--lk-surface);
  font: var(--lk-size) / 1.5 var(--lk-font);
}
:host([hidden]) { display: none; }
/* Before every rule of the page: what is shown only once must not vanish unread. */
:host([data-keeps]) { display: block !important; }
*, *::before { box-sizing: border-box; }
[hidden] { display: none !important; }
h2 { margin: 0 0 calc(var(--lk-space) / 2); font-size: 1.5em; line-height: 1.25; text-wrap: balance; }
h2:focus, h3:focus { outline: none; }
h3 { margin: 0; font-size: 1.125em; }
p { margin: 0; overflow-wrap: anywhere; }
.hint { color: var(--lk-quiet); margin-block-end: var(--lk-space); }
form, section { display: grid; gap: calc(var(--lk-space) / 2); }
section { margin-block-start: calc(var(--lk-space) * 1.5); }
.field { display: grid; gap: 0.25rem; }
label { font-weight: 600; }
input {
  inline-size: 100%;
  min-block-size: 2.75rem;
  padding: 0.5rem 0.75rem;
  font: inherit;
  font-size: max(1em, 16px);
  color: inherit;
  background: transparent;
  border: 1px solid var(--lk-line);
  border-radius: var(--lk-radius);
}
input[name='code'], input[name='backupCode'] { font-variant-numeric: tabular-nums; letter-spacing: 0.1em; }
input[aria-invalid] { border-color: var(--lk-wrong); box-shadow: inset 0 0 0 1px var(--lk-wrong); }
.choice { display: flex; align-items: center; gap: 0.5rem; font-weight: 400; }
.choice input { flex: none; inline-size: 1.25rem; min-block-size: 1.25rem; accent-color: var(--lk-accent); }
.with-eye { display: grid; grid-template-columns: 1fr auto; gap: 0.25rem; }
.eye { inline-size: 2.75rem; padding: 0; }
.note { min-block-size: 1.5em; font-size: 0.875em; color: var(--lk-quiet); }
.wrong { color: var(--lk-wrong); }
.wrong::before { content: '⚠ ' / ''; }
.said { min-block-size: 3em; font-size: 0.9375em; }
.said:not(:empty) { position: sticky; inset-block-end: 0; padding-block: 0.5rem; background: var(--lk-surface); }
/* What has the focus is not covered by what is said. */
button, input, [tabindex] { scroll-margin-block-end: 4.5em; }
.said.good { color: var(--lk-good); }
.small { font-size: 0.8125em; color: var(--lk-quiet); }
button {
  min-block-size: 2.75rem;
  padding: 0.5rem 1rem;
  font: inherit;
  color: var(--lk-accent);
  background: transparent;
  border: 1px solid transparent;
  border-radius: var(--lk-radius);
  cursor: pointer;
}
button.primary { color: var(--lk-on-accent); background: var(--lk-accent); font-weight: 600; }
button.danger { color: var(--lk-wrong); border-color: currentColor; }
button.quiet { border-color: var(--lk-line); }
button:hover { text-decoration: underline; }
button:active { transform: translateY(1px); }
button[aria-disabled='true'] { cursor: default; opacity: 0.65; text-decoration: none; }
:focus-visible { outline: 2px solid var(--lk-accent); outline-offset: 2px; }
.ways { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0.25rem; margin-block-start: calc(var(--lk-space) / 2); }
.ways { align-items: center; }
.ways button:not(.quiet, .primary) { padding-inline: 0.25rem; text-align: start; }
.buttons { display: flex; flex-wrap: wrap; gap: calc(var(--lk-space) / 2); }
.later { display: grid; gap: calc(var(--lk-space) / 2); }
.rows { display: grid; gap: calc(var(--lk-space) / 2); margin: 0; padding: 0; list-style: none; }
.rows li { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.25rem 1rem; }
.rows li > :first-child { flex: 1 1 12rem; min-inline-size: 0; overflow-wrap: anywhere; }
.rows .note { min-block-size: 0; }
progress { inline-size: 100%; accent-color: var(--lk-accent); }
.qr { inline-size: min(100%, 14rem); background: #fff; border-radius: var(--lk-radius); }
code, .codes { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.codes { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.25rem 1rem; margin: 0; padding: 0; list-style: none; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; animation: none !important; } }
@media (forced-colors: active) { button { border-color: ButtonText; } }
`;

let sheet = null;

/**
 * Constructed once for all elements; a strict policy allows it, since the document contains no
 * style.
 */
export function adopt(root) {
  if (sheet === null) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(RULES);
  }
  root.adoptedStyleSheets = [sheet];
}
