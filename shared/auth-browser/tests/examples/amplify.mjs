// Drives Amplify's Authenticator: node amplify.mjs FOLDER_OF_THE_INSTALLED_EXAMPLE
import assert from 'node:assert/strict';

import { build, drive, freePort, previewVite, startBrowser, startLatchkey } from './harness.mjs';

const cwd = process.argv[2];
const PASSWORD = 'nine lives of a cat';
// After each sign-in the Authenticator asks Cognito for attributes, which no token here may. And it
// warns of an endpoint that is not AWS's.
const PROVOKED = /Failed to load resource: the server responded with a status of 400|custom Amazon/;

drive(async (seen) => {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const latchkey = await startLatchkey({ frontend: origin, settings: { PUBLIC_CLIENT: 'api' } });
  await build(cwd, 'build', {
    VITE_USER_POOL_ID: latchkey.userPoolId,
    VITE_CLIENT_ID: latchkey.clientId,
    VITE_USER_POOL_ENDPOINT: latchkey.cognito,
  });
  await previewVite(cwd, port, { LATCHKEY: latchkey.gateway });
  const { person, complaints } = await startBrowser({ hosts: [origin, latchkey.cognito], provoked: PROVOKED });
  const page = await person();
  const press = (name) => page.getByRole('button', { name, exact: true }).click();
  await page.goto(origin);

  await signUp('ada@example.com', 'Create account with Password', PASSWORD);
  await signIn('ada@example.com', 2);
  const { iss, scope } = await claims();
  assert.equal(iss, `${latchkey.cognito}/${latchkey.userPoolId}`);
  assert.equal(scope, 'latchkey/session');
  seen('somebody registers with Latchkey, signs in by Amplify with a code, and /me takes the token');

  await page.reload();
  await page.locator('output', { hasText: 'ada@example.com is guest GST-' }).waitFor();
  seen('Amplify keeps its session over a reload');

  await press('Sign out');
  await signUp('bob@example.com', 'Create account with Email OTP');
  await signIn('bob@example.com', 2);
  seen('somebody signs up without a password, and is another guest');

  await press('Sign out');
  await signIn('ada@example.com', 3);
  seen('the first one comes back');
  assert.deepEqual(complaints, []);

  async function signUp(email, way, password) {
    await page.getByRole('tab', { name: 'Create Account' }).click();
    await page.locator('input[name="email"]').fill(email);
    if (password) {
      await page.locator('input[name="password"]').fill(password);
      await page.locator('input[name="confirm_password"]').fill(password);
    }
    await press(way);
    await page.locator('input[name="confirmation_code"]').fill(await latchkey.code(email));
    await press('Confirm');
  }

  async function signIn(email, mails) {
    await page.locator('input[name="username"]').fill(email);
    await press('Sign In with Email');
    await page.locator('input[name="confirmation_code"]').fill(await latchkey.code(email, mails));
    await press('Confirm');
    await page.locator('output', { hasText: `${email} is guest GST-` }).waitFor();
  }

  /** The claims of the access token that Amplify keeps. */
  async function claims() {
    const token = await page.evaluate(() => localStorage.getItem(Object.keys(localStorage).find((key) => key.endsWith('.accessToken'))));
    return JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  }
});
