//! Unproved addresses of sign-ins and registrations, in the challenges table: the user that
//! Latchkey made for each, and the claim on that user.
//!
//! There is one item an address. It ends in one of two ways, and one conditional write decides
//! which: a proof claims it, and the user stays; or a removal claims it, and the user is deleted.

use std::time::Duration;

use auth_domain::{AttemptId, Email, Problem, Timestamp, UserSub};
use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, update_item::builders::UpdateItemFluentBuilder},
    types::AttributeValue,
};

use crate::{
    ConfigurationError, Platform,
    boxed::Boxed as _,
    challenges::Challenges,
    failure::failure,
    items::{Item, Written, conditional_update, get_text, millis, number, text, unreadable},
};

/// The index of the items that wait, the oldest first.
const INDEX: &str = "unproved-index";

/// The index's one partition: as many as a thousand new users a second fit into it.
const WAITING: &str = "unproved";

/// How long a proof is remembered. A start that was pending at its arrival has ended long before.
const PROOF_KEPT: Duration = Duration::from_hours(24);

/// No removal claims the item before its last start has this age: by then the start's sign-in has
/// ended.
pub const QUIET: Duration = Duration::from_mins(15);

/// The items, in the challenges table.
#[derive(Clone)]
pub struct UnprovedUsers {
    challenges: Challenges,
}

/// The outcome of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// It is noted.
    Noted,
    /// This user of the address is being removed.
    Sweeping(UserSub),
}

/// An address whose waiting time is over, and the user that Latchkey made for it, if any.
#[derive(Clone, Debug)]
pub struct Unproved {
    /// The address.
    pub email: Email,
    /// The user.
    pub sub: Option<UserSub>,
}

