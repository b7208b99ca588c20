// Made from shared/auth-api/openapi.yaml by scripts/generate.
// Change the contract, and make it again.

/** What a call takes beside its input. */
export interface CallOptions {
  /** Ends the call; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How long one request may take; 30 seconds when absent, as long as the API itself waits. */
  readonly timeoutMs?: number;
}

/** Every `code` that an operation's problem has. */
export type ProblemCode =
  | 'AUTH_REQUIRED'
  | 'EMAIL_DELIVERY_FAILED'
  | 'EMAIL_EXISTS'
  | 'INTERNAL'
  | 'INVALID_CREDENTIALS'
  | 'INVALID_OTP'
  | 'INVALID_REFRESH_TOKEN'
  | 'INVALID_SESSION'
  | 'MAX_ATTEMPTS_EXCEEDED'
  | 'NOT_FOUND'
  | 'OTP_EXPIRED'
  | 'PASSKEY_LIMIT'
  | 'PASSKEY_REQUIRED'
  | 'PAYLOAD_TOO_LARGE'
  | 'RATE_LIMITED'
  | 'SERVICE_UNAVAILABLE'
  | 'SESSION_EXPIRED'
  | 'SIGN_IN_COMPLETED'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'USER_MISMATCH'
  | 'VALIDATION_FAILED';

/** The codes of each operation's problems. */
export interface OperationProblems {
  changeEmail:
    | 'AUTH_REQUIRED'
    | 'EMAIL_DELIVERY_FAILED'
    | 'INTERNAL'
    | 'INVALID_CREDENTIALS'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  changePassword:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'INVALID_CREDENTIALS'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  clearLimits:
    | 'INTERNAL'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  confirmPasswordReset:
    | 'INTERNAL'
    | 'INVALID_OTP'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  confirmRegistration:
    | 'EMAIL_DELIVERY_FAILED'
    | 'INTERNAL'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'SIGN_IN_COMPLETED'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  deleteAccount:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'INVALID_CREDENTIALS'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  deleteGuest:
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  deletePasskey:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'INVALID_CREDENTIALS'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  disableGuest:
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  disableMfa:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'INVALID_CREDENTIALS'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  enableGuest:
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  endOtherSessions:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'SERVICE_UNAVAILABLE';
  endSession:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'SERVICE_UNAVAILABLE'
    | 'VALIDATION_FAILED';
  exportAccount:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'INVALID_CREDENTIALS'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  findGuest:
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  getAuthenticatedGuest:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  getProfile:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'SERVICE_UNAVAILABLE';
  getSessionStatus:
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'SERVICE_UNAVAILABLE';
  getWorkloadToken:
    | 'INTERNAL'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  guestActivity:
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'SERVICE_UNAVAILABLE'
    | 'VALIDATION_FAILED';
  initiateOtp:
    | 'EMAIL_DELIVERY_FAILED'
    | 'INTERNAL'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  initiatePasskey:
    | 'INTERNAL'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  keepFactors:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'SERVICE_UNAVAILABLE'
    | 'SESSION_EXPIRED';
  listActivity:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'SERVICE_UNAVAILABLE'
    | 'VALIDATION_FAILED';
  listPasskeys:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'SERVICE_UNAVAILABLE';
  listSessions:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'SERVICE_UNAVAILABLE';
  loginUser:
    | 'INTERNAL'
    | 'INVALID_CREDENTIALS'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  logoutUser:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  refreshToken:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'INVALID_REFRESH_TOKEN'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  registerUser:
    | 'EMAIL_DELIVERY_FAILED'
    | 'EMAIL_EXISTS'
    | 'INTERNAL'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  relinkGuest:
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  renamePasskey:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  requestPasswordReset:
    | 'INTERNAL'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  requestProof:
    | 'AUTH_REQUIRED'
    | 'EMAIL_DELIVERY_FAILED'
    | 'INTERNAL'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  resendOtp:
    | 'EMAIL_DELIVERY_FAILED'
    | 'INTERNAL'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'SIGN_IN_COMPLETED'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  resetFactors:
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  setupMfa:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'INVALID_CREDENTIALS'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'SESSION_EXPIRED'
    | 'SIGN_IN_COMPLETED'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  setupPasskey:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'INVALID_CREDENTIALS'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PASSKEY_LIMIT'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'SESSION_EXPIRED'
    | 'SIGN_IN_COMPLETED'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  signOutGuest:
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  startAuthorization:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  updateProfile:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'NOT_FOUND'
    | 'PAYLOAD_TOO_LARGE'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  verifyEmailChange:
    | 'AUTH_REQUIRED'
    | 'EMAIL_EXISTS'
    | 'INTERNAL'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  verifyMfa:
    | 'INTERNAL'
    | 'INVALID_CREDENTIALS'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'SESSION_EXPIRED'
    | 'SIGN_IN_COMPLETED'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  verifyMfaSetup:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'SESSION_EXPIRED'
    | 'SIGN_IN_COMPLETED'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  verifyOtp:
    | 'INTERNAL'
    | 'INVALID_OTP'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'SIGN_IN_COMPLETED'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'USER_MISMATCH'
    | 'VALIDATION_FAILED';
  verifyPasskey:
    | 'INTERNAL'
    | 'INVALID_CREDENTIALS'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'OTP_EXPIRED'
    | 'PASSKEY_REQUIRED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'SIGN_IN_COMPLETED'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
  verifyPasskeySetup:
    | 'AUTH_REQUIRED'
    | 'INTERNAL'
    | 'INVALID_SESSION'
    | 'MAX_ATTEMPTS_EXCEEDED'
    | 'PASSKEY_LIMIT'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'SERVICE_UNAVAILABLE'
    | 'SESSION_EXPIRED'
    | 'SIGN_IN_COMPLETED'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'VALIDATION_FAILED';
}

