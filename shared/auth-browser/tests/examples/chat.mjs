// Drives the chat: node chat.mjs FOLDER_OF_THE_INSTALLED_EXAMPLE
import assert from 'node:assert/strict';

import { build, drive, freePort, previewVite, startBrowser, startLatchkey, startServer, until } from './harness.mjs';

const cwd = process.argv[2];
const QUESTION = 'What are my reservations?';
const SECONDS_OF_A_TOKEN = 3600;

drive(async (seen) => {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const latchkey = await startLatchkey({ frontend: origin });
  const agentPort = await freePort();
  const agent = `http://127.0.0.1:${agentPort}`;
  await startServer(process.execPath, ['agent/server.js'], {
    url: agent,
    cwd,
    env: { ...process.env, PORT: String(agentPort), LATCHKEY_LAMBDA: latchkey.lambda },
  });
  await build(cwd, 'build');
  await previewVite(cwd, port, { LATCHKEY: latchkey.gateway, AGENT: agent });
  const { person, complaints } = await startBrowser({ hosts: [origin] });
  const ada = await visitor(await person());
  const bob = await visitor(await person());

  assert.match(await ada.ask(QUESTION), /email address/);
  assert.match(await bob.ask(QUESTION), /email address/);
  assert.match(await ada.ask('ada@example.com'), /code is on its way/);
  assert.match(await bob.ask('bob@example.com'), /code is on its way/);
  assert.doesNotMatch(await ada.ask('00000000'), /signed in/);
  assert.match(await bob.ask(await latchkey.code('bob@example.com')), /signed in/);
  assert.match(await ada.ask(await latchkey.code('ada@example.com')), /signed in/);
  await ada.isSignedInAs('ada@example.com');
  await bob.isSignedInAs('bob@example.com');
  seen('two people sign in at once by talking to the agent');

  const hers = await ada.ask(QUESTION);
  const his = await bob.ask(QUESTION);
  assert.match(hers, /^The \w+ room/);
  assert.match(his, /^The \w+ room/);
  assert.notEqual(hers, his);
  for (const [one, other, theirs] of [[ada, 'bob@example.com', his], [bob, 'ada@example.com', hers]]) {
    const shown = await one.page.content();
    assert.ok(!shown.includes(other) && !shown.includes(theirs), 'somebody sees what is another person’s');
    const { accessToken, refreshToken, idToken } = await one.session();
    for (const token of [accessToken, refreshToken, idToken]) assert.ok(!shown.includes(token), 'a token stands in the page');
    assert.equal(one.sent.at(-1).auth_token, accessToken);
    assert.equal(one.sent[0].auth_token, undefined);
  }
  seen('each is answered by their own data, and sees nothing of the other');

  await ada.page.reload();
  await ada.isSignedInAs('ada@example.com');
  assert.equal(await ada.ask(QUESTION), hers);
  seen('a reload keeps the session and the conversation');

  const before = await ada.session();
  await latchkey.advance(SECONDS_OF_A_TOKEN + 1);
  await ada.page.evaluate((seconds) => (window.aheadMs = seconds * 1000), SECONDS_OF_A_TOKEN + 1);
  assert.equal(await ada.ask(QUESTION), hers);
  const after = await ada.session();
  assert.notEqual(after.accessToken, before.accessToken);
  assert.equal(ada.sent.at(-1).auth_token, after.accessToken);
  seen('a token that has ended is renewed before the agent is asked');

  // His token is an hour old by now; a stolen conversation with a token of today fares no better.
  const hisNew = await latchkey.signIn('bob@example.com');
  assert.match(await asked(agent, await ada.conversation(), hisNew.accessToken), /somebody else/);
  assert.match(await asked(agent, await ada.conversation(), before.accessToken), /session has ended/);
  assert.match(await asked(agent, await ada.conversation(), after.idToken), /session has ended/);
  assert.match(await asked(agent, await ada.conversation()), /session has ended/);
  seen('a conversation answers nobody but its owner');

  const conversation = await ada.conversation();
  await ada.page.getByRole('button', { name: 'Sign out' }).click();
  await ada.page.getByText('Nobody is signed in').waitFor();
  assert.equal(await ada.page.locator('li').count(), 0);
  assert.notEqual(await ada.conversation(), conversation);
  assert.match(await ada.ask(QUESTION), /email address/);
  assert.match(await ada.ask('bob@example.com'), /code is on its way/);
  assert.match(await ada.ask(await latchkey.code('bob@example.com', 3)), /signed in/);
  await ada.isSignedInAs('bob@example.com');
  assert.equal(await ada.ask(QUESTION), his);
  seen('whoever signs in next in the same tab begins anew');

  assert.deepEqual(complaints, []);

  async function visitor(page) {
    const sent = [];
    page.on('request', (request) => {
      if (new URL(request.url()).pathname === '/invocations') sent.push(request.postDataJSON());
    });
    // The page's clock, ahead as far as the test says.
    await page.addInitScript(() => {
      window.aheadMs = 0;
      const now = Date.now.bind(Date);
      Date.now = () => now() + window.aheadMs;
    });
    await page.goto(origin);
    const answers = page.locator('li[data-role="assistant"]');
    const stored = (key) => page.evaluate((name) => sessionStorage.getItem(name), key);
    return {
      page,
      sent,
      session: async () => JSON.parse(await stored('latchkey.session')),
      conversation: () => stored('conversation'),
      isSignedInAs: (email) => page.locator('header output', { hasText: email }).waitFor(),
      /** The agent's whole answer to a message. */
      async ask(text) {
        const known = await answers.count();
        await page.getByLabel('Message').fill(text);
        await page.getByRole('button', { name: 'Send' }).click();
        await until(`answer to ${text}`, async () => (await answers.count()) > known && page.getByRole('button', { name: 'Send' }).isEnabled());
        return (await answers.last().textContent()).trim();
      },
    };
  }
});

/** The agent's answer to a caller without a browser. */
async function asked(agent, conversation, token) {
  const answered = await fetch(`${agent}/invocations`, {
    method: 'POST',
    headers: { 'X-Amzn-Bedrock-AgentCore-Runtime-Session-Id': conversation },
    body: JSON.stringify({ prompt: QUESTION, ...(token && { auth_token: token }) }),
  });
  return answered.text();
}
