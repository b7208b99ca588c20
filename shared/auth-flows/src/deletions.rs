//! The deletion of an account: claimed once, then done in steps that may be repeated.
//!
//! The claim is one transaction on the guest and the address. From then on none of the guest's
//! tokens counts, and no sign-in finds the guest. Each later step can be repeated. The guest's own
//! items are deleted last, so a remaining item shows an unfinished deletion.

use auth_aws::{
    AccountRecords, ActivityEntry, ConfigurationError, Guests, Platform, UnprovedUsers, Users,
};
use auth_domain::{Clock, Email, Guest, GuestId, Locale, Notice, Problem, UserSub};
use auth_lambda::Exchange;
use tokio::try_join;

use crate::Notices;

/// Deletes accounts.
#[derive(Clone)]
pub struct Deletions {
    guests: Guests,
    users: Users,
    records: AccountRecords,
    unproved: UnprovedUsers,
    notices: Notices,
    clock: Clock,
}

/// A guest who is being deleted.
#[derive(Clone, Copy)]
pub struct Leaving<'a> {
    /// The user.
    pub sub: &'a UserSub,
    /// The guest's number.
    pub guest_id: &'a GuestId,
    /// The guest's address.
    pub email: &'a Email,
    /// The other one, if one was being changed for the other.
    pub other: Option<&'a Email>,
    /// The language of the guest's mails.
    pub locale: Option<&'a Locale>,
}

impl<'a> From<&'a Guest> for Leaving<'a> {
    fn from(guest: &'a Guest) -> Self {
        Self {
            sub: &guest.cognito_sub,
            guest_id: &guest.guest_id,
            email: &guest.email,
            other: guest.changing_to.as_ref(),
            locale: guest.locale.as_ref(),
        }
    }
}

impl Deletions {
    /// Deletions in the pool and the tables that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            guests: Guests::new(platform)?,
            users: Users::new(platform)?,
            records: AccountRecords::new(platform)?,
            unproved: UnprovedUsers::new(platform)?,
            notices: Notices::new(platform)?,
            clock: platform.clock(),
        })
    }

    /// Claims a guest for deletion, and deletes everything. Of several claims one counts, and all
    /// of them continue. The claim puts `entry` into the activity: other systems hear of it from
    /// there, and it is deleted with the rest. `false` if the guest has gone.
    pub async fn begin(
        &self,
        guest: &Guest,
        entry: ActivityEntry,
        exchange: &Exchange,
    ) -> Result<bool, Problem> {
        let now = self.clock.now();
        if !self.guests.claim_deletion(guest, entry, now).await? {
            return Ok(false);
        }
        self.resume(guest.into(), exchange).await?;
        Ok(true)
    }

    /// Deletes the remains of a claimed guest: the user first, so that no sign-in succeeds, and the
    /// guest's own items last. The address gets one notice.
    pub async fn resume(&self, leaving: Leaving<'_>, exchange: &Exchange) -> Result<(), Problem> {
        let Leaving {
            sub,
            guest_id,
            email,
            other,
            locale,
        } = leaving;
        self.users.remove(sub).await?;
        try_join!(
            self.records.forget_sessions(sub),
            self.records.forget_activity(sub),
            self.unproved.forget_proved(email, sub)
        )?;
        if self.guests.forget(sub, guest_id, email, other).await? {
            let notice = Notice::AccountDeleted;
            self.notices.tell_at(email, locale, notice, exchange).await;
        }
        Ok(())
    }
}