/** The operations. Each rejects with a `LatchkeyProblem`. */
export interface Operations {
  /** Ask for another address. */
  changeEmail(
    input: ChangeEmailInput,
    options?: CallOptions,
  ): Promise<AddressCodeSent>;
  /** Set another password. */
  changePassword(
    input: ChangePasswordInput,
    options?: CallOptions,
  ): Promise<void>;
  /** Clear the limits of an address. */
  clearLimits(
    input: ClearLimitsInput,
    options?: CallOptions,
  ): Promise<void>;
  /** Set a new password by a mailed code. */
  confirmPasswordReset(
    input: ConfirmPasswordResetInput,
    options?: CallOptions,
  ): Promise<void>;
  /** Confirm a registration, or mail another code for it. */
  confirmRegistration(
    input: ConfirmRegistrationInput,
    options?: CallOptions,
  ): Promise<SignInAnswer | Resent>;
  /** Delete the account. */
  deleteAccount(
    input: ProofInput,
    options?: CallOptions,
  ): Promise<AccountDeleted>;
  /** Delete a guest. */
  deleteGuest(
    input: ActInput & { guestId: GuestId },
    options?: CallOptions,
  ): Promise<AccountDeleted>;
  /** Remove a passkey. */
  deletePasskey(
    input: ProofInput & { passkeyId: PasskeyId },
    options?: CallOptions,
  ): Promise<void>;
  /** Disable a guest. */
  disableGuest(
    input: ActInput & { guestId: GuestId },
    options?: CallOptions,
  ): Promise<void>;
  /** Remove the authenticator. */
  disableMfa(
    input: DisableMfaInput,
    options?: CallOptions,
  ): Promise<void>;
  /** Enable a guest. */
  enableGuest(
    input: ActInput & { guestId: GuestId },
    options?: CallOptions,
  ): Promise<void>;
  /** End all other sessions. */
  endOtherSessions(
    input?: Record<string, never>,
    options?: CallOptions,
  ): Promise<void>;
  /** End a session. */
  endSession(
    input: { sessionId: UserSessionId },
    options?: CallOptions,
  ): Promise<void>;
  /** Get everything that is stored about the account. */
  exportAccount(
    input: ProofInput,
    options?: CallOptions,
  ): Promise<AccountExport>;
  /** Find a guest. */
  findGuest(
    input: FindGuestInput,
    options?: CallOptions,
  ): Promise<FoundGuest>;
  /** Get the guest behind a completed authorization, or behind an access token. */
  getAuthenticatedGuest(
    input?: GetAuthenticatedGuestInput,
    options?: CallOptions,
  ): Promise<{
      readonly user: User;
    }>;
  /** Read the signed-in guest's record. */
  getProfile(
    input?: Record<string, never>,
    options?: CallOptions,
  ): Promise<Profile>;
  /** See how far an authorization has come. */
  getSessionStatus(
    input: { sessionId: SessionId },
    options?: CallOptions,
  ): Promise<SessionStatus>;
  /** Get the agent's workload access token. */
  getWorkloadToken(
    input?: GetWorkloadTokenInput,
    options?: CallOptions,
  ): Promise<WorkloadToken>;
  /** List what happened to a guest's account. */
  guestActivity(
    input: { guestId: GuestId; before?: ActivityId; limit?: number },
    options?: CallOptions,
  ): Promise<ActivityList>;
  /** Mail a sign-in code. */
  initiateOtp(
    input: InitiateOtpInput,
    options?: CallOptions,
  ): Promise<CodeSent>;
  /** Begin a sign-in by passkey. */
  initiatePasskey(
    input: InitiatePasskeyInput,
    options?: CallOptions,
  ): Promise<PasskeySignIn>;
  /** Stop an operator's reset of the second factors. */
  keepFactors(
    input?: Record<string, never>,
    options?: CallOptions,
  ): Promise<void>;
  /** List what happened to the account. */
  listActivity(
    input?: { before?: ActivityId; limit?: number },
    options?: CallOptions,
  ): Promise<ActivityList>;
  /** List the passkeys that sign in. */
  listPasskeys(
    input?: Record<string, never>,
    options?: CallOptions,
  ): Promise<PasskeyList>;
  /** List the guest's sessions. */
  listSessions(
    input?: Record<string, never>,
    options?: CallOptions,
  ): Promise<UserSessions>;
  /** Sign in with a password. */
  loginUser(
    input: LoginUserInput,
    options?: CallOptions,
  ): Promise<SignInAnswer>;
  /** Sign out. */
  logoutUser(
    input?: LogoutUserInput,
    options?: CallOptions,
  ): Promise<void>;
  /** Renew the tokens. */
  refreshToken(
    input?: RefreshTokenInput,
    options?: CallOptions,
  ): Promise<RefreshedTokens>;
  /** Register an address with a password. */
  registerUser(
    input: RegisterUserInput,
    options?: CallOptions,
  ): Promise<Registered>;
  /** Link a guest to another user. */
  relinkGuest(
    input: RelinkGuestInput & { guestId: GuestId },
    options?: CallOptions,
  ): Promise<void>;
  /** Give a passkey another name. */
  renamePasskey(
    input: RenamePasskeyInput & { passkeyId: PasskeyId },
    options?: CallOptions,
  ): Promise<Passkey>;
  /** Mail a code for a new password. */
  requestPasswordReset(
    input: RequestPasswordResetInput,
    options?: CallOptions,
  ): Promise<ResetRequested>;
  /** Ask for a fresh proof for a sensitive change. */
  requestProof(
    input: RequestProofInput,
    options?: CallOptions,
  ): Promise<ProofAsked>;
  /** Mail another code for the same sign-in. */
  resendOtp(
    input: ResendOtpInput,
    options?: CallOptions,
  ): Promise<CodeSent>;
  /** Reset the second factors of a guest who has lost them. */
  resetFactors(
    input: ActInput & { guestId: GuestId },
    options?: CallOptions,
  ): Promise<FactorReset>;
  /** Begin setting up an authenticator. */
  setupMfa(
    input: SetupMfaInput,
    options?: CallOptions,
  ): Promise<AuthenticatorSetUp>;
  /** Begin registering a passkey. */
  setupPasskey(
    input: SetupPasskeyInput,
    options?: CallOptions,
  ): Promise<PasskeySetUp>;
  /** Sign a guest out everywhere. */
  signOutGuest(
    input: ActInput & { guestId: GuestId },
    options?: CallOptions,
  ): Promise<void>;
  /** Begin a three-legged authorization. */
  startAuthorization(
    input: StartAuthorizationInput,
    options?: CallOptions,
  ): Promise<AuthorizationStarted>;
  /** Change the signed-in guest's record. */
  updateProfile(
    input?: UpdateProfileInput,
    options?: CallOptions,
  ): Promise<Profile>;
  /** Change the address. */
  verifyEmailChange(
    input: VerifyEmailChangeInput,
    options?: CallOptions,
  ): Promise<Profile>;
  /** Bring the second factor of a sign-in. */
  verifyMfa(
    input: VerifyMfaInput,
    options?: CallOptions,
  ): Promise<SignInAnswer>;
  /** Put the new authenticator in force. */
  verifyMfaSetup(
    input: VerifyMfaSetupInput,
    options?: CallOptions,
  ): Promise<AuthenticatorInForce>;
  /** Trade a code for tokens. */
  verifyOtp(
    input: VerifyOtpInput,
    options?: CallOptions,
  ): Promise<SignInAnswer>;
  /** Trade a passkey for tokens. */
  verifyPasskey(
    input: VerifyPasskeyInput,
    options?: CallOptions,
  ): Promise<SignInAnswer>;
  /** Complete the registration of a passkey. */
  verifyPasskeySetup(
    input: VerifyPasskeySetupInput,
    options?: CallOptions,
  ): Promise<PasskeyInForce>;
}

