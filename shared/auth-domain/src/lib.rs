//! The types and rules of signing in, for all operations, with no I/O, no clock and no randomness
//! of its own.
//!
//! Every value of these types has been checked: an [`Email`] is an address, an [`OtpCode`] has the
//! right number of digits. Secret text (addresses, codes, tokens, keys) prints as the name of its
//! type.

mod activity;
mod address_code;
mod agent_name;
mod app_client;
mod authenticator;
mod authorization;
mod backup_code;
mod caller;
mod challenge_answer;
mod characters;
pub mod claims;
mod clock;
mod consent_page;
mod crockford;
mod deployment;
mod device;
mod email;
mod fresh_proof;
mod front_end;
mod guest;
mod held_sign_in;
mod keys;
mod limit;
mod limit_subject;
mod mail;
mod mailbox;
mod operator;
mod otp_code;
mod passkey;
mod password;
mod problem;
mod proof_of_work;
mod randomness;
mod redacted;
mod request_context;
mod sealed;
mod second_factor_policy;
mod session_token;
mod sign_in;
mod tokens;
mod totp;
mod user_session;
mod workload_token;

pub use activity::{Activity, ActivityId, ActivityKind, ActivityWish, Actor, InvalidActivityId};
pub use address_code::{AddressCode, AddressCodeHash, AddressCodeRules};
pub use agent_name::{AgentName, InvalidAgentName};
pub use app_client::{AppClients, InvalidAppClients};
pub use authenticator::{Authenticator, AuthenticatorKeys, PendingAuthenticator, SecondFactor};
pub use authorization::{
    AgentUserId, Authorization, AuthorizationFailure, AuthorizationId, AuthorizationState,
    AuthorizationStatus, AuthorizationUrl, Binding, BindingCookie, BindingSecret, CallbackUrl,
    ConsentRequest, ConversationId, InvalidAgentUserId, InvalidAuthorizationId, InvalidCallbackUrl,
    InvalidConversationId, InvalidScope, InvalidStartLink, KeyedHash, LinkEnd, PageNonce, Scope,
    Standing, StartLink, Subject,
};
pub use backup_code::{BACKUP_CODES, BackupCode, BackupCodeHash, InvalidBackupCode};
pub use caller::Caller;
pub use challenge_answer::ChallengeAnswer;
pub use clock::{Clock, Timestamp};
pub use consent_page::{ConsentPage, PAGE_STYLE_SOURCE, refused_consent_page};
pub use deployment::{Deployment, FrontDoor, InvalidFrontDoor};
pub use device::{DeviceClaim, DeviceCookie, KnownDevice};
pub use email::{Email, InvalidEmail, MaskedEmail};
pub use fresh_proof::{
    FreshProof, ProofBinding, ProofMethod, ProofPurpose, Proofs, UnknownProofMethod,
    UnknownProofPurpose,
};
pub use front_end::{FrontEnd, InvalidFrontEnd};
pub use guest::{
    AddressClaim, Guest, GuestId, GuestName, InvalidGuestId, InvalidGuestName, InvalidUserSub,
    Profile, UserPassword, UserSub, WaitingGuest,
};
pub use held_sign_in::{
    AwaitedFactor, CognitoChallenge, CognitoUsername, FollowUp, HeldSetUp, HeldSignIn, HeldToken,
    SecondFactorRules,
};
pub use keys::{InvalidKey, Key, KeyRing, Purpose, Tag};
pub use limit::{
    Ageing, CodeMailLimits, Limit, LimitState, NewUser, OwnMailLimits, Payer, PoolLimits,
    PoolRequest, TryLimits,
};
pub use limit_subject::LimitSubject;
pub use mail::{
    AccentColour, Brand, CodeMail, InvalidBrand, Language, Locale, LogoUrl, Mail, MailFeedback,
    MailRefusal, Notice, ProductName, Undeliverable, UnknownLanguage,
};
pub use mailbox::Mailbox;
pub use operator::{
    ActOnGuest, ActReason, ActSubject, InvalidActReason, InvalidPrincipal, OperatorAct,
    OperatorEvent, Principal,
};
pub use otp_code::{InvalidOtpCode, OtpCode};
pub use passkey::{
    Assertion, Attestation, AuthenticatorMark, CredentialId, InvalidCredentialPart,
    InvalidPasskeyId, InvalidRelyingParty, MOST_PASSKEYS, Passkey, PasskeyId, PasskeyName,
    RelyingParty, UnknownUserVerification, UserVerification, made_up_challenge,
};
pub use password::{InvalidPassword, NewPassword, Password, PasswordRule, Spelling};
pub use problem::{Attempts, FieldProblem, Problem, RefreshRefusal, Report};
pub use proof_of_work::{InvalidProofOfWork, ProofOfWork, SolvedWork, WorkChallenge};
pub use randomness::Randomness;
pub use request_context::RequestContext;
pub use sealed::Sealed;
pub use second_factor_policy::{MissingFactor, SecondFactorPolicy, UnknownSecondFactorPolicy};
pub use session_token::{
    AddressCodeId, HeldSignInId, InvalidSessionToken, PasskeySetUpId, SessionToken, SignInId,
};
pub use sign_in::{
    AttemptId, CognitoSession, OfferedPassword, PendingRegistration, SignIn, SignInRules,
};
pub use tokens::{
    AccessToken, IdToken, InvalidRefreshToken, RefreshToken, SelfServiceTokens, TokenDelivery,
    Tokens, UnknownTokenDelivery,
};
pub use totp::{InvalidTotpIssuer, TotpIssuer, TotpSecret, TotpStep};
pub use user_session::{
    ClientName, Country, Generation, InvalidSessionId, PresentedToken, RefreshFamily, SessionEnd,
    SessionId, SessionKey, SessionOrigin, SignInMethod, UserSession,
};
pub use workload_token::{ActingFor, InvalidUserToken, UserToken, WorkloadToken};
