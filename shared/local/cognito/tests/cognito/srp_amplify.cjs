// Signs in with Amplify, by SRP alone and by SRP as the preferred choice, and with a wrong password.
const { Amplify } = require('aws-amplify');
const { getCurrentUser, signIn, signOut } = require('aws-amplify/auth');

const [userPoolEndpoint, userPoolId, userPoolClientId, username, password] = process.argv.slice(2);

Amplify.configure({ Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } });

(async () => {
  for (const options of [
    { authFlowType: 'USER_SRP_AUTH' },
    { authFlowType: 'USER_AUTH', preferredChallenge: 'PASSWORD_SRP' },
    { authFlowType: 'USER_PASSWORD_AUTH' },
  ]) {
    const { isSignedIn, nextStep } = await signIn({ username, password, options });
    if (!isSignedIn) throw new Error(`${JSON.stringify(options)}: ${JSON.stringify(nextStep)}`);
    if (!(await getCurrentUser()).userId) throw new Error('nobody is signed in');
    await signOut();
  }
  const refused = await signIn({ username, password: 'Wrong-Horse-7' }).catch((error) => error);
  if (refused.name !== 'NotAuthorizedException') throw new Error(`a wrong password: ${refused}`);
  console.log('signed in');
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