/**
 * A guest's record as its own guest reads it. It says which ways to sign in there are, so that a
 * page shows only what applies.
 */
export type Profile = User & {
  /**
   * Whether the guest has a password. One that is older than Latchkey counts after the first
   * sign-in with it.
   */
  readonly hasPassword?: boolean;
  /** Whether an authenticator guards the guest's sign-ins. */
  readonly hasAuthenticator?: boolean;
  /** How many backup codes are left. Absent without an authenticator. */
  readonly backupCodesLeft?: number;
};

/**
 * An email address in ASCII, its local part unquoted (RFC 5321), its domain with a dot. Letter case
 * does not tell two addresses apart. Cognito takes no user name of more than 128 characters.
 */
export type Email = string;

/**
 * AuthenticationResponseJSON, what `toJSON` of the credential writes. Other members are ignored.
 */
export type Assertion = {
  readonly id: CredentialId;
  readonly response: {
    readonly clientDataJSON: CredentialPart;
    readonly authenticatorData: CredentialPart;
    readonly signature: CredentialPart;
    readonly userHandle?: CredentialPart | null;
  };
};

/**
 * Give session and conversation where both are known: a session that is named together with another
 * conversation than its own does not count. An access token stands alone.
 */
export type GetAuthenticatedGuestInput = {
  /** A guest's access token. */
  readonly authToken?: string | null;
  /** The session to ask about. */
  readonly sessionId?: SessionId | null;
  /** The conversation to ask about. */
  readonly conversationId?: ConversationId | null;
};

