//! The decision: which users get tokens from a client that signs people in without the operations.
//!
//! A refusal comes after the proof, at every refresh too. Before the proof it would reveal to
//! strangers who has an authenticator.

use auth_aws::Newcomer;
use auth_domain::{Problem, Report, SecondFactorPolicy, UserPassword};

use crate::{Arriving, PreTokenGeneration};

/// This client does not ask for the authenticator, and cannot be made to.
const HAS_AUTHENTICATOR: &str = "sign in on the web page, where your authenticator is asked for";

/// Cognito accepts the password of an unproved address, and the reader of the mail may be another
/// person than the one who chose it.
const UNPROVED: &str = "confirm your address or set a new password on the web page first";

/// This client does not ask for a second factor, and the deployment requires one.
const NEEDS_SECOND_FACTOR: &str = "sign in on the web page, where your second factor is asked for";

const SOMEBODY_ELSES: &str = "this address belongs to another account";

const NOT_NOW: &str = "try again later";

impl PreTokenGeneration {
    /// An error is shown to the person.
    pub(crate) async fn admit(&self, arriving: &Arriving) -> Result<(), &'static str> {
        self.look(arriving)
            .await
            .unwrap_or_else(|problem| Err(told(&problem)))
    }

    async fn look(&self, arriving: &Arriving) -> Result<Result<(), &'static str>, Problem> {
        match self.second_factor {
            SecondFactorPolicy::Required => return Ok(Err(NEEDS_SECOND_FACTOR)),
            SecondFactorPolicy::Optional => {}
        }
        match self.guests.find(&arriving.sub).await? {
            Some(guest) if guest.authenticator.is_some() => Ok(Err(HAS_AUTHENTICATOR)),
            Some(_) => Ok(Ok(())),
            // Whatever the client: a consent at AgentCore's would outlive the proof by the owner.
            None if !arriving.email_verified => Ok(Err(UNPROVED)),
            None if arriving.is_refresh || !self.api_clients.take(&arriving.client) => Ok(Ok(())),
            None => self.welcome(arriving).await,
        }
    }

    /// Makes the guest of a user who has none: the tokens open the JWT routes, which need a guest.
    async fn welcome(&self, arriving: &Arriving) -> Result<Result<(), &'static str>, Problem> {
        let Some(email) = &arriving.email else {
            return Ok(Err(UNPROVED));
        };
        let (arrival, is_marked) = self.arrivals.look_at_password(email).await?;
        if is_marked {
            return Ok(Err(UNPROVED));
        }
        let newcomer = Newcomer {
            sub: &arriving.sub,
            email,
            password: UserPassword::Unseen,
            locale: arriving.locale.as_ref(),
        };
        self.arrivals
            .receive(arrival, newcomer, &self.metrics)
            .await?;
        Ok(Ok(()))
    }
}

fn told(problem: &Problem) -> &'static str {
    if matches!(problem, Problem::UserMismatch) {
        return SOMEBODY_ELSES;
    }
    let report = problem.report().map(Report::chain);
    tracing::error!(error = report, "the guest could not be looked up or made");
    NOT_NOW
}
