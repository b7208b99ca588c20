//! The instant in a guest's record up to which tokens are refused, and the one session that it
//! spares.

use auth_domain::{Guest, HeldSetUp, Problem, SessionId, Timestamp};
use aws_sdk_dynamodb::types::{TransactWriteItem, builders::UpdateBuilder};

use crate::{
    guest_items::read_guest,
    guests_table::{GuestsTable, ROUNDS, overtaken},
    items::{millis, text},
    transactions::Transacted,
};

/// What every end of sessions sets.
const ENDED: &str = "updatedAt = :now, signedOutAt = :millis";

/// A condition: the guest's latest sign-out is still the one that was `seen`, the value `:seen`.
pub(crate) fn is_unchanged(seen: Option<Timestamp>) -> &'static str {
    match seen {
        Some(_) => "signedOutAt = :seen",
        None => "attribute_not_exists(signedOutAt)",
    }
}

/// Adds a condition to a write that keeps a session of `guest`: the guest has not signed out since
/// the record was read. Otherwise the write would revive a session that the sign-out has ended.
pub(crate) fn while_signed_in(
    write: UpdateBuilder,
    condition: &str,
    guest: &Guest,
) -> UpdateBuilder {
    let seen = guest.signed_out_at;
    let write = write.condition_expression(format!("{condition} AND {}", is_unchanged(seen)));
    match seen {
        Some(seen) => write.expression_attribute_values(":seen", millis(seen)),
        None => write,
    }
}

/// Adds conditions to a write for a sign-in that waits for a set-up: its guest has no
/// authenticator, and has not ended the sign-in since it began.
pub(crate) fn while_it_waits(
    write: UpdateBuilder,
    condition: &str,
    set_up: &HeldSetUp,
) -> UpdateBuilder {
    write
        .condition_expression(format!(
            "{condition} AND attribute_not_exists(authenticatorKeys) \
             AND (attribute_not_exists(signedOutAt) OR signedOutAt < :begun \
             OR (keptSession = :waiting AND keptSessionAt = signedOutAt))"
        ))
        .expression_attribute_values(":begun", millis(set_up.token.begun))
        .expression_attribute_values(":waiting", text(set_up.session.as_str()))
}

/// The instant of a sign-out at `now`. It is never earlier than the one before: the clock of
/// another machine may be ahead.
pub(crate) fn not_before(guest: &Guest, now: Timestamp) -> Timestamp {
    guest.signed_out_at.map_or(now, |seen| seen.max(now))
}

/// Adds to a write the end of every token issued up to `at`, except those of the session `kept`.
/// The write also sets `set` and removes the attributes `remove`.
pub(crate) fn ending_sessions(
    write: UpdateBuilder,
    set: &str,
    remove: &str,
    kept: Option<&SessionId>,
    at: Timestamp,
) -> UpdateBuilder {
    let write = write
        .expression_attribute_values(":now", text(at.to_string()))
        .expression_attribute_values(":millis", millis(at));
    match kept {
        Some(kept) => write
            .update_expression(format!(
                "SET {ENDED}{set}, keptSession = :kept, keptSessionAt = :millis REMOVE {remove}"
            ))
            .expression_attribute_values(":kept", text(kept.as_str())),
        None => write.update_expression(format!(
            "SET {ENDED}{set} REMOVE {remove}, keptSession, keptSessionAt"
        )),
    }
}

/// A guest as one round of [`keeping`] sees it, and the session that may still be kept.
pub(crate) struct Round<'a> {
    pub(crate) guest: Guest,
    pub(crate) kept: Option<&'a SessionId>,
    pub(crate) at: Timestamp,
}

impl Round<'_> {
    /// Adds this round's end of sessions to a write. The write is refused if the guest has signed
    /// out since the record was read: it would revive a session that the sign-out has ended.
    pub(crate) fn ending_sessions(
        &self,
        write: UpdateBuilder,
        condition: &str,
        set: &str,
        remove: &str,
    ) -> UpdateBuilder {
        let write = while_signed_in(write, condition, &self.guest);
        ending_sessions(write, set, remove, self.kept, self.at)
    }
}

/// Makes the writes that end all sessions of `guest` except `kept`, and change more. If the guest
/// signs out meanwhile, the change is made all the same, and the session is not kept. `false` if
/// another condition refused.
pub(crate) async fn keeping(
    table: &GuestsTable,
    guest: &Guest,
    kept: Option<&SessionId>,
    now: Timestamp,
    attempted: &'static str,
    writes: impl Fn(&Round<'_>) -> Result<Vec<TransactWriteItem>, Problem>,
) -> Result<bool, Problem> {
    let mut round = Round {
        guest: guest.clone(),
        kept,
        at: not_before(guest, now),
    };
    for _ in 0..ROUNDS {
        let item = match table.transact_or_look(writes(&round)?, attempted).await? {
            Transacted::Made => return Ok(true),
            Transacted::Refused(item) => item,
        };
        // Another item of the transaction may have refused it.
        let guest = item.filter(|item| item.contains_key("cognitoSub"));
        let Some(guest) = guest.as_ref().map(read_guest).transpose()? else {
            return Ok(false);
        };
        if guest.signed_out_at == round.guest.signed_out_at {
            return Ok(false);
        }
        round = Round {
            kept: kept.filter(|kept| guest.kept_session.as_ref() == Some(*kept)),
            at: not_before(&guest, now),
            guest,
        };
    }
    Err(overtaken())
}