/**
 * How the guest signed in. `unknown` is a session that is older than this list, or of the public
 * app client.
 */
export type SignInMethod = 'code' | 'password' | 'passkey' | 'second-factor' | 'agent' | 'unknown';

/**
 * How the refresh token comes back. In the body, unless said otherwise; after a first factor, as
 * that said.
 */
export type TokenDelivery = 'body' | 'cookie' | null;

/**
 * The agent's own name for the conversation. 1 to 128 visible ASCII characters, and not guessable.
 */
export type ConversationId = string;

/**
 * The answer to a `requestProof` for this purpose, in this session: the `code` that it mailed, or
 * the `credential` of a passkey that it asked for. It counts once, and signs nobody in.
 */
export type RequestedProof = {
  readonly sessionToken: SessionToken;
  readonly code?: OtpCode;
  readonly credential?: Assertion | null;
} | null;

/**
 * The code as it was mailed, typed or pasted: 6 to 8 decimal digits of whatever script, full-width
 * ones too. White space, dashes and characters of no width are passed over.
 */
export type OtpCode = string;

/**
 * The solved `challenge` of a refusal, as ALTCHA's widgets and `latchkey/proof-of-work` give it, in
 * base64.
 */
export type ProofOfWork = string | null;

/**
 * What the guest wants to be called. 1 to 100 characters, kept in NFC; at least one that shows.
 * Control characters (Unicode's category Cc), separators of lines (Zl, Zp) and format characters
 * (Cf) are refused, but for the joiners U+200C and U+200D.
 */
export type Name = string;

/** 16 letters and digits. Letter case, spaces and dashes do not matter. */
export type BackupCode = string;

/** A credential's id as its authenticator chose it, in base64url. */
export type CredentialId = string;

/** A part of a credential, in base64url. */
export type CredentialPart = string;

/** A passkey on the guest's list. */
export type PasskeyId = string;

/** A password that keeps the rules. See `registerUser`. */
export type NewPassword = string;

/** A password, at most 256 characters long. Compared in Unicode's form NFC, then as it was sent. */
export type Password = string;

/** A signed JSON Web Token (RFC 7519). */
export type Jwt = string;

/** An instant in RFC 3339, UTC. */
export type Instant = string;

/** An opaque refresh token. */
export type RefreshToken = string;

/** At most one of the two. */
export type GetWorkloadTokenInput = {
  /**
   * A user by an id of the agent's own, namespaced. Another user than the same person by a token.
   */
  readonly userId?: string | null;
  /** A user by a JWT whose issuer AgentCore knows. */
  readonly userToken?: string | null;
};

/** Browser and system as the browser names them, or `unknown`. Anybody may name themselves so. */
export type DeviceName = string;

/** Exactly one of the three. */
export type FindGuestInput = {
  readonly email?: Email | null;
  readonly guestId?: GuestId | null;
  readonly sub?: CognitoSub | null;
};

/** Names an event. Ids sort as their instants do. */
export type ActivityId = string;

/** Names one authorization, as AgentCore does. It grants nothing. */
export type SessionId = string;

/** Names one session of a guest, as `origin_jti` in its tokens does. It grants nothing. */
export type UserSessionId = string;

/** Names one sign-in. 256 random bits in base64url; opaque. */
export type SessionToken = string;

