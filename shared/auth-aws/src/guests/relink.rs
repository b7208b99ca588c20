//! The move of a guest to another user.

use auth_domain::{Guest, Problem, Sealed, Timestamp, UserSub};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, builders::UpdateBuilder};

use crate::{
    ActivityEntry, Guests,
    first_proofs::claim_proved,
    guest_items::{CHANGING_TO, address_key, guest_key, id_key, relinked_item},
    items::{Item, text},
    transactions::Write,
    unproved_users::UnprovedUsers,
};

impl Guests {
    /// Moves a guest to another user, in one transaction: record, claim and reserved id, with
    /// `entry` in the activity. The user is claimed for good before, so that no removal takes it.
    /// `keys` are the authenticator's, sealed for that user. The marks of the old user's password
    /// and passkeys are dropped. Every token issued up to `now` is refused.
    ///
    /// `false` if the guest has changed meanwhile, or the user belongs to another guest.
    pub async fn relink(
        &self,
        guest: &Guest,
        to: &UserSub,
        keys: Option<&Sealed>,
        entry: ActivityEntry,
        unproved: &UnprovedUsers,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let from = &guest.cognito_sub;
        let Some(before) = self.table.get(guest_key(from)).await? else {
            return Ok(false);
        };
        // A change of address goes on with the user that it began with, or is given up.
        if before.contains_key(CHANGING_TO) {
            return Ok(false);
        }
        claim_proved(unproved, &guest.email, to, now).await?;
        let writes = vec![
            self.table.put_new(relinked_item(&before, to, keys, now))?,
            self.delete_unchanged(from, &before)?,
            self.move_to(address_key(&guest.email), from, to)
                .update_expression("SET #sub = :to, hasPassword = :false")
                .expression_attribute_values(":false", AttributeValue::Bool(false))
                .write()?,
            self.move_to(id_key(&guest.guest_id), from, to)
                .update_expression("SET #sub = :to")
                .write()?,
            entry.into_write(),
        ];
        self.table
            .transact(writes, "move the guest to another user")
            .await
    }

    fn move_to(&self, key: AttributeValue, from: &UserSub, to: &UserSub) -> UpdateBuilder {
        self.table
            .update_in(key)
            .condition_expression("#sub = :from")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":from", text(from.as_str()))
            .expression_attribute_values(":to", text(to.as_str()))
    }

    /// Deletes a record in a transaction, if no attribute that a sign-in changes has changed since
    /// it was read.
    fn delete_unchanged(&self, sub: &UserSub, before: &Item) -> Result<TransactWriteItem, Problem> {
        let conditions = CHANGED_BY_SIGN_INS.map(|name| {
            if before.contains_key(name) {
                format!("{name} = :{name}")
            } else {
                format!("attribute_not_exists({name})")
            }
        });
        let mut delete = self
            .table
            .delete_in(guest_key(sub))
            .condition_expression(conditions.join(" AND "));
        for name in CHANGED_BY_SIGN_INS {
            if let Some(value) = before.get(name) {
                delete = delete.expression_attribute_values(format!(":{name}"), value.clone());
            }
        }
        delete.write()
    }
}

/// Attributes of a record that change while its guest signs in.
const CHANGED_BY_SIGN_INS: [&str; 6] = [
    "updatedAt",
    CHANGING_TO,
    "signedOutAt",
    "authenticatorKeys",
    "authenticatorLastStep",
    "backupCodes",
];
