//! Latchkey's AWS calls: one small struct for each capability. This is the only crate that uses the
//! SDK.
//!
//! A capability takes and returns the domain's types. Its errors are the
//! [`Problem`](auth_domain::Problem)s of the operation's answer. AWS's own message stays in the
//! log.

mod access_tokens;
mod account_records;
mod activity;
mod address_codes;
mod address_limits;
mod attempts;
mod audit;
mod authenticators;
mod authorizations;
mod batches;
mod boxed;
mod callers;
mod challenges;
mod clients;
mod consents;
mod earlier_passwords;
mod email_codes;
mod environment;
mod factor_resets;
mod failure;
mod first_proofs;
mod guest_items;
mod guests;
mod guests_table;
mod held_sign_ins;
mod items;
mod limits;
mod mail_words;
mod mailer;
mod passkey_list;
mod passkey_set_ups;
mod passkeys;
mod passwords;
mod pending_passwords;
mod platform;
mod preparation;
mod public_sessions;
mod secrets;
mod settings;
mod sign_ins;
mod sign_outs;
mod stored_records;
mod token_service;
mod transactions;
mod unproved_users;
mod user_pool;
mod user_sessions;
mod users;
mod vault;
mod workload_tokens;

pub use access_tokens::AccessTokens;
pub use account_records::AccountRecords;
pub use activity::{ActivityEntry, ActivityLog, ActivityPage};
pub use address_codes::AddressCodes;
pub use address_limits::AddressLimits;
pub use audit::AuditLog;
pub use callers::{Callers, RecordedSession, SessionRecord};

pub use authenticators::{Authenticators, Confirmation, FactorProof, UsedBy};
pub use authorizations::{Authorizations, BrowserProof, Claim, FromLink};
pub use consents::{Asked, Completion, Consents};
pub use earlier_passwords::EarlierPasswords;
pub use email_codes::{EmailCodes, Proof, Sending};
pub use environment::{ConfigurationError, Environment};
pub use factor_resets::FactorResets;
pub use failure::Undecided;
pub use first_proofs::FirstProofs;
pub use guest_items::{Address, Waiting};
pub use guests::{Arrival, Guests, Newcomer, Numbered, ProvedGuest, ProvedRegistration};
pub use held_sign_ins::{HeldSignIns, Unclaimed};
pub use limits::{Count, Event, Limits, PoolRefusal, Refusal};
pub use mail_words::MailWords;
pub use mailer::Mailer;
pub use passkey_list::{PasskeyList, PasskeyUse};
pub use passkey_set_ups::{BegunPasskeySetUp, PasskeySetUp, PasskeySetUps};
pub use passkeys::{PasskeyChallenge, PasskeyProof, Passkeys, Registered};
pub use passwords::{ChallengeOutcome, PasswordProof, Passwords, Recovery};
pub use pending_passwords::PendingPasswords;
pub use platform::Platform;
pub use public_sessions::PublicSessions;
pub use secrets::{SecretSet, Secrets};
pub use sign_ins::{SignIns, Whose};
pub use stored_records::StoredRecords;
pub use token_service::TokenService;
pub use unproved_users::{QUIET, Start, Unproved, UnprovedUsers};
pub use user_pool::{CognitoSignIn, TokenPurpose, locale_of};
pub use user_sessions::{IssuedSession, Refresh, Renewal, UserSessions};
pub use users::{AddressSet, UserState, Users};
pub use workload_tokens::WorkloadTokens;