/** The Cognito user, `sub` in the tokens. */
export type CognitoSub = string;

/** The backup codes, and what the sign-in brings that waited for the set-up. */
export type AuthenticatorInForce = BackupCodes & WaitedSignIn;

/** The guest's id, the year and six characters of Crockford base32. */
export type GuestId = string;

/** The passkey, and what the sign-in brings that waited for it. */
export type PasskeyInForce = Passkey & WaitedSignIn;

/** Where the sign-in came from (ISO 3166-1), where CloudFront says so. */
export type Country = string;

/** Why, in a line for the audit table. Keep addresses out of it. */
export type ActReason = string;

export type AccountDeleted = {
  readonly message: string;
};

export type AccountExport = {
  readonly exportedAt: Instant;
  readonly user: User;
  /** The items as they are stored. A secret reads `withheld`. */
  readonly records: {
    /**
     * The guest, the address or both during a change, and the guest's number. A team's own
     * attributes are among them.
     */
    readonly guest: readonly (Record<string, unknown>)[];
    /** Also those that have ended, until they expire. */
    readonly sessions: readonly (Record<string, unknown>)[];
    readonly activity: readonly (Record<string, unknown>)[];
    /** The user as Cognito has it. */
    readonly directory: Record<string, unknown>;
  };
};

export type ActInput = {
  readonly reason?: ActReason | null;
};

export type Activity = {
  readonly eventId: ActivityId;
  readonly at: Instant;
  /** What happened. `sign-in-refused` had a right first factor. More types may be added. */
  readonly type: 'signed-in' | 'sign-in-refused' | 'session-ended' | 'other-sessions-ended' | 'all-sessions-ended' | 'refresh-token-stolen' | 'password-changed' | 'address-changed' | 'authenticator-set-up' | 'authenticator-removed' | 'passkey-added' | 'passkey-removed' | 'factor-reset-asked' | 'factor-reset-stopped' | 'factors-reset' | 'agent-allowed' | 'account-disabled' | 'account-enabled' | 'account-relinked' | 'limits-cleared' | 'account-exported' | 'account-created' | 'account-deleted' | 'mail-undeliverable';
  /**
   * Who caused it. `guest` is whoever had the guest's proofs; Latchkey ends sessions whose refresh
   * token was copied; an operator is of the team.
   */
  readonly by: 'guest' | 'latchkey' | 'operator';
  readonly method?: SignInMethod;
  readonly device?: DeviceName;
  readonly country?: Country;
  /** The session that began or ended, or that made the change. */
  readonly sessionId?: UserSessionId;
};

export type ActivityList = {
  readonly events: readonly Activity[];
  /** Where the next events are asked for. Absent where there are none. */
  readonly before?: ActivityId;
};

export type AddressCodeSent = {
  readonly sessionToken: SessionToken;
  /** Seconds in which the code is taken. */
  readonly expiresIn: number;
  readonly delivery: Delivery;
};

export type AuthenticatorSetUp = {
  /** 160 bits in base32, for apps that cannot scan. */
  readonly secret: string;
  /** What the QR code holds. */
  readonly otpauthUri: string;
  readonly qrSvg: string;
  readonly qrPng: string;
  /** Seconds until the set-up has to be begun anew. */
  readonly expiresIn: number;
};

export type AuthorizationStarted = {
  readonly sessionId: SessionId;
  /** Where the person has to go. It works once. */
  readonly authorizationUrl: string;
  readonly expiresAt: Instant;
};

export type BackupCodes = {
  readonly backupCodes: readonly string[];
};

export type ChangeEmailInput = {
  /** The address that is to be the guest's. */
  readonly email: Email;
  readonly password?: Password;
  readonly proof?: RequestedProof;
  /** Of the authenticator, where the guest has one. */
  readonly mfaCode?: OtpCode | null;
  readonly backupCode?: BackupCode | null;
};

export type ChangePasswordInput = {
  readonly password?: Password;
  readonly proof?: RequestedProof;
  /** Of the authenticator, where the guest has one. */
  readonly mfaCode?: OtpCode | null;
  readonly backupCode?: BackupCode | null;
  readonly newPassword: NewPassword;
};

export type ClearLimitsInput = {
  readonly email: Email;
  /** Whether mails reach the address again. It removes the mark `undeliverable`. */
  readonly mailWorks?: boolean | null;
  readonly reason?: ActReason | null;
};

export type CodeSent = {
  readonly sessionToken: SessionToken;
  /** Seconds that are left to enter a code. */
  readonly expiresIn: number;
  /** Seconds until another code may be asked for. */
  readonly resendAfter: number;
  readonly delivery: Delivery;
  /** For the person, the same for every address. */
  readonly message: string;
};

