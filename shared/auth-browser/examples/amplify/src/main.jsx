// Amplify's Authenticator with mailed codes, at the pool's public client; Latchkey for the rest.
import { Authenticator } from '@aws-amplify/ui-react';
import '@aws-amplify/ui-react/styles.css';
import { Amplify } from 'aws-amplify';
import { fetchAuthSession } from 'aws-amplify/auth';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { signUpServices } from './sign-up.js';

const apiUrl = new URL('/api', location.href).href;
const { VITE_USER_POOL_ID, VITE_CLIENT_ID, VITE_USER_POOL_ENDPOINT } = import.meta.env;

Amplify.configure({
  Auth: {
    Cognito: {
      userPoolId: VITE_USER_POOL_ID,
      userPoolClientId: VITE_CLIENT_ID,
      // For a local run alone; Amplify knows Cognito's own address.
      userPoolEndpoint: VITE_USER_POOL_ENDPOINT || undefined,
      loginWith: { email: true },
    },
  },
});

const passwordless = {
  preferredAuthMethod: 'EMAIL_OTP',
  hiddenAuthMethods: ['SMS_OTP', 'WEB_AUTHN'],
  // They need a scope that no token of this pool has.
  passkeyRegistrationPrompts: false,
};

function App() {
  return (
    <Authenticator passwordless={passwordless} services={signUpServices(apiUrl)}>
      {({ signOut }) => <Guest signOut={signOut} />}
    </Authenticator>
  );
}

function Guest({ signOut }) {
  const [said, setSaid] = useState('');
  useEffect(() => {
    readProfile().then(setSaid, (error) => setSaid(error.message));
  }, []);
  return (
    <main>
      <output>{said}</output>
      <button onClick={() => signOut()}>Sign out</button>
    </main>
  );
}

/** The guest of Amplify's token, as the API knows them. */
async function readProfile() {
  const { tokens } = await fetchAuthSession();
  const headers = { Authorization: `Bearer ${tokens.accessToken}` };
  const answered = await fetch(`${apiUrl}/me`, { headers });
  if (!answered.ok) throw new Error(`the API answered ${answered.status}`);
  const { email, guestId } = await answered.json();
  return `${email} is guest ${guestId}`;
}

createRoot(document.getElementById('root')).render(<App />);
