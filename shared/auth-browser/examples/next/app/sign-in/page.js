import { connection } from 'next/server';

import { API_URL } from '../../latchkey.js';
import { SignInForm } from './form.js';

export default async function SignIn() {
  // The address is read when the page is asked for, and not when it is built.
  await connection();
  return <SignInForm apiUrl={API_URL} />;
}
