//! The change of a guest's address: claimed once, and then done step by step, as often as it takes.
//!
//! The claim is one transaction on the guest and both addresses, made when the new address is
//! proved. From there on starts make no user at the new address, and nothing else makes it
//! somebody's. Cognito's user gets the address next, and one transaction moves the claim last. The
//! steps between may be repeated: by the same request, or by a sign-in at either address.

use auth_aws::{AddressSet, ConfigurationError, Guests, Platform, UnprovedUsers, Users};
use auth_domain::{ActivityKind, Clock, Email, Guest, Notice, Problem, UserSub};
use auth_lambda::Exchange;
use tokio::{join, try_join};

use crate::{Activities, Notices, new_users::Removal};

/// How often Cognito is asked again where a start has made a user meanwhile.
const ROUNDS: usize = 3;

/// Changes addresses.
#[derive(Clone)]
pub struct AddressChanges {
    guests: Guests,
    users: Users,
    unproved: UnprovedUsers,
    removal: Removal,
    activities: Activities,
    notices: Notices,
    clock: Clock,
}

impl AddressChanges {
    /// Changes in the pool and the tables that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            guests: Guests::new(platform)?,
            users: Users::new(platform)?,
            unproved: UnprovedUsers::new(platform)?,
            removal: Removal::new(platform)?,
            activities: Activities::new(platform)?,
            notices: Notices::new(platform)?,
            clock: platform.clock(),
        })
    }

    /// Makes an address that `guest` has proved the guest's. No other change may be half done.
    ///
    /// A user at the address whom a start has left is removed. Any other one has an account, older
    /// than Latchkey perhaps: the address is theirs.
    pub async fn begin(
        &self,
        guest: Guest,
        to: &Email,
        exchange: &Exchange,
    ) -> Result<Guest, Problem> {
        if let Some(holder) = self.users.holder(to).await?
            && holder != guest.cognito_sub
            && !self.is_unproved(to, &holder).await?
        {
            return Err(Problem::EmailExists);
        }
        if !self
            .guests
            .claim_address(&guest, to, self.clock.now())
            .await?
        {
            return self.refused(&guest, to).await;
        }
        let claimed = Guest {
            changing_to: Some(to.clone()),
            ..guest
        };
        self.resume(claimed, exchange).await
    }

    /// Finishes a change that has begun, and gives the guest as they are then. The guest keeps the
    /// address before where Cognito's user has gone.
    pub async fn resume(&self, guest: Guest, exchange: &Exchange) -> Result<Guest, Problem> {
        let Some(to) = guest.changing_to.clone() else {
            return Ok(guest);
        };
        let (sub, from) = (&guest.cognito_sub, &guest.email);
        if !self.move_user(sub, &to).await? {
            self.guests.release_address(&guest, &to).await?;
            return Ok(Guest {
                changing_to: None,
                ..guest
            });
        }
        self.unproved.forget_proved(from, sub).await?;
        let now = self.clock.now();
        let kind = ActivityKind::AddressChanged;
        let event = if exchange.caller().is_ok_and(|caller| caller.sub == *sub) {
            self.activities.event(&guest, kind, exchange)
        } else {
            self.activities.event_before(&guest, kind)
        };
        let entry = self.activities.write_of(&event)?;
        if !self.guests.move_address(&guest, &to, entry, now).await? {
            // Another request was quicker, or has changed the guest.
            let found = self.guests.find(sub).await?.ok_or(Problem::AuthRequired)?;
            return if found.changing_to.is_none() {
                Ok(found)
            } else {
                Err(overtaken())
            };
        }
        let notice = Notice::AddressChanged;
        let locale = guest.locale.as_ref();
        join!(
            self.notices.tell_at(from, locale, notice, exchange),
            self.notices.tell_at(&to, locale, notice, exchange)
        );
        Ok(Guest {
            email: to,
            changing_to: None,
            updated_at: now,
            address_changed_at: Some(now),
            ..guest
        })
    }

    /// Gives the user the address at Cognito; `false` if the user has gone.
    ///
    /// If another user has the address, Cognito may refuse, or move the address silently. So that
    /// user is removed first, and both are read back.
    async fn move_user(&self, sub: &UserSub, to: &Email) -> Result<bool, Problem> {
        for _ in 0..ROUNDS {
            if let Some(holder) = self.users.holder(to).await?
                && holder != *sub
            {
                self.displace(to, &holder).await?;
            }
            match self.users.set_address(sub, to).await? {
                AddressSet::Set => {}
                // A start that was under way has made a user.
                AddressSet::Taken => continue,
                AddressSet::Gone => return Ok(false),
            }
            let (holder, own) = try_join!(self.users.holder(to), self.users.address_of(sub))?;
            if holder.as_ref() == Some(sub) && own.as_ref() == Some(to) {
                return Ok(true);
            }
        }
        Err(overtaken())
    }

    /// Removes the user whom a start has left at a claimed address. While the claim stands, nobody
    /// makes a guest of that user.
    async fn displace(&self, to: &Email, holder: &UserSub) -> Result<(), Problem> {
        let now = self.clock.now();
        let may_go = self.guests.find(holder).await?.is_none()
            && self.unproved.claim_displaced(to, holder, now).await?;
        if !may_go {
            return Err(overtaken());
        }
        self.removal.finish(to, holder).await
    }

    /// Whether the user of an address is one whom a start has left there.
    async fn is_unproved(&self, email: &Email, sub: &UserSub) -> Result<bool, Problem> {
        let (made, guest) = try_join!(self.unproved.made_at(email), self.guests.find(sub))?;
        Ok(made.as_ref() == Some(sub) && guest.is_none())
    }

    /// Why an address could not be claimed: it is somebody's, or the guest has changed meanwhile,
    /// perhaps by this very claim.
    async fn refused(&self, guest: &Guest, to: &Email) -> Result<Guest, Problem> {
        let (address, found) = try_join!(self.guests.at(to), self.guests.find(&guest.cognito_sub))?;
        let found = found.ok_or(Problem::AuthRequired)?;
        if found.email == *to {
            Ok(found)
        } else if address.is_some() && found.changing_to.as_ref() != Some(to) {
            Err(Problem::EmailExists)
        } else {
            Err(overtaken())
        }
    }
}

fn overtaken() -> Problem {
    Problem::contended("others are changing the same address")
}