export type ConfirmPasswordResetInput = {
  readonly email: Email;
  readonly code: OtpCode;
  readonly newPassword: NewPassword;
  readonly proofOfWork?: ProofOfWork;
};

export type ConfirmRegistrationInput = {
  readonly sessionToken: SessionToken;
  /** Required, unless another mail is asked for. */
  readonly code?: OtpCode | null;
  /** Mail another code. */
  readonly resend?: boolean | null;
  readonly proofOfWork?: ProofOfWork;
  /** How the refresh token comes back. */
  readonly tokenDelivery?: 'body' | 'cookie' | null;
};

export type Delivery = {
  readonly medium: 'EMAIL';
  /** The address, masked. */
  readonly destination: string;
};

export type DisableMfaInput = {
  readonly password?: Password;
  readonly proof?: RequestedProof;
  readonly code?: OtpCode;
  readonly backupCode?: BackupCode | null;
};

export type FactorReset = {
  /** The second factors count for nothing after this. */
  readonly effectiveAt: Instant;
};

export type FoundFactors = {
  readonly password: boolean;
  readonly authenticator: boolean;
  /** How many are left. */
  readonly backupCodes: number;
  /** How many count. */
  readonly passkeys: number;
};

export type FoundGuest = {
  readonly user: FoundUser;
  /**
   * `waiting`: nobody has signed in at the guest's address yet. `user-missing`: the guest's Cognito
   * user was deleted, so nobody can sign in as this guest.
   */
  readonly status: 'active' | 'disabled' | 'waiting' | 'user-missing';
  readonly factors: FoundFactors;
  /** Absent while mails reach the address. */
  readonly undeliverable?: MailRefusal;
  readonly sessions: readonly FoundSession[];
  readonly limits: readonly FoundLimit[];
};

export type FoundLimit = {
  /** The limit's name, as in the `RateLimit` fields. */
  readonly policy: string;
  readonly quota: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  /** Seconds until one more is admitted. */
  readonly resetSeconds: number;
};

export type FoundSession = {
  readonly sessionId: UserSessionId;
  /** When the guest signed in. */
  readonly createdAt: Instant;
  /**
   * When its tokens were last renewed. Of the public app client, when its session was first seen
   * here.
   */
  readonly lastUsedAt: Instant;
  readonly method: SignInMethod;
  readonly device: DeviceName;
  readonly country?: Country;
  /**
   * Only there, and true, if it is of the public app client, which renews its tokens at Cognito.
   */
  readonly publicClient?: boolean;
};

export type FoundUser = {
  readonly guestId: GuestId;
  readonly email: Email;
  /** Absent while the guest has given none. */
  readonly name?: Name;
  readonly emailVerified: boolean;
  /** Absent while the guest waits. */
  readonly cognitoSub?: CognitoSub;
  readonly createdAt: Instant;
  /** Absent while the guest waits. */
  readonly updatedAt?: Instant;
};

export type InitiateOtpInput = {
  readonly email: Email;
  readonly proofOfWork?: ProofOfWork;
};

export type InitiatePasskeyInput = {
  readonly email: Email;
};

export type LoginUserInput = {
  readonly email: Email;
  readonly password: Password;
  readonly tokenDelivery?: TokenDelivery;
};

export type LogoutUserInput = {
  /** Absent or `null` where the cookie brings it. */
  readonly refreshToken?: RefreshToken | null;
  /** End every session of the guest. */
  readonly everywhere?: boolean | null;
};

export type MailRefusal = {
  /** `bounced`: the address accepts no mail. `complained`: its owner called a mail unwanted. */
  readonly why: 'bounced' | 'complained';
  readonly at: Instant;
};

export type Passkey = {
  readonly passkeyId: PasskeyId;
  readonly name: Name;
  readonly createdAt: string;
  readonly lastUsedAt?: string;
  /** Whether its device has ever verified its user, by a finger, a face or a PIN. */
  readonly userVerified: boolean;
};

export type PasskeyAsked = {
  readonly sessionToken: SessionToken;
  /** Seconds until the challenge ends. */
  readonly expiresIn: number;
  /**
   * PublicKeyCredentialRequestOptionsJSON, for `PublicKeyCredential.parseRequestOptionsFromJSON`.
   */
  readonly options: {
    readonly challenge: string;
    readonly rpId: string;
    readonly timeout: number;
    readonly userVerification: 'preferred' | 'required';
    readonly allowCredentials: readonly {
      readonly id: CredentialId;
      readonly type: 'public-key';
    }[];
  };
};

export type PasskeyList = {
  readonly passkeys: readonly Passkey[];
};

