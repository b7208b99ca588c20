import type { Latchkey } from '../latchkey.js';

/**
 * The common part of the elements. Custom properties (`--latchkey-accent` …) and parts (`primary`,
 * `input` …) style them.
 */
export interface LatchkeyElement extends HTMLElement {
  /** Their client; without one, the attributes `api-url` and `token-delivery` make it. */
  client: Latchkey;
  /** The page's own words, by the keys of `TEXTS` in `latchkey/components`. */
  texts: Readonly<Record<string, string>>;
}
