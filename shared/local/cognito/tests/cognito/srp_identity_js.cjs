// Signs in with amazon-cognito-identity-js, whose default is SRP: with the right password, and with a wrong one.
const { AuthenticationDetails, CognitoUser, CognitoUserPool } = require('amazon-cognito-identity-js');

const [endpoint, UserPoolId, ClientId, Username, Password] = process.argv.slice(2);

function signIn(password) {
  const Pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });
  const user = new CognitoUser({ Username, Pool });
  return new Promise((onSuccess, onFailure) => {
    user.authenticateUser(new AuthenticationDetails({ Username, Password: password }), { onSuccess, onFailure });
  });
}

(async () => {
  for (let count = 0; count < 5; count += 1) {
    const session = await signIn(Password);
    if (session.getIdToken().payload.email !== Username) throw new Error('the token is not of the user');
  }
  const refused = await signIn('Wrong-Horse-7').catch((error) => error);
  if (refused.code !== 'NotAuthorizedException') throw new Error(`a wrong password: ${refused}`);
  console.log('signed in');
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
