//! Users whom Latchkey makes before anybody has proved their address, and takes back when nobody does.

use auth_aws::{
    ConfigurationError, EmailCodes, Passwords, Platform, Secrets, Start, UnprovedUsers,
};
use auth_domain::{AttemptId, Email, Problem, Report, Timestamp, UserSub};

/// How often a start finds the user whom another one removes. Each time that removal is finished first.
const ROUNDS: usize = 3;

/// Makes and removes users whom nobody has proved.
#[derive(Clone)]
pub struct NewUsers {
    unproved: UnprovedUsers,
    codes: EmailCodes,
    passwords: Passwords,
}

impl NewUsers {
    /// Users of the pool, and the notes about them in the table, that the environment names.
    pub fn new(platform: &Platform, secrets: &Secrets) -> Result<Self, ConfigurationError> {
        Ok(Self {
            unproved: UnprovedUsers::new(platform)?,
            codes: EmailCodes::new(platform, secrets)?,
            passwords: Passwords::new(platform, secrets)?,
        })
    }

    /// Makes the user of an address that nobody has proved: the new one's sub, or `None` where there is one.
    ///
    /// The start is noted before, so that no removal claims the user while it goes on. Where one has claimed it already, perhaps in a run
    /// that failed half-way, it is finished here, and a new user is made. A user who cannot be noted is taken back.
    pub async fn ensure(
        &self,
        email: &Email,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<Option<UserSub>, Problem> {
        for _ in 0..ROUNDS {
            match self.unproved.note_start(email, attempt, now).await? {
                Start::Noted => return self.make(email, attempt, now).await,
                Start::Sweeping(sub) => self.remove(email, &sub).await?,
            }
        }
        Err(Problem::ServiceUnavailable {
            retry_after_seconds: 1,
            report: Report::of("others keep removing the same user"),
        })
    }

    async fn make(
        &self,
        email: &Email,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<Option<UserSub>, Problem> {
        let Some(sub) = self.codes.create_user(email).await? else {
            return Ok(None);
        };
        let noted = self.unproved.note_made(email, &sub, now).await;
        if noted.is_err() && self.roll_back(email, &sub, attempt, now).await.is_err() {
            tracing::error!("a new user is not noted, and will not be removed");
        }
        noted.map(|()| Some(sub))
    }

    /// Removes the user whom this attempt has made, unless somebody has proved the address meanwhile, or begun there too.
    pub async fn roll_back(
        &self,
        email: &Email,
        sub: &UserSub,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if self.unproved.claim_made(email, sub, attempt, now).await? {
            self.remove(email, sub).await?;
        }
        Ok(())
    }

    /// Removes a user who was claimed for it. The name is the sub: a user who was made anew for the address has another.
    async fn remove(&self, email: &Email, sub: &UserSub) -> Result<(), Problem> {
        self.passwords.delete_user(sub.as_str()).await?;
        self.unproved.forget_removed(email, sub).await
    }
}
