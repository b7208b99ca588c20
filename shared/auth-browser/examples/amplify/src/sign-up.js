import { createLatchkey } from 'latchkey';

/**
 * Amplify's steps of signing up, by Latchkey: the pool refuses `SignUp`, which would let strangers
 * write a password under an address that they have not proved.
 *
 * With a password it is a registration, without one a first sign-in by code. Either way the code
 * proves the address, and Amplify then signs in by itself.
 */
export function signUpServices(apiUrl) {
  const latchkey = createLatchkey({ apiUrl, storage: 'memory' });
  let begun = null;

  return {
    async handleSignUp({ username: email, password }) {
      const answer = password
        ? await latchkey.registerUser({ email, password })
        : await latchkey.initiateOtp({ email });
      begun = { email, hasPassword: Boolean(password), sessionToken: answer.sessionToken };
      return { isSignUpComplete: false, nextStep: confirmStep(answer.delivery) };
    },

    async handleConfirmSignUp({ confirmationCode: code }) {
      const { email, hasPassword, sessionToken } = begun;
      await (hasPassword
        ? latchkey.confirmRegistration({ sessionToken, code })
        : latchkey.verifyOtp({ email, code, sessionToken }));
      // Latchkey has signed the guest in, and here Amplify keeps the session.
      await latchkey.signOut();
      return { isSignUpComplete: true, nextStep: { signUpStep: 'DONE' } };
    },

    async handleResendSignUpCode() {
      const { hasPassword, sessionToken } = begun;
      const { delivery } = await (hasPassword
        ? latchkey.confirmRegistration({ sessionToken, resend: true })
        : latchkey.resendOtp({ sessionToken }));
      return confirmStep(delivery).codeDeliveryDetails;
    },
  };
}

function confirmStep({ medium, destination }) {
  const codeDeliveryDetails = { deliveryMedium: medium, destination, attributeName: 'email' };
  return { signUpStep: 'CONFIRM_SIGN_UP', codeDeliveryDetails };
}
