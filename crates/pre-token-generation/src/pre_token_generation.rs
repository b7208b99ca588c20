//! The decision: who gets tokens from a client that signs people in past the operations.
//!
//! A refusal comes after the proof, at every refresh too. Before the proof it would tell strangers who has an authenticator.

use auth_aws::{Address, Arrival, ProvedBy};
use auth_domain::{PasswordStanding, Problem, Report};

use crate::{Arriving, PreTokenGeneration};

/// Nothing here asks for the authenticator, and there is no way round it.
const HAS_AUTHENTICATOR: &str = "sign in on the web page, where your authenticator is asked for";

/// Cognito takes a password that was registered for right, and who chose it need not be who reads the mail.
const UNPROVED: &str = "confirm your address or set a new password on the web page first";

const SOMEBODY_ELSES: &str = "this address belongs to another account";

const NOT_NOW: &str = "try again later";

impl PreTokenGeneration {
    /// An error is what the person is told.
    pub(crate) async fn admit(&self, arriving: &Arriving) -> Result<(), &'static str> {
        self.look(arriving)
            .await
            .unwrap_or_else(|problem| Err(told(&problem)))
    }

    async fn look(&self, arriving: &Arriving) -> Result<Result<(), &'static str>, Problem> {
        let arrival = self.arrival(arriving).await?;
        if let Arrival::Known(guest) = &arrival
            && guest.authenticator.is_some()
        {
            return Ok(Err(HAS_AUTHENTICATOR));
        }
        if !password_counts(&arrival, arriving) {
            return Ok(Err(UNPROVED));
        }
        let is_known = matches!(arrival, Arrival::Known(_));
        if is_known || arriving.is_refresh || !self.api_clients.take(&arriving.client) {
            return Ok(Ok(()));
        }
        // The tokens open the JWT routes, which want a guest.
        match &arriving.email {
            Some(email) if arriving.email_verified => {
                self.guests
                    .get_or_create(
                        &arriving.sub,
                        email,
                        arrival,
                        ProvedBy::Password,
                        false,
                        self.clock.now(),
                    )
                    .await?;
                Ok(Ok(()))
            }
            Some(_) | None => Ok(Err(UNPROVED)),
        }
    }

    async fn arrival(&self, arriving: &Arriving) -> Result<Arrival, Problem> {
        match &arriving.email {
            Some(email) => self.guests.arrival(&arriving.sub, email).await,
            None => {
                let guest = self.guests.find(&arriving.sub).await?;
                Ok(guest.map_or(Arrival::First(None), |guest| {
                    Arrival::Known(Box::new(guest))
                }))
            }
        }
    }
}

/// Whether whatever password Cognito holds for the user is one that counts. The trigger is not told what was proved, so a code is no
/// better.
fn password_counts(arrival: &Arrival, arriving: &Arriving) -> bool {
    let standing = match arrival {
        Arrival::Known(guest) => guest.password_standing,
        Arrival::First(Some(Address::Waiting(waiting)))
            if waiting.guest.registered_sub.as_ref() == Some(&arriving.sub) =>
        {
            waiting.guest.password_standing
        }
        Arrival::First(Some(Address::Waiting(_) | Address::Claimed(_)) | None) => {
            PasswordStanding::Accepted
        }
    };
    match standing {
        PasswordStanding::Accepted => true,
        PasswordStanding::Unproven | PasswordStanding::Replaced => false,
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
