// Signs in with Amplify as its defaults are, and by a mailed code. Each time the access token opens
// the guest’s own record.
const { Amplify } = require('aws-amplify');
const { confirmSignIn, fetchAuthSession, signIn, signOut } = require('aws-amplify/auth');

const [userPoolEndpoint, userPoolId, userPoolClientId, gateway, username, password] = process.argv.slice(2);

Amplify.configure({ Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } });

async function mailedCode() {
  const mail = await fetch(`${gateway}/_local/mailbox/latest?to=${encodeURIComponent(username)}&wait=5`);
  return (await mail.json()).code;
}

async function expectOwnRecord(options) {
  const { tokens } = await fetchAuthSession(options);
  const me = await fetch(`${gateway}/me`, { headers: { authorization: `Bearer ${tokens.accessToken}` } });
  const record = await me.json();
  if (me.status !== 200 || record.email !== username) throw new Error(`/me: ${me.status} ${JSON.stringify(record)}`);
}

(async () => {
  // The default is USER_SRP_AUTH.
  let { nextStep } = await signIn({ username, password });
  if (nextStep.signInStep !== 'DONE') throw new Error(JSON.stringify(nextStep));
  await expectOwnRecord();
  await expectOwnRecord({ forceRefresh: true });
  await signOut();

  await fetch(`${gateway}/_local/mailbox`, { method: 'DELETE' });
  ({ nextStep } = await signIn({ username, options: { authFlowType: 'USER_AUTH', preferredChallenge: 'EMAIL_OTP' } }));
  if (nextStep.signInStep !== 'CONFIRM_SIGN_IN_WITH_EMAIL_CODE') throw new Error(JSON.stringify(nextStep));
  ({ nextStep } = await confirmSignIn({ challengeResponse: await mailedCode() }));
  if (nextStep.signInStep !== 'DONE') throw new Error(JSON.stringify(nextStep));
  await expectOwnRecord();
  await signOut({ global: false });
  console.log('signed in');
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