impl UnprovedUsers {
    /// The items in the table that `CHALLENGES_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            challenges: Challenges::new(platform)?,
        })
    }

    /// Records a start at an unproved address. For a while afterwards, no removal claims its user.
    pub async fn note_start(
        &self,
        email: &Email,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<Start, Problem> {
        let write = self
            .update(email)
            .update_expression(
                "SET startedAt = :now, startedBy = :attempt, waiting = :waiting, since = if_not_exists(since, :now)",
            )
            .condition_expression("attribute_not_exists(sweepingSince)")
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":waiting", text(WAITING));
        match conditional_update(write, "note the start").await? {
            Written::Made(_) => Ok(Start::Noted),
            Written::Refused(item) => {
                let sub = item.as_ref().and_then(sub_of);
                let lost = || {
                    Problem::Internal(unreadable("a user who is being removed does not read back"))
                };
                sub.map(Start::Sweeping).ok_or_else(lost)
            }
        }
    }

    /// Records that Latchkey has made a user. An earlier proof of the same user stays.
    pub async fn note_made(
        &self,
        email: &Email,
        sub: &UserSub,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let write = self
            .update(email)
            .update_expression(
                "SET #sub = :sub, waiting = :waiting, since = :now REMOVE provedSub, #ttl",
            )
            .condition_expression("attribute_not_exists(provedSub) OR provedSub <> :sub")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":waiting", text(WAITING));
        match conditional_update(write, "note the new user").await? {
            Written::Made(_) | Written::Refused(_) => Ok(()),
        }
    }

    /// Claims an address's user for good: `sub` has just proved it. `false` if a removal has
    /// claimed that user.
    pub async fn claim_proved(
        &self,
        email: &Email,
        sub: &UserSub,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let write = self
            .update(email)
            .update_expression("SET provedSub = :sub, #ttl = :ttl REMOVE waiting, since")
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(sweepingSince) OR #sub <> :sub)",
            )
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":ttl", number(now.after(PROOF_KEPT).as_seconds()));
        Ok(match conditional_update(write, "claim the user").await? {
            Written::Made(_) | Written::Refused(None) => true,
            Written::Refused(Some(_)) => false,
        })
    }

    /// Claims the user that this attempt has made, to remove it again. `false` if another request
    /// has proved the address or started at it since.
    pub async fn claim_made(
        &self,
        email: &Email,
        sub: &UserSub,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let write = self
            .update(email)
            .update_expression("SET sweepingSince = :now, #sub = :sub")
            .condition_expression(
                "startedBy = :attempt AND (attribute_not_exists(provedSub) OR provedSub <> :sub)",
            )
            .expression_attribute_values(":attempt", text(attempt.as_str()));
        self.claim(write, sub, now).await
    }

    /// Claims a user whose waiting time is over. `false` if a request has proved the address, or
    /// started at it a moment ago. A claim whose removal failed is made again.
    pub async fn claim_due(
        &self,
        email: &Email,
        sub: &UserSub,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let write = self
            .update(email)
            .update_expression("SET sweepingSince = :now")
            .condition_expression(
                "#sub = :sub AND (attribute_exists(sweepingSince) \
                 OR (startedAt <= :quiet AND (attribute_not_exists(provedSub) OR provedSub <> :sub)))",
            )
            .expression_attribute_values(":quiet", millis(now.before(QUIET)));
        self.claim(write, sub, now).await
    }

    /// The user that Latchkey made at an address, if it did.
    pub async fn made_at(&self, email: &Email) -> Result<Option<UserSub>, Problem> {
        let answer = self
            .challenges
            .get(key(email))
            .send()
            .await
            .map_err(failure("look for the user made at the address"))?;
        Ok(answer.item.as_ref().and_then(sub_of))
    }

    /// Claims the user that Latchkey made at an address which another guest has claimed. `false`
    /// where Latchkey made no such user.
    pub async fn claim_displaced(
        &self,
        email: &Email,
        sub: &UserSub,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let write = self
            .update(email)
            .update_expression("SET sweepingSince = :now")
            .condition_expression("#sub = :sub");
        self.claim(write, sub, now).await
    }

    async fn claim(
        &self,
        write: UpdateItemFluentBuilder,
        sub: &UserSub,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let write = write
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":now", millis(now));
        let claimed = conditional_update(write, "claim the user for removal").await?;
        Ok(claimed.is_made())
    }

    /// Forgets an address whose user was claimed for removal and is deleted.
    pub async fn forget_removed(&self, email: &Email, sub: &UserSub) -> Result<(), Problem> {
        self.forget(
            email,
            "#sub = :sub AND attribute_exists(sweepingSince)",
            (":sub", text(sub.as_str())),
        )
        .await
    }

    /// Forgets the proof of an address whose guest is being deleted.
    pub async fn forget_proved(&self, email: &Email, sub: &UserSub) -> Result<(), Problem> {
        self.forget(email, "#sub = :sub", (":sub", text(sub.as_str())))
            .await
    }

    /// Forgets an address for which Latchkey made no user, unless a request has started at it a
    /// moment ago.
    pub async fn forget_bare(&self, email: &Email, now: Timestamp) -> Result<(), Problem> {
        self.forget(
            email,
            "attribute_not_exists(#sub) AND startedAt <= :quiet",
            (":quiet", millis(now.before(QUIET))),
        )
        .await
    }

    async fn forget(
        &self,
        email: &Email,
        condition: &str,
        (name, value): (&str, AttributeValue),
    ) -> Result<(), Problem> {
        let deleted = self
            .challenges
            .delete(key(email))
            .condition_expression(condition)
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(name, value)
            .send()
            .boxed()
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failure("forget the address")(error).into()),
        }
    }

    /// At most `most` addresses that have waited since `until` or before, the oldest first. The
    /// index lags a little: only a claim decides whether one still waits.
    pub async fn due(&self, until: Timestamp, most: u32) -> Result<Vec<Unproved>, Problem> {
        let found = self
            .challenges
            .query(INDEX)
            .key_condition_expression("waiting = :waiting AND since <= :until")
            .expression_attribute_values(":waiting", text(WAITING))
            .expression_attribute_values(":until", millis(until))
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .send()
            .boxed()
            .await
            .map_err(failure("look for users whom nobody has proved"))?;
        let unproved = found.items().iter().map(read).collect::<Option<_>>();
        unproved.ok_or_else(|| {
            Problem::Internal(unreadable("an address that waits does not read back"))
        })
    }

    fn update(&self, email: &Email) -> UpdateItemFluentBuilder {
        self.challenges.update(key(email))
    }
}

fn key(email: &Email) -> AttributeValue {
    text(format!("unproved#{}", email.as_str()))
}

fn sub_of(item: &Item) -> Option<UserSub> {
    UserSub::parse(get_text(item, "sub")?).ok()
}

fn read(item: &Item) -> Option<Unproved> {
    Some(Unproved {
        email: Email::parse(get_text(item, "pk")?.split_once('#')?.1).ok()?,
        sub: sub_of(item),
    })
}
