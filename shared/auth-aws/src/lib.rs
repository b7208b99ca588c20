//! What Latchkey asks of AWS: one small struct for each capability, and the only crate that knows the SDK.
//!
//! A capability takes and gives the domain's types. Its errors are the [`Problem`](auth_domain::Problem)s that the caller of an
//! operation gets: what AWS says stays in the log.

#[cfg(feature = "tokens")]
mod access_tokens;
#[cfg(feature = "kms")]
mod authenticators;
#[cfg(all(feature = "agentcore", feature = "dynamodb"))]
mod authorization_start;
#[cfg(feature = "dynamodb")]
mod authorizations;
#[cfg(any(
    feature = "agentcore",
    feature = "dynamodb",
    feature = "mail",
    feature = "secrets",
    feature = "tokens"
))]
mod clients;
mod environment;
#[cfg(any(
    feature = "agentcore",
    feature = "dynamodb",
    feature = "mail",
    feature = "secrets",
    feature = "tokens"
))]
mod failure;
mod platform;

#[cfg(feature = "agentcore")]
mod consents;
#[cfg(feature = "cognito")]
mod email_codes;
#[cfg(feature = "dynamodb")]
mod guests;
#[cfg(feature = "dynamodb")]
mod items;
#[cfg(feature = "dynamodb")]
mod limits;
#[cfg(feature = "mail")]
mod mailer;
#[cfg(feature = "cognito")]
mod passwords;
#[cfg(all(feature = "cognito", feature = "dynamodb"))]
mod reauthentication;
#[cfg(feature = "kms")]
mod second_factors;
#[cfg(feature = "secrets")]
mod secrets;
mod settings;
#[cfg(feature = "dynamodb")]
mod sign_ins;
#[cfg(feature = "cognito")]
mod token_service;
#[cfg(feature = "cognito")]
mod user_pool;
#[cfg(feature = "kms")]
mod vault;
#[cfg(feature = "agentcore")]
mod workload_tokens;

#[cfg(feature = "tokens")]
pub use access_tokens::AccessTokens;

#[cfg(feature = "kms")]
pub use authenticators::{Authenticators, Confirmation, FactorProof};
#[cfg(all(feature = "agentcore", feature = "dynamodb"))]
pub use authorization_start::{AuthorizationStart, AuthorizationWish};
#[cfg(feature = "dynamodb")]
pub use authorizations::{Authorizations, Claim};
#[cfg(feature = "agentcore")]
pub use consents::{Asked, Completion, Consents};
#[cfg(feature = "cognito")]
pub use email_codes::{EmailCodes, Proof, Sending};
pub use environment::{ConfigurationError, Environment};
#[cfg(feature = "dynamodb")]
pub use guests::{Guests, ProvedBy};
#[cfg(feature = "dynamodb")]
pub use limits::Limits;
#[cfg(feature = "mail")]
pub use mailer::Mailer;
#[cfg(feature = "cognito")]
pub use passwords::{ChallengeOutcome, NotSet, PasswordProof, PasswordSignIn, Passwords, Recovery};
pub use platform::Platform;
#[cfg(all(feature = "cognito", feature = "dynamodb"))]
pub use reauthentication::Reauthentication;
#[cfg(feature = "kms")]
pub use second_factors::{SecondFactors, Unclaimed};
#[cfg(feature = "secrets")]
pub use secrets::{SecretSet, Secrets};
#[cfg(feature = "dynamodb")]
pub use sign_ins::SignIns;
#[cfg(feature = "cognito")]
pub use token_service::TokenService;
#[cfg(feature = "agentcore")]
pub use workload_tokens::WorkloadTokens;
