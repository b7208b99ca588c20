//! Users that Latchkey makes before their address is proved, and their removal if it never is.

use auth_aws::{
    ConfigurationError, EmailCodes, Guests, Platform, Start, Unproved, UnprovedUsers, Users,
};
use auth_domain::{AttemptId, Email, Locale, Problem, Timestamp, UserSub};

/// How often a start may find the user under removal by another request. Each time it finishes that
/// removal first.
const ROUNDS: usize = 3;

/// Makes users with unproved addresses.
#[derive(Clone)]
pub struct NewUsers {
    unproved: UnprovedUsers,
    codes: EmailCodes,
    removal: Removal,
}

impl NewUsers {
    /// Users of the pool, and the notes about them in the table, that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            unproved: UnprovedUsers::new(platform)?,
            codes: EmailCodes::new(platform)?,
            removal: Removal::new(platform)?,
        })
    }

    /// Makes the user of an unproved address. Returns the new user's sub, or `None` if a user
    /// exists. A new user reads `locale`; an existing user keeps theirs.
    ///
    /// The start is recorded first, so that no removal claims the user meanwhile. If a removal has
    /// already claimed the user, perhaps in a run that failed half-way, this finishes it and makes
    /// a new user. If the new user cannot be recorded, the user is removed again.
    pub async fn ensure(
        &self,
        email: &Email,
        locale: Option<&Locale>,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<Option<UserSub>, Problem> {
        for _ in 0..ROUNDS {
            match self.unproved.note_start(email, attempt, now).await? {
                Start::Noted => return self.make(email, locale, attempt, now).await,
                Start::Sweeping(sub) => self.removal.finish(email, &sub).await?,
            }
        }
        Err(Problem::contended("others keep removing the same user"))
    }

    async fn make(
        &self,
        email: &Email,
        locale: Option<&Locale>,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<Option<UserSub>, Problem> {
        let Some(sub) = self.codes.create_user(email, locale).await? else {
            return Ok(None);
        };
        let noted = self.unproved.note_made(email, &sub, now).await;
        if noted.is_err() && self.roll_back(email, &sub, attempt, now).await.is_err() {
            tracing::error!("a new user has no note, and will not be removed");
        }
        noted.map(|()| Some(sub))
    }

    /// Removes the user that this attempt has made, unless another request has proved the address
    /// or started at it meanwhile.
    pub async fn roll_back(
        &self,
        email: &Email,
        sub: &UserSub,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if self.unproved.claim_made(email, sub, attempt, now).await? {
            self.removal.finish(email, sub).await?;
        }
        Ok(())
    }
}

/// Removes users that a removal has claimed.
#[derive(Clone)]
pub(crate) struct Removal {
    unproved: UnprovedUsers,
    users: Users,
}

impl Removal {
    pub(crate) fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            unproved: UnprovedUsers::new(platform)?,
            users: Users::new(platform)?,
        })
    }

    /// Removes the user, then forgets the address. The removal names the sub: a user made later for
    /// the same address has another.
    pub(crate) async fn finish(&self, email: &Email, sub: &UserSub) -> Result<(), Problem> {
        self.users.remove(sub).await?;
        self.unproved.forget_removed(email, sub).await
    }
}

/// Removes users whose address was not proved in time.
#[derive(Clone)]
pub struct UnprovedSweep {
    unproved: UnprovedUsers,
    guests: Guests,
    removal: Removal,
}

impl UnprovedSweep {
    /// The users, guests and notes that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            unproved: UnprovedUsers::new(platform)?,
            guests: Guests::new(platform)?,
            removal: Removal::new(platform)?,
        })
    }

    /// At most `most` addresses that have waited since `until` or before.
    pub async fn due(&self, until: Timestamp, most: u32) -> Result<Vec<Unproved>, Problem> {
        self.unproved.due(until, most).await
    }

    /// Removes one waiting user; `false` if the user must stay.
    ///
    /// A user that Latchkey did not make is never removed, nor one who has a guest: a proof claims
    /// the user before it makes a guest, but an operator may have bound one by hand. A claim left
    /// by a failed removal is completed now.
    pub async fn remove(&self, waiting: &Unproved, now: Timestamp) -> Result<bool, Problem> {
        let email = &waiting.email;
        let Some(sub) = &waiting.sub else {
            self.unproved.forget_bare(email, now).await?;
            return Ok(false);
        };
        if self.guests.find(sub).await?.is_some() {
            self.unproved.claim_proved(email, sub, now).await?;
            return Ok(false);
        }
        if !self.unproved.claim_due(email, sub, now).await? {
            return Ok(false);
        }
        self.removal.finish(email, sub).await?;
        Ok(true)
    }
}
