'use client';
import { LatchkeyProvider, SignIn } from 'latchkey/react';
import { useState } from 'react';

/**
 * Signs in at the API itself, so that limits count the visitor's network and not this server's, and
 * the API knows the browser again. The tokens go to this site's cookies, and this page forgets them.
 */
export function SignInForm({ apiUrl }) {
  const [hasFailed, setFailed] = useState(false);

  async function keep({ accessToken, refreshToken, accessExpiresAt }) {
    const expiresIn = Math.floor((accessExpiresAt - Date.now()) / 1000);
    const kept = await fetch('/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ accessToken, refreshToken, expiresIn }),
    });
    if (kept.ok) location.assign('/account');
    else setFailed(true);
  }

  return (
    <LatchkeyProvider apiUrl={apiUrl} storage="memory" credentials="include">
      <SignIn onDone={keep} />
      {hasFailed && <p role="alert">That did not work. Please sign in again.</p>}
    </LatchkeyProvider>
  );
}
