//! Decisions for several operations, above adapters and doors.

mod activities;
mod address_changes;
mod arrival;
mod attempt;
mod authorization;
mod code_attempts;
mod code_mails;
mod code_tries;
mod counted;
mod deletions;
mod entrance;
mod fresh_proof;
mod guest_requests;
mod held_sign_in;
mod network_limits;
mod new_users;
mod notices;
mod operator_acts;
mod passkey_attempts;
mod passkey_proofs;
mod password_attempts;
mod recorded_callers;
mod refreshes;
mod refused_consent;
mod registrations;
mod requester;
mod resend;
mod second_factor;
mod session;
mod session_records;
mod set_up_sign_in;
mod signed_in;
mod welcome;

pub use activities::Activities;
pub use address_changes::AddressChanges;
pub use arrival::{Arrivals, Arrived};
pub use attempt::Attempt;
pub use authorization::{
    AuthorizationCompletion, AuthorizationEnd, AuthorizationStart, AuthorizationWish, ConsentCheck,
    Consented,
};
pub use code_attempts::{BroughtCode, ClaimedCode, CodeAttempts, ProvedCode};
pub use code_mails::CodeMails;
pub use code_tries::CodeTries;
pub use deletions::{Deletions, Leaving};
pub use entrance::Entrance;
pub use fresh_proof::{FreshProofs, ProofMails, Prover};
pub use guest_requests::GuestRequests;
pub use held_sign_in::{HeldSignInAttempts, ProvedFactor, Resumed};
pub use network_limits::{AgentStarts, NetworkAttempts, NetworkStarts};
pub use new_users::{NewUsers, UnprovedSweep};
pub use notices::Notices;
pub use operator_acts::OperatorActs;
pub use passkey_attempts::{
    BroughtAssertion, PasskeyAttempts, PasskeyStarts, ProvedPasskey, StartedPasskey,
};
pub use passkey_proofs::{PasskeyProofs, ProofChallenges};
pub use password_attempts::PasswordAttempts;
pub use recorded_callers::RecordedCallers;
pub use refreshes::Refreshes;
pub use refused_consent::show_refused_consent;
pub use registrations::Registrations;
pub use requester::{Requester, Requesters, Turn};
pub use resend::{ClaimedResend, Resends};
pub use second_factor::{ProvedAuthenticator, SecondFactorAttempts};
pub use session::Sessions;
pub use session_records::SessionRecords;
pub use set_up_sign_in::{SetUpSignIns, SettingUp, WaitingSignIns};
pub use signed_in::{FirstFactor, SigningIn};
pub use welcome::Welcomes;
