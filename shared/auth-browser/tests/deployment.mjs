// What the tests in Chromium share: the page of a deployment as CloudFront serves it, the API below
// /api, a team's own page in React, and the browser.
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { fileURLToPath, pathToFileURL } from 'node:url';

const playwright = process.env.PLAYWRIGHT ?? 'playwright-core';
const { chromium } = await import(playwright);

const edge = new URL('../../../terraform/modules/edge/site/', import.meta.url);

/** The policy of the deployment's page. */
export const POLICY =
  "default-src 'self'; img-src 'self' data:; require-trusted-types-for 'script'; trusted-types latchkey; object-src 'none'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** The type of a file, by the end of its name. */
export const MEDIA = { css: 'text/css', js: 'text/javascript', json: 'application/json' };

/** The deployment's page, as Terraform puts it together. */
export const html = (await readFile(new URL('page.html', edge), 'utf8')).replaceAll('${version}', 'v');

/** A file of the page's folder, which has the package beside the page's own files. */
export const shipped = (name) => readFile(new URL(name, edge)).catch(() => readFile(new URL(`../${name}`, import.meta.url)));

/** Passes a request below /api on to the API. */
export function passOn(asked, answer, gateway) {
  const target = new URL(asked.url.slice('/api'.length), gateway);
  const passed = request(target, { method: asked.method, headers: { ...asked.headers, host: target.host } }, (response) => {
    answer.writeHead(response.statusCode, response.headers);
    response.pipe(answer);
  });
  passed.on('error', () => answer.destroy());
  asked.pipe(passed);
}

let bundled = null;

/** A page of a team's own in React, as its bundler makes it: files by their names. */
export async function bundle() {
  bundled ??= (async () => {
    const modules = new URL('../', process.env.PLAYWRIGHT ? pathToFileURL(playwright) : import.meta.resolve(playwright));
    const { build } = await import(new URL('esbuild/lib/main.js', modules));
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('react-page.js', import.meta.url))],
      entryNames: 'page',
      nodePaths: [fileURLToPath(modules)],
      define: { 'process.env.NODE_ENV': '"development"' },
      format: 'esm',
      bundle: true,
      splitting: true,
      write: false,
      outdir: '/',
    });
    return new Map(outputFiles.map(({ path, contents }) => [path.slice(1), contents]));
  })();
  return bundled;
}

/** A browser that asks no host but ours. */
export const launched = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
