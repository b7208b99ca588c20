//! The guest of a user who has just proved their identity: found, bound or made.

use auth_aws::{
    Arrival, ConfigurationError, EarlierPasswords, FirstProofs, Guests, Newcomer, Platform,
    ProvedGuest,
};
use auth_domain::{Clock, Email, Guest, PasskeyId, Problem, UserSub};
use auth_lambda::{Counter, Metric};
use tokio::try_join;

/// Finds, binds or makes guests.
#[derive(Clone)]
pub struct Arrivals {
    guests: Guests,
    earlier_passwords: EarlierPasswords,
    first_proofs: FirstProofs,
    clock: Clock,
}

/// The guest of a sign-in.
pub struct Arrived {
    /// The guest.
    pub guest: Guest,
    /// Whether the guest had proved the address before.
    pub returns: bool,
    /// Whether both factors were shown.
    pub has_both_factors: bool,
    /// The passkey that was shown, if its device has verified its user.
    pub verified_passkey: Option<PasskeyId>,
    /// Whether this browser may skip the second factor later. The second factor was shown just now.
    pub spares_second_factor: bool,
}

impl Arrived {
    /// A guest after the first factor.
    #[must_use]
    pub fn with_one_factor(guest: Guest, returns: bool) -> Self {
        Self {
            guest,
            returns,
            has_both_factors: false,
            verified_passkey: None,
            spares_second_factor: false,
        }
    }

    /// A guest after both factors.
    #[must_use]
    pub fn with_both_factors(guest: Guest, returns: bool) -> Self {
        Self {
            has_both_factors: true,
            ..Self::with_one_factor(guest, returns)
        }
    }
}

impl Arrivals {
    /// Guests in the table that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            guests: Guests::new(platform)?,
            earlier_passwords: EarlierPasswords::new(platform)?,
            first_proofs: FirstProofs::new(platform)?,
            clock: platform.clock(),
        })
    }

    /// The stored state of a user who has just signed in at an address.
    pub async fn look(&self, sub: &UserSub, email: &Email) -> Result<Arrival, Problem> {
        self.guests.arrival(sub, email).await
    }

    /// The same for a right password, and whether it may be a stranger's: it was there before the
    /// address was proved, and the user has no guest yet.
    pub async fn look_with_password(
        &self,
        sub: &UserSub,
        email: &Email,
    ) -> Result<(Arrival, bool), Problem> {
        if let Some(guest) = self.guests.find(sub).await? {
            return Ok((Arrival::Known(Box::new(guest)), false));
        }
        self.look_at_password(email).await
    }

    /// The same for a user without a guest.
    pub async fn look_at_password(&self, email: &Email) -> Result<(Arrival, bool), Problem> {
        let (address, is_marked) = try_join!(
            self.guests.at(email),
            self.earlier_passwords.is_marked(email)
        )?;
        Ok((Arrival::First(address), is_marked))
    }

    /// The stored state of an address whose user has no guest.
    pub async fn look_at(&self, email: &Email) -> Result<Arrival, Problem> {
        self.guests.at(email).await.map(Arrival::First)
    }

    /// The guest of a user whose state was read a moment ago. A new guest is counted, and stays
    /// even if the sign-in fails.
    pub async fn receive(
        &self,
        arrival: Arrival,
        newcomer: Newcomer<'_>,
        counter: &impl Counter,
    ) -> Result<Arrived, Problem> {
        let before = arrival.proved_before();
        let now = self.clock.now();
        let ProvedGuest { guest, is_new } = self
            .guests
            .get_or_create(newcomer, arrival, &self.first_proofs, now)
            .await?;
        if is_new {
            counter.count(Metric::GuestsCreated);
        }
        Ok(Arrived::with_one_factor(guest, before.unwrap_or(!is_new)))
    }
}
