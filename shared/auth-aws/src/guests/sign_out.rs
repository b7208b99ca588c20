//! Sign-outs of a guest: of all sessions, or of all but one.

use auth_domain::{Guest, Problem, SessionId, Timestamp, UserSub};

use crate::{
    ActivityEntry, Guests,
    guest_items::{guest_key, read_guest},
    guests_table::{EXISTS, ROUNDS, overtaken},
    items::{millis, text},
    sign_outs::{not_before, while_signed_in},
    transactions::{Transacted, Write},
};

impl Guests {
    /// Refuses from now on the guest's tokens of every session except `kept`, with `entry` in the
    /// guest's activity. It refuses if another session has signed out since `guest` was read. So if
    /// two sessions end each other, one of them stays.
    pub async fn end_other_sessions(
        &self,
        guest: &Guest,
        kept: Option<&SessionId>,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let sub = &guest.cognito_sub;
        let Some(kept) = kept else {
            return self.sign_out_everywhere(sub, entry, now).await;
        };
        let record = self
            .table
            .update_in(guest_key(sub))
            .update_expression("SET signedOutAt = :now, keptSession = :kept, keptSessionAt = :now")
            .expression_attribute_values(":now", millis(not_before(guest, now)))
            .expression_attribute_values(":kept", text(kept.as_str()));
        let record = while_signed_in(record, EXISTS, guest).write()?;
        let writes = vec![record, entry.into_write()];
        match self
            .table
            .transact_or_look(writes, "end the other sessions")
            .await?
        {
            Transacted::Made => Ok(()),
            // Another request of this session was faster.
            Transacted::Refused(Some(item))
                if read_guest(&item)?.kept_session.as_ref() == Some(kept) =>
            {
                Ok(())
            }
            Transacted::Refused(_) => Err(Problem::AuthRequired),
        }
    }

    /// Refuses from now on every token of the user's guest that was issued up to `now`, with
    /// `entry` in the guest's activity. A session that a later sign-out has kept ends too.
    pub async fn sign_out_everywhere(
        &self,
        sub: &UserSub,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let (mut condition, mut at) = (IS_EARLIER, now);
        for _ in 0..ROUNDS {
            let record = self
                .table
                .update_in(guest_key(sub))
                .update_expression("SET signedOutAt = :at REMOVE keptSession, keptSessionAt")
                .condition_expression(condition)
                .expression_attribute_values(":at", millis(at))
                .write()?;
            let writes = vec![record, entry.clone().into_write()];
            let item = match self
                .table
                .transact_or_look(writes, "sign the guest out")
                .await?
            {
                Transacted::Made => return Ok(()),
                Transacted::Refused(item) => item.ok_or(Problem::AuthRequired)?,
            };
            let guest = read_guest(&item)?;
            // The same sign-out once more.
            if guest.signed_out_at == Some(now) && guest.kept_session.is_none() {
                return Ok(());
            }
            (condition, at) = (IS_AT, not_before(&guest, now));
        }
        Err(overtaken())
    }
}

/// The guest exists, and has signed out earlier or never.
const IS_EARLIER: &str =
    "attribute_exists(pk) AND (attribute_not_exists(signedOutAt) OR signedOutAt < :at)";

/// The guest has signed out at that very instant.
const IS_AT: &str = "signedOutAt = :at";
