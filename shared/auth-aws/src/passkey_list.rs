//! Latchkey's own list of a guest's passkeys, in the guest's record: an attribute for each. A
//! passkey that is not on the list cannot sign in, even if Cognito still has it.

use auth_domain::{
    Assertion, AuthenticatorMark, Guest, HeldSetUp, Passkey, PasskeyId, PasskeyName, Problem,
    SessionId, Timestamp, UserSub,
};
use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{AttributeValue, builders::UpdateBuilder},
};

use crate::{
    ActivityEntry, ConfigurationError, Platform,
    authenticators::NOT_LOST,
    guest_items::{FACTOR_RESET, guest_key, passkey_attribute, passkey_value, read_guest},
    guests_table::{EXISTS, GuestsTable},
    items::{Written, conditional_update, millis, text},
    sign_outs::{keeping, while_it_waits},
    transactions::Write,
};

/// The proof that a use of a passkey brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyUse {
    /// The device was present.
    Touched,
    /// The device has verified its user.
    Verified,
    /// The device has verified its user, and the passkey counts as the guest's second factor.
    BothFactors,
}

impl PasskeyUse {
    /// The use of a guest's passkey by an assertion that Cognito has accepted. It is both factors
    /// if the device has verified its user, and if the passkey was once shown together with the
    /// authenticator, where the guest has one.
    #[must_use]
    pub fn of(assertion: &Assertion, passkey: &Passkey, guest: &Guest) -> Self {
        if !assertion.user_verified() {
            Self::Touched
        } else if passkey.is_both_factors_of(guest) {
            Self::BothFactors
        } else {
            Self::Verified
        }
    }
}

/// The passkeys' part of the guests table.
#[derive(Clone)]
pub struct PasskeyList {
    table: GuestsTable,
}

impl PasskeyList {
    /// Passkeys in the table that `GUESTS_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            table: GuestsTable::new(platform)?,
        })
    }

    /// Adds a passkey to a guest's list, with `entry` in the guest's activity. If a sign-in waits
    /// for it, the guest must have no authenticator, and must not have ended the sign-in since.
    /// While a reset is due, nothing is added: the guest's next sign-in empties the list first. A
    /// reset that waits is stopped if `stopped_reset` is its event.
    pub async fn add(
        &self,
        sub: &UserSub,
        passkey: &Passkey,
        waiting: Option<&HeldSetUp>,
        entry: ActivityEntry,
        stopped_reset: Option<ActivityEntry>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let mut change = "SET #passkey = :passkey, updatedAt = :now".to_owned();
        if stopped_reset.is_some() {
            change = format!("{change} REMOVE {FACTOR_RESET}");
        }
        let record = self
            .update_in(sub, &passkey.id)
            .update_expression(change)
            .expression_attribute_values(":passkey", passkey_value(passkey))
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":millis", millis(now));
        let exists = format!("{EXISTS} AND {NOT_LOST}");
        let record = match waiting {
            Some(set_up) => while_it_waits(record, &exists, set_up),
            None => record.condition_expression(exists),
        };
        let mut writes = vec![record.write()?, entry.into_write()];
        writes.extend(stopped_reset.map(ActivityEntry::into_write));
        match self.table.transact(writes, "add the passkey").await? {
            true => Ok(()),
            false if waiting.is_some() => Err(Problem::InvalidSession),
            false => Err(Problem::AuthRequired),
        }
    }

    /// Renames a passkey, and returns it with its new name.
    pub async fn rename(
        &self,
        sub: &UserSub,
        id: &PasskeyId,
        name: &PasskeyName,
    ) -> Result<Passkey, Problem> {
        let write = self
            .update(sub, id)
            .update_expression("SET #passkey.#name = :name")
            .condition_expression("attribute_exists(#passkey)")
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":name", text(name.as_str()));
        let Written::Made(item) = conditional_update(write, "rename the passkey").await? else {
            return Err(Problem::NotFound);
        };
        let guest = read_guest(&item)?;
        guest
            .passkeys
            .into_iter()
            .find(|passkey| passkey.id == *id)
            .ok_or(Problem::NotFound)
    }

    /// Removes a passkey from the list, and ends every session except `kept`, in one transaction,
    /// with `entry` in the guest's activity. `false` if it was not on the list.
    pub async fn remove(
        &self,
        guest: &Guest,
        id: &PasskeyId,
        kept: Option<&SessionId>,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let listed = "attribute_exists(#passkey)";
        let attempted = "remove the passkey";
        keeping(&self.table, guest, kept, now, attempted, |round| {
            let write = self.update_in(&guest.cognito_sub, id);
            let record = round.ending_sessions(write, listed, "", "#passkey");
            Ok(vec![record.write()?, entry.clone().into_write()])
        })
        .await
    }

    /// Removes a passkey that [`Self::add`] may have added before its answer was lost. No session
    /// ends: the passkey has not signed in.
    pub async fn forget(&self, sub: &UserSub, id: &PasskeyId) -> Result<(), Problem> {
        let write = self
            .update(sub, id)
            .update_expression("REMOVE #passkey")
            .condition_expression(EXISTS);
        conditional_update(write, "forget the passkey")
            .await
            .map(drop)
            .map_err(Problem::from)
    }

    /// Records a use of a passkey. `false` if it is not on the list, or if a reset is due, so the
    /// use does not count. One write decides between a sign-in and a removal. A use that is both
    /// factors stops a reset that waits.
    pub async fn used(
        &self,
        sub: &UserSub,
        id: &PasskeyId,
        used: PasskeyUse,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let write = self
            .update(sub, id)
            .condition_expression(format!("attribute_exists(#passkey) AND {NOT_LOST}"))
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":millis", millis(now));
        // A use without verification does not clear the mark: the guest still has a second factor.
        let write = match used {
            PasskeyUse::Touched => write.update_expression("SET #passkey.lastUsedAt = :now"),
            PasskeyUse::Verified | PasskeyUse::BothFactors => {
                let stops = if used == PasskeyUse::BothFactors {
                    " REMOVE factorResetAt"
                } else {
                    ""
                };
                let set = "SET #passkey.lastUsedAt = :now, #passkey.userVerified = :true";
                write
                    .update_expression(format!("{set}{stops}"))
                    .expression_attribute_values(":true", AttributeValue::Bool(true))
            }
        };
        Ok(matches!(
            conditional_update(write, "note the passkey's use").await?,
            Written::Made(_)
        ))
    }

    /// Records that a passkey and an authenticator were shown together. A deleted one needs no
    /// record.
    pub async fn shown_with(
        &self,
        sub: &UserSub,
        id: &PasskeyId,
        mark: &AuthenticatorMark,
    ) -> Result<(), Problem> {
        let write = self
            .update(sub, id)
            .update_expression("SET #passkey.shownWith = :mark")
            .condition_expression("attribute_exists(#passkey)")
            .expression_attribute_values(":mark", text(mark.as_str()));
        conditional_update(write, "note what a passkey was shown with")
            .await
            .map(drop)
            .map_err(Problem::from)
    }

    fn update_in(&self, sub: &UserSub, id: &PasskeyId) -> UpdateBuilder {
        self.table
            .update_in(guest_key(sub))
            .expression_attribute_names("#passkey", passkey_attribute(id))
    }

    fn update(&self, sub: &UserSub, id: &PasskeyId) -> UpdateItemFluentBuilder {
        self.table
            .update(guest_key(sub))
            .expression_attribute_names("#passkey", passkey_attribute(id))
    }
}