export type PasskeySetUp = {
  readonly sessionToken: SessionToken;
  /**
   * PublicKeyCredentialCreationOptionsJSON, for `PublicKeyCredential.parseCreationOptionsFromJSON`.
   */
  readonly options: Record<string, unknown>;
};

export type PasskeySignIn = {
  readonly sessionToken: SessionToken;
  /** Seconds until the sign-in ends. */
  readonly expiresIn: number;
  /**
   * PublicKeyCredentialRequestOptionsJSON, for `PublicKeyCredential.parseRequestOptionsFromJSON`.
   */
  readonly options: {
    readonly challenge: string;
    readonly rpId: string;
    readonly timeout: number;
    readonly userVerification: 'preferred' | 'required';
  };
};

export type ProofAsked = CodeSent | PasskeyAsked;

export type ProofInput = {
  readonly password?: Password;
  readonly proof?: RequestedProof;
  /** Of the authenticator, where the guest has one. */
  readonly mfaCode?: OtpCode | null;
  readonly backupCode?: BackupCode | null;
};

export type RefreshTokenInput = {
  /** Absent or `null` where the cookie brings it. */
  readonly refreshToken?: RefreshToken | null;
};

export type RefreshedTokens = Tokens & {
  readonly user: User;
};

export type RegisterUserInput = {
  readonly email: Email;
  readonly password: NewPassword;
  /** Absent or `null` where the guest gives none. */
  readonly name?: Name | null;
  readonly proofOfWork?: ProofOfWork;
};

export type Registered = {
  readonly user: User;
  readonly sessionToken: SessionToken;
  /** Seconds until the registration ends. */
  readonly expiresIn: number;
  readonly delivery: Delivery;
};

export type RelinkGuestInput = {
  readonly sub: CognitoSub;
  readonly reason?: ActReason | null;
};

export type RenamePasskeyInput = {
  readonly name: Name;
};

export type RequestPasswordResetInput = {
  readonly email: Email;
  readonly proofOfWork?: ProofOfWork;
};

export type RequestProofInput = {
  /** The change that the proof is for. */
  readonly purpose: 'password' | 'email' | 'delete' | 'export' | 'passkey' | 'authenticator';
  /** A code by mail, or a passkey on the guest's list. */
  readonly method?: 'code' | 'passkey' | null;
};

export type ResendOtpInput = {
  readonly sessionToken: SessionToken;
  readonly proofOfWork?: ProofOfWork;
};

export type Resent = {
  readonly delivery: Delivery;
};

export type ResetRequested = {
  /** For the person, the same for every address. */
  readonly message: string;
};

export type SecondFactorRequired = {
  readonly sessionToken: SessionToken;
  readonly mfaRequired: true;
  /**
   * What `verifyMfa` wants for this session: a code of the authenticator (or a backup code), a new
   * password, or a code that was mailed. The latter two come from Cognito, for users of a pool that
   * was there before Latchkey.
   */
  readonly challenge: 'SOFTWARE_TOKEN_MFA' | 'NEW_PASSWORD_REQUIRED' | 'EMAIL_OTP';
  readonly tokenType: 'Bearer';
};

export type SecondFactorSetUpRequired = {
  readonly sessionToken: SessionToken;
  /**
   * The guest has no second factor, and the deployment requires one. Set up an authenticator
   * (`setupMfa`, `verifyMfaSetup`) or a passkey whose device verifies its user (`setupPasskey`,
   * `verifyPasskeySetup`), each with this `sessionToken`. The end of the set-up signs in.
   */
  readonly mfaSetupRequired: true;
  /** Seconds for the set-up. */
  readonly expiresIn: number;
  readonly tokenType: 'Bearer';
};

export type SessionStatus = {
  readonly sessionId: SessionId;
  /**
   * How far the authorization has come. Why it failed is told to the browser that began it only.
   */
  readonly status: 'PENDING' | 'COMPLETED' | 'EXPIRED' | 'FAILED';
  readonly expiresAt: Instant;
};

export type SetupMfaInput = {
  /** Of a sign-in that waits for a set-up. */
  readonly sessionToken?: SessionToken | null;
  readonly password?: Password;
  readonly proof?: RequestedProof;
  /** Of the authenticator that there is. */
  readonly mfaCode?: OtpCode | null;
  readonly backupCode?: BackupCode | null;
};

export type SetupPasskeyInput = {
  /** Of a sign-in that waits for a set-up. */
  readonly sessionToken?: SessionToken | null;
  readonly password?: Password;
  readonly proof?: RequestedProof;
  /** Of the authenticator, where the guest has one. */
  readonly mfaCode?: OtpCode | null;
  readonly backupCode?: BackupCode | null;
};

