//! Resets of second factors by operators, in their guests' records. An operator requests one, the
//! guest may stop it, and the guest's next sign-in after the delay carries it out.

use auth_domain::{Guest, Problem, SessionId, Timestamp, UserSub};

use crate::{
    ActivityEntry, ConfigurationError, Platform,
    authenticators::{AUTHENTICATOR, NOT_LOST},
    guest_items::{FACTOR_RESET, guest_key, passkey_attribute},
    guests_table::{EXISTS, GuestsTable},
    items::millis,
    sign_outs::keeping,
    transactions::Write,
};

/// The resets' part of the guests table.
#[derive(Clone)]
pub struct FactorResets {
    table: GuestsTable,
}

impl FactorResets {
    /// Resets in the table that `GUESTS_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            table: GuestsTable::new(platform)?,
        })
    }

    /// Sets the end of the second factors to `at`, with `entry` in the guest's activity. A reset
    /// that already waits keeps its time: a second request neither hastens nor delays it. Returns
    /// when the factors end.
    pub async fn ask(
        &self,
        guest: &Guest,
        at: Timestamp,
        entry: ActivityEntry,
    ) -> Result<Timestamp, Problem> {
        if let Some(before) = guest.factor_reset_at {
            return Ok(before);
        }
        let record = self
            .table
            .update_in(guest_key(&guest.cognito_sub))
            .update_expression(format!("SET {FACTOR_RESET} = :at"))
            .condition_expression(format!("{EXISTS} AND attribute_not_exists({FACTOR_RESET})"))
            .expression_attribute_values(":at", millis(at))
            .write()?;
        let writes = vec![record, entry.into_write()];
        let asked = self.table.transact(writes, "ask for the reset of factors");
        if asked.await? {
            Ok(at)
        } else {
            Err(Problem::contended(
                "another operator asked at the same moment",
            ))
        }
    }

    /// Stops a reset that waits, with `entry` in the guest's activity. `false` if it is due.
    pub async fn stop(
        &self,
        sub: &UserSub,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let record = self
            .table
            .update_in(guest_key(sub))
            .update_expression(format!("REMOVE {FACTOR_RESET}"))
            .condition_expression(NOT_LOST)
            .expression_attribute_values(":millis", millis(now))
            .write()?;
        let writes = vec![record, entry.into_write()];
        self.table
            .transact(writes, "stop the reset of factors")
            .await
    }

    /// Carries out a reset that is due: removes authenticator, backup codes and passkeys, and ends
    /// every session except `kept`. It is one transaction, with `entry` in the guest's activity.
    /// `false` if another sign-in has carried it out.
    pub async fn carry_out(
        &self,
        guest: &Guest,
        kept: &SessionId,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let due = format!("{FACTOR_RESET} <= :millis");
        let passkeys: Vec<_> = (0..).zip(&guest.passkeys).collect();
        let mut remove = format!("{FACTOR_RESET}, {AUTHENTICATOR}");
        for (number, _) in &passkeys {
            remove = format!("{remove}, #passkey{number}");
        }
        let attempted = "reset the factors";
        keeping(&self.table, guest, Some(kept), now, attempted, |round| {
            let mut write = self.table.update_in(guest_key(&guest.cognito_sub));
            for (number, passkey) in &passkeys {
                let attribute = passkey_attribute(&passkey.id);
                write = write.expression_attribute_names(format!("#passkey{number}"), attribute);
            }
            let record = round.ending_sessions(write, &due, "", &remove);
            Ok(vec![record.write()?, entry.clone().into_write()])
        })
        .await
    }
}
