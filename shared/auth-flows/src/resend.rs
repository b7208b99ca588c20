//! Another code for the same sign-in or registration: admitted, counted, mailed, and stored beside
//! the earlier ones.
//!
//! The gap between two mails begins only with a mail: a re-send that fails before its mail is
//! withdrawn, and the next one may follow at once.

use auth_aws::{ConfigurationError, EmailCodes, Platform, SignIns};
use auth_domain::{
    AttemptId, LimitState, NewUser, Problem, ProofOfWork, SignIn, SignInId, SignInRules, Timestamp,
};
use auth_lambda::Exchange;

use crate::{CodeMails, Requester, Requesters};

/// Sends codes again.
#[derive(Clone)]
pub struct Resends {
    requesters: Requesters,
    mails: CodeMails,
    codes: EmailCodes,
    sign_ins: SignIns,
    rules: SignInRules,
}

/// A sign-in with a claimed re-send, before the mail is sent.
pub struct ClaimedResend<'a> {
    /// The sign-in.
    pub sign_in: SignIn,
    /// The sign-in's name.
    pub id: SignInId,
    requester: Requester<'a>,
}

impl ClaimedResend<'_> {
    /// When the re-send was asked for.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.requester.now()
    }
}

impl Resends {
    /// Re-sends by way of `operation`, with the limit `policy` for each address.
    pub fn new(
        platform: &Platform,
        operation: &'static str,
        policy: &'static str,
    ) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        let per_email =
            environment.limit(policy, "OTP_RESENDS_PER_EMAIL", "OTP_RESEND_WINDOW_SECONDS")?;
        Ok(Self {
            requesters: Requesters::new(platform, operation)?,
            mails: CodeMails::new(platform, per_email)?,
            codes: EmailCodes::new(platform)?,
            sign_ins: SignIns::new(platform)?,
            rules: environment.sign_in_rules()?,
        })
    }

    /// The rules of the sign-ins.
    #[must_use]
    pub fn rules(&self) -> &SignInRules {
        &self.rules
    }

    /// Claims a re-send. One conditional write checks the sign-in's time, its attempts and the gap
    /// since the last mail.
    pub async fn claim<'a>(
        &self,
        id: SignInId,
        proof: Option<&ProofOfWork>,
        exchange: &'a Exchange,
    ) -> Result<ClaimedResend<'a>, Problem> {
        let turn = self.requesters.turn(exchange);
        let (attempt, now) = (&turn.attempt, turn.now);
        let claiming = self.sign_ins.claim_resend(&id, attempt, now, &self.rules);
        let withdrawing = self.sign_ins.withdraw_resend(&id, attempt);
        let email = |sign_in: &SignIn| sign_in.email.clone();
        let claimed = self
            .requesters
            .claim(&turn, claiming, withdrawing, email, proof)
            .await;
        exchange.rate_limit(self.gap(claimed.as_ref().err()));
        let (sign_in, requester) = claimed?;
        Ok(ClaimedResend {
            sign_in,
            id,
            requester,
        })
    }

    /// Counts and mails a claimed re-send, if `permitting` permits it, and stores Cognito's session
    /// of the mail.
    pub async fn mail(
        &self,
        claimed: &ClaimedResend<'_>,
        permitting: impl Future<Output = Result<(), Problem>>,
    ) -> Result<(), Problem> {
        let mailing = async {
            permitting.await?;
            self.mails.admit(&claimed.requester, NewUser::Never).await?;
            let context = claimed.requester.exchange().context();
            let codes = self.codes.for_request(context);
            codes.send(&claimed.sign_in.email).await
        };
        match mailing.await {
            Ok(sending) => match sending.session {
                Some(session) => self.sign_ins.add_session(&claimed.id, &session).await,
                None => Ok(()),
            },
            Err(problem) => {
                self.withdraw(&claimed.id, claimed.requester.attempt())
                    .await;
                Err(problem)
            }
        }
    }

    /// The time until the next mail of this sign-in.
    fn gap(&self, refused: Option<&Problem>) -> LimitState {
        let limit = self.rules.resend_gap();
        let reset_seconds = match refused {
            Some(Problem::RateLimited {
                retry_after_seconds,
                ..
            }) => *retry_after_seconds,
            Some(_) | None => limit.window.as_secs(),
        };
        LimitState {
            limit,
            remaining: 0,
            reset_seconds,
        }
    }

    /// Lets the person try again at once. If that fails, the person waits the seconds between two
    /// mails.
    async fn withdraw(&self, id: &SignInId, attempt: &AttemptId) {
        if self.sign_ins.withdraw_resend(id, attempt).await.is_err() {
            tracing::warn!("the count of a failed re-send could not be restored");
        }
    }
}