export type SignInAnswer = SignedIn | SecondFactorRequired | SecondFactorSetUpRequired;

export type SignedIn = Tokens & {
  readonly user: User;
  /** How many backup codes are left, where one has just been used up. */
  readonly backupCodesLeft?: number;
};

export type StartAuthorizationInput = {
  readonly conversationId: ConversationId;
  /** Who is to consent, where no access token says so. */
  readonly email?: Email | null;
  /**
   * What is asked of the provider (RFC 6749 section 3.3); `openid email profile` where nothing is.
   */
  readonly scopes?: readonly string[] | null;
};

export type Tokens = {
  readonly accessToken: Jwt;
  readonly idToken: Jwt;
  /** Absent in cookie mode, and where a refresh does not rotate. */
  readonly refreshToken?: RefreshToken;
  readonly tokenType: 'Bearer';
  /** Seconds that the access and id tokens live. */
  readonly expiresIn: number;
};

export type UpdateProfileInput = {
  /** The new name; `null` clears it; absent, it stays. */
  readonly name?: Name | null;
};

export type User = {
  readonly guestId: GuestId;
  readonly email: Email;
  /** Absent while the guest has given none. */
  readonly name?: Name;
  readonly emailVerified: boolean;
  readonly cognitoSub: CognitoSub;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /**
   * When an operator's reset takes the guest's second factors away. Show it, so that a guest who
   * did not ask for it can stop it (`keepFactors`, a sign-in with a second factor, or a new one
   * that this session sets up).
   */
  readonly factorResetAt?: Instant;
};

export type UserSession = {
  readonly sessionId: UserSessionId;
  /** When the guest signed in. */
  readonly createdAt: Instant;
  /**
   * When its tokens were last renewed. Of the public app client, when its session was first seen
   * here.
   */
  readonly lastUsedAt: Instant;
  readonly method: SignInMethod;
  readonly device: DeviceName;
  readonly country?: Country;
  /**
   * Only there, and true, if it is of the public app client. Its end signs the guest out at
   * Cognito, see `endSession`.
   */
  readonly publicClient?: boolean;
  /** Whether it is the session that asks. */
  readonly current: boolean;
};

export type UserSessions = {
  readonly sessions: readonly UserSession[];
};

export type VerifyEmailChangeInput = {
  readonly sessionToken: SessionToken;
  readonly code: OtpCode;
};

export type VerifyMfaInput = {
  readonly sessionToken: SessionToken;
  readonly code?: OtpCode;
  readonly backupCode?: BackupCode | null;
  readonly newPassword?: NewPassword | null;
  readonly tokenDelivery?: TokenDelivery;
  /**
   * Spare this browser the second factor of this guest, for 30 days where nothing else is
   * configured.
   */
  readonly rememberDevice?: boolean | null;
};

export type VerifyMfaSetupInput = {
  /** Of a sign-in that waits for the set-up. */
  readonly sessionToken?: SessionToken | null;
  readonly code: OtpCode;
};

export type VerifyOtpInput = {
  readonly email: Email;
  readonly code: OtpCode;
  readonly sessionToken: SessionToken;
  readonly tokenDelivery?: TokenDelivery;
  readonly proofOfWork?: ProofOfWork;
};

export type VerifyPasskeyInput = {
  readonly sessionToken: SessionToken;
  readonly tokenDelivery?: TokenDelivery;
  readonly credential: Assertion;
};

export type VerifyPasskeySetupInput = {
  readonly sessionToken: SessionToken;
  /** What to call it. Without one, the name of its maker where that is known. */
  readonly name?: Name | null;
  /**
   * RegistrationResponseJSON, what `toJSON` of the new credential writes. Other members are
   * ignored.
   */
  readonly credential: {
    readonly id: CredentialId;
    readonly authenticatorAttachment?: string | null;
    readonly response: {
      readonly clientDataJSON: CredentialPart;
      readonly attestationObject: CredentialPart;
      readonly transports?: readonly string[] | null;
    };
  };
};

export type WaitedSignIn = {
  readonly accessToken?: Jwt;
  readonly idToken?: Jwt;
  readonly refreshToken?: RefreshToken;
  readonly tokenType?: 'Bearer';
  readonly expiresIn?: number;
  readonly user?: User;
};

export type WorkloadToken = {
  /** Opaque; only AgentCore reads it. */
  readonly accessToken: string;
  readonly tokenType: 'Bearer';
  readonly expiresAt: Instant;
  /** Who the agent is to AgentCore. */
  readonly workloadName: string;
  /** The user whom the request named, where it named one. */
  readonly userId?: string;
};
