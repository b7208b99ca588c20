// Made from shared/auth-api/openapi.yaml by scripts/generate.
// Change the contract, and make it again.

/** Method, path, who may call (`jwt`, `either` with or without it, `iam`), how tokens come. */
export const OPERATIONS = {
  confirmPasswordReset: ['POST', '/auth/password/reset/confirm'],
  confirmRegistration: ['POST', '/auth/register/confirm', '', 'tokenDelivery'],
  disableMfa: ['POST', '/auth/mfa/disable', 'jwt'],
  endOtherSessions: ['DELETE', '/me/sessions', 'jwt'],
  endSession: ['DELETE', '/me/sessions/{sessionId}', 'jwt'],
  getAuthenticatedGuest: ['POST', '/agent/authenticated-guest', 'iam'],
  getProfile: ['GET', '/me', 'jwt'],
  getSessionStatus: ['GET', '/auth/session/{sessionId}'],
  getWorkloadToken: ['POST', '/agent/workload-token', 'iam'],
  initiateOtp: ['POST', '/auth/otp/initiate'],
  listSessions: ['GET', '/me/sessions', 'jwt'],
  loginUser: ['POST', '/auth/login', '', 'tokenDelivery'],
  logoutUser: ['POST', '/auth/logout', 'jwt'],
  refreshToken: ['POST', '/auth/refresh'],
  registerUser: ['POST', '/auth/register'],
  requestPasswordReset: ['POST', '/auth/password/reset'],
  resendOtp: ['POST', '/auth/otp/resend'],
  setupMfa: ['POST', '/auth/mfa/setup', 'jwt'],
  startAuthorization: ['POST', '/auth/oauth2/authorize', 'either'],
  updateProfile: ['PATCH', '/me', 'jwt'],
  verifyMfa: ['POST', '/auth/mfa/verify', '', 'tokenDelivery'],
  verifyMfaSetup: ['POST', '/auth/mfa/setup/verify', 'jwt'],
  verifyOtp: ['POST', '/auth/otp/verify', '', 'tokenDelivery'],
};
