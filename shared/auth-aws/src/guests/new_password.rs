//! Records of new passwords, which end sessions.

use auth_domain::{Email, Guest, Problem, SessionId, Timestamp, UserSub};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use crate::{
    ActivityEntry, Guests,
    guest_items::{REGISTRATION, guest_key},
    guests_table::{EXISTS, overtaken},
    items::{Item, millis, number, text},
    sign_outs::keeping,
    transactions::Write,
};

impl Guests {
    /// Records that a mailed code has set a user's new password, with `entry` in the guest's
    /// activity: the password counts, and every token issued up to `now` is refused. `false` if the
    /// user has no guest. `address` is the guest's, if its claim has no mark of a password yet.
    pub async fn note_new_password(
        &self,
        sub: &UserSub,
        address: Option<&Email>,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let record = self
            .table
            .update_in(guest_key(sub))
            .update_expression(NEW_PASSWORD)
            .condition_expression(EXISTS)
            .set_expression_attribute_values(Some(new_password(now)))
            .write()?;
        let mut writes = vec![record, entry.into_write()];
        if let Some(email) = address {
            writes.push(self.claim_with_password(sub, email)?);
        }
        self.table.transact(writes, "note the new password").await
    }

    /// Records a new password of a signed-in guest, with `entry` in the guest's activity. The
    /// password counts, and every session except `kept` ends.
    pub async fn note_changed_password(
        &self,
        guest: &Guest,
        kept: Option<&SessionId>,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let sub = &guest.cognito_sub;
        let (set, remove) = (", hasPassword = :true", REGISTRATION);
        let attempted = "note the new password";
        let noted = keeping(&self.table, guest, kept, now, attempted, |round| {
            let write = self
                .table
                .update_in(guest_key(sub))
                .expression_attribute_values(":true", AttributeValue::Bool(true));
            let record = round.ending_sessions(write, EXISTS, set, remove);
            let mut writes = vec![record.write()?, entry.clone().into_write()];
            if !round.guest.has_password() {
                writes.push(self.claim_with_password(sub, &round.guest.email)?);
            }
            Ok(writes)
        });
        if noted.await? {
            Ok(())
        } else {
            Err(overtaken())
        }
    }

    fn claim_with_password(
        &self,
        sub: &UserSub,
        email: &Email,
    ) -> Result<TransactWriteItem, Problem> {
        self.table
            .update_claim(email, sub)
            .update_expression("SET hasPassword = :true")
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .write()
    }
}

/// The changes of a new password in its guest's record.
const NEW_PASSWORD: &str = "SET emailVerified = :true, hasPassword = :true, signedOutAt = :millis, updatedAt = :now \
                            REMOVE registration, keptSession, keptSessionAt ADD deviceEpoch :one";

fn new_password(now: Timestamp) -> Item {
    Item::from([
        (":one".to_owned(), number(1)),
        (":true".to_owned(), AttributeValue::Bool(true)),
        (":millis".to_owned(), millis(now)),
        (":now".to_owned(), text(now.to_string())),
    ])
}
