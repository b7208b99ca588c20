// Rendered on the server, for the guest of the request's token.
import { headers } from 'next/headers';
import { redirect } from 'next/navigation';

import { ACCESS_TOKEN, ask } from '../../latchkey.js';

export default async function Account() {
  const answered = await ask('/me', (await headers()).get(ACCESS_TOKEN));
  // Signed out on another device since the token was issued.
  if (answered.status === 401) redirect('/sign-in');
  if (!answered.ok) throw new Error(`the API answered ${answered.status}`);
  const { email, guestId } = await answered.json();
  return (
    <>
      <h1>Your account</h1>
      <output>
        {email} is guest {guestId}
      </output>
      <form method="post" action="/sign-out">
        <button>Sign out</button>
      </form>
    </>
  );
}
