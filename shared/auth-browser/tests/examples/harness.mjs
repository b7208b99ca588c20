// The common parts of the examples' drivers: a local run, an example's server, a browser.
// AUTH_LOCAL, CHROMIUM and PLAYWRIGHT name their parts if those are not in their usual places.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const AUTH_LOCAL = process.env.AUTH_LOCAL ?? 'target/debug/auth-local';
// Longer than any step takes on a busy machine; a step that hangs must not hang CI.
const PATIENCE_MS = 30_000;
const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const ending = [];

/** A port that was free a moment ago. */
export async function freePort() {
  const listening = createServer().listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address();
  await new Promise((closed) => listening.close(closed));
  return port;
}

/** All of Latchkey in memory, and the steps of a person and an operator with it. */
export async function startLatchkey({ frontend, settings = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-'));
  ending.push(() => rm(folder, { recursive: true }));
  const config = join(folder, 'settings');
  await writeFile(config, Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`).join(''));
  const origin = frontend === undefined ? [] : ['--frontend', frontend];
  const started = run(AUTH_LOCAL, ['--port', '0', '--memory', '--json', '--quiet', '--config', config, ...origin], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await Promise.race([once(createInterface(started.stdout), 'line'), failure(started, 'auth-local')]);
  const ready = JSON.parse(line);
  const mails = async (to) => (await fetch(`${ready.mailbox}?to=${encodeURIComponent(to)}`)).json();

  /** The code of the newest mail, once there are so many mails with a code. */
  async function code(to, count = 1) {
    return until(`mail ${count} to ${to}`, async () => {
      const codes = (await mails(to)).filter((mail) => mail.code);
      return codes.length >= count && codes[0].code;
    });
  }

  async function call(path, input, headers = {}) {
    const answered = await fetch(ready.gateway + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(input),
    });
    return [answered.status, answered.status === 204 ? null : await answered.json()];
  }

  async function signIn(email) {
    const before = (await mails(email)).filter((mail) => mail.code).length;
    const [, { sessionToken }] = await call('/auth/otp/initiate', { email });
    const input = { email, code: await code(email, before + 1), sessionToken };
    const [status, tokens] = await call('/auth/otp/verify', input);
    assert.equal(status, 200, JSON.stringify(tokens));
    return tokens;
  }

  async function advance(advanceSeconds) {
    await fetch(`${ready.gateway}/_local/clock`, { method: 'POST', body: JSON.stringify({ advanceSeconds }) });
  }

  return { ...ready, call, code, mails, signIn, advance };
}

/** Starts an example's server, and waits until it answers at `url`. */
export async function startServer(command, args, { url, ...options }) {
  const started = run(command, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options });
  const answers = until(`an answer at ${url}`, () => fetch(url).then(() => true, () => false));
  await Promise.race([answers, failure(started, command)]);
}

/** Runs an example's script, and fails with all that it said. */
export async function build(cwd, script, environment = {}) {
  const built = run('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'], cwd, env: { ...process.env, ...environment } });
  let said = '';
  for (const stream of [built.stdout, built.stderr]) stream.on('data', (text) => (said += text));
  const [status] = await once(built, 'close');
  if (status !== 0) throw new Error(`npm run ${script} ended with status ${status}:\n${said}`);
}

/** Serves a Vite build; `environment` names the target of its proxy. */
export async function previewVite(cwd, port, environment) {
  const url = `http://127.0.0.1:${port}`;
  const vite = join(cwd, 'node_modules/vite/bin/vite.js');
  await startServer(process.execPath, [vite, 'preview', '--port', String(port), '--strictPort'], { url, cwd, env: { ...process.env, ...environment } });
  return url;
}

function run(command, args, options) {
  const started = spawn(command, args, { ...options, detached: true });
  // The whole group: npm and Next start processes of their own.
  ending.push(() => started.exitCode ?? process.kill(-started.pid));
  return started;
}

async function failure(started, name) {
  const [status] = await once(started, 'exit');
  throw new Error(`${name} ended with status ${status}`);
}

/** The answer to a question, once it is not empty. */
export async function until(what, ask) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > end) throw new Error(`there is still no ${what}`);
    await new Promise((passed) => setTimeout(passed, 50));
  }
}

/** A browser whose pages may complain of nothing but `provoked`, and call no host but `hosts`. */
export async function startBrowser({ hosts, provoked = /^$/ }) {
  const { chromium } = await import(process.env.PLAYWRIGHT ?? 'playwright-core');
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: BROWSER_FLAGS });
  ending.push(() => browser.close());
  const complaints = [];

  /** A window of a person of their own, with a storage of its own. */
  async function person() {
    const context = await browser.newContext();
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    page.on('console', (message) => {
      const isComplaint = ['error', 'warning'].includes(message.type()) && !provoked.test(message.text());
      if (isComplaint) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (asked) => {
      const { protocol, origin } = new URL(asked.url());
      const isElsewhere = protocol.startsWith('http') && !hosts.includes(origin);
      if (isElsewhere) complaints.push(`a request to ${origin}`);
    });
    return page;
  }

  return { person, complaints };
}

/** Runs the steps of an example, each under a sentence, and ends all that was started. */
export async function drive(steps) {
  let status = 0;
  try {
    await steps((sentence) => console.log(`ok ${sentence}`));
  } catch (error) {
    console.error(error);
    status = 1;
  }
  for (const end of ending.reverse()) await Promise.resolve().then(end).catch(() => {});
  process.exit(status);
}
