//! Sign-ins that wait for their guest to set up a second factor. Their session token opens the
//! set-up routes in place of an access token, and no other route.
//!
//! Such a sign-in proves one factor. It sets up only the first second factor of its guest. If the
//! guest has since got one, or has signed out everywhere, the sign-in has ended.

use auth_aws::{ConfigurationError, Guests, HeldSignIns, Platform};
use auth_domain::{
    AwaitedFactor, Clock, Email, Guest, HeldSetUp, HeldSignIn, HeldSignInId, Problem, Report,
    SecondFactorRules, SessionToken, Timestamp,
};
use auth_lambda::{Exchange, SignedIn};

use crate::{Arrived, Attempt, HeldSignInAttempts, ProvedFactor, Resumed, Welcomes};

/// Waiting sign-ins, for the beginning of a set-up.
#[derive(Clone)]
pub struct WaitingSignIns {
    held: HeldSignIns,
    guests: Guests,
    rules: SecondFactorRules,
    clock: Clock,
}

impl WaitingSignIns {
    /// Sign-ins in the table that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            held: HeldSignIns::new(platform)?,
            guests: Guests::new(platform)?,
            rules: platform.environment().second_factor_rules()?,
            clock: platform.clock(),
        })
    }

    /// The guest of a sign-in that waits. It costs no attempt: no code is tried.
    pub async fn guest(&self, session_token: &SessionToken) -> Result<Guest, Problem> {
        let id = session_token.held_sign_in_id();
        let now = self.clock.now();
        let held = self.held.find(&id, now, &self.rules).await?;
        let set_up = waiting(&held).ok_or(Problem::InvalidSession)?;
        self.guest_of(set_up, &held.email).await
    }

    async fn guest_of(&self, set_up: &HeldSetUp, email: &Email) -> Result<Guest, Problem> {
        let HeldSetUp { token, session } = set_up;
        let guest = self.guests.find(&token.sub).await?;
        let may_go_on = |guest: &Guest| {
            let has_ended = guest.has_signed_out_since(token.begun, Some(session))
                || guest.has_moved_from(email, token.begun);
            !has_ended && !guest.has_second_factor()
        };
        guest.filter(may_go_on).ok_or(Problem::InvalidSession)
    }
}

/// Waiting sign-ins, for the end of a set-up.
#[derive(Clone)]
pub struct SetUpSignIns {
    waiting: WaitingSignIns,
    held: HeldSignInAttempts,
    welcomes: Welcomes,
}

/// A sign-in with a claimed attempt, and its guest.
pub struct SettingUp<'a> {
    /// The guest, who has no second factor yet.
    pub guest: Guest,
    /// The waiting set-up.
    pub set_up: HeldSetUp,
    resumed: Resumed<'a>,
}

impl SettingUp<'_> {
    /// When the request came.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.resumed.requester.now()
    }
}

impl SetUpSignIns {
    /// Sign-ins for `operation`, with the limit `network` for each network.
    pub fn new(
        platform: &Platform,
        operation: &'static str,
        network: &'static str,
    ) -> Result<Self, ConfigurationError> {
        Ok(Self {
            waiting: WaitingSignIns::new(platform)?,
            held: HeldSignInAttempts::new(platform, operation, network)?,
            welcomes: Welcomes::new(platform)?,
        })
    }

    /// Claims an attempt of a waiting sign-in. If the sign-in must not continue, its token is
    /// revoked.
    pub async fn resume<'a>(
        &self,
        id: HeldSignInId,
        exchange: &'a Exchange,
    ) -> Result<SettingUp<'a>, Problem> {
        let resumed = self.held.resume(id, exchange).await?;
        let Some(set_up) = waiting(&resumed.held).cloned() else {
            self.held.give_back(&resumed).await;
            return Err(Problem::InvalidSession);
        };
        match self.waiting.guest_of(&set_up, &resumed.held.email).await {
            Ok(guest) => Ok(SettingUp {
                guest,
                set_up,
                resumed,
            }),
            Err(problem) => {
                if matches!(problem, Problem::InvalidSession) {
                    self.held.give_up(&resumed, &set_up.token).await;
                } else {
                    self.held.give_back(&resumed).await;
                }
                Err(problem)
            }
        }
    }

    /// Counts a claimed attempt at a code, against the network and the guest.
    pub async fn count_code<'a>(
        &'a self,
        setting_up: &SettingUp<'_>,
    ) -> Result<Attempt<'a>, Problem> {
        let guest = self.held.failures(&setting_up.set_up.token);
        self.held.count(&setting_up.resumed, Some(guest)).await
    }

    /// Counts a claimed attempt at a passkey against the network.
    pub async fn count_passkey<'a>(
        &'a self,
        setting_up: &SettingUp<'_>,
    ) -> Result<Attempt<'a>, Problem> {
        self.held.count(&setting_up.resumed, None).await
    }

    /// Releases an attempt of which nothing was counted.
    pub async fn give_back(&self, setting_up: &SettingUp<'_>) {
        self.held.give_back(&setting_up.resumed).await;
    }

    /// The answer to a wrong code. The last one ends the sign-in.
    pub async fn refuse(&self, setting_up: &SettingUp<'_>, attempt: &Attempt<'_>) -> Problem {
        let SettingUp { guest, resumed, .. } = setting_up;
        self.held
            .refuse(resumed, attempt, guest.locale.as_ref())
            .await
    }

    /// Signs in the guest after the set-up. `None` if that fails: the second factor stays set up,
    /// and the guest can sign in with it.
    pub async fn sign_in(
        &self,
        setting_up: SettingUp<'_>,
        attempt: Attempt<'_>,
    ) -> Option<SignedIn> {
        let SettingUp {
            guest,
            set_up,
            resumed,
        } = setting_up;
        let proved = ProvedFactor {
            attempt,
            guest,
            backup_codes_left: None,
        };
        let traded = self.held.trade(&resumed, &proved, &set_up.token).await;
        let tokens = match traded {
            Ok(tokens) => tokens,
            Err(problem) => {
                let error = problem.report().map(Report::chain);
                tracing::error!(error, "a second factor is set up, and its sign-in is lost");
                return None;
            }
        };
        // The notice of the set-up mentions this browser too.
        let arrived = Arrived::with_both_factors(proved.guest, false);
        let delivery = resumed.held.token_delivery;
        let tokens = self
            .welcomes
            .welcome(&resumed.requester, &arrived, tokens, delivery)
            .await;
        Some(SignedIn::new(tokens, arrived.guest))
    }
}

fn waiting(held: &HeldSignIn) -> Option<&HeldSetUp> {
    match &held.awaits {
        AwaitedFactor::SetUp(set_up) => Some(set_up),
        AwaitedFactor::Authenticator(_) | AwaitedFactor::Cognito(_) => None,
    }
}
