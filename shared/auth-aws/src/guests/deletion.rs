//! A guest's deletion: claimed, then done.

use auth_domain::{Email, Guest, GuestId, Problem, Timestamp, UserSub};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    ActivityEntry, Guests,
    guest_items::{CHANGING_TO, address_key, guest_key, id_key},
    guests_table::{EXISTS, IS_NEW},
    items::{millis, text},
    transactions::{Transacted, Write},
};

impl Guests {
    /// Claims a guest for deletion, in one transaction on guest and addresses, with `entry` in the
    /// activity. It decides between the deletion and all other writes. A repeated call changes
    /// nothing. `false` if the guest has changed or gone.
    pub async fn claim_deletion(
        &self,
        guest: &Guest,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let sub = &guest.cognito_sub;
        let record = self
            .table
            .update_in(guest_key(sub))
            .update_expression("SET leavingSince = :now")
            .expression_attribute_values(":now", millis(now));
        let record = match &guest.changing_to {
            Some(to) => record
                .condition_expression(format!(
                    "{CHANGING_TO} = :to AND attribute_not_exists(leavingSince)"
                ))
                .expression_attribute_values(":to", text(to.as_str())),
            None => record.condition_expression(format!(
                "{EXISTS} AND attribute_not_exists({CHANGING_TO}) \
                 AND attribute_not_exists(leavingSince)"
            )),
        };
        let mut writes = vec![record.write()?, entry.into_write()];
        for email in guest.addresses() {
            let claim = self
                .table
                .update_claim(email, sub)
                .update_expression("SET isLeaving = :true")
                .expression_attribute_values(":true", AttributeValue::Bool(true));
            writes.push(claim.write()?);
        }
        match self
            .table
            .transact_or_look(writes, "claim the guest for deletion")
            .await?
        {
            Transacted::Made => Ok(true),
            Transacted::Refused(item) => {
                Ok(item.is_some_and(|item| item.contains_key("leavingSince")))
            }
        }
    }

    /// Deletes the items of a claimed guest: the record, its addresses, and the number. `false` if
    /// another request was faster.
    pub async fn forget(
        &self,
        sub: &UserSub,
        guest_id: &GuestId,
        email: &Email,
        other: Option<&Email>,
    ) -> Result<bool, Problem> {
        let record = self
            .table
            .delete_in(guest_key(sub))
            .condition_expression("attribute_exists(leavingSince)");
        let owned = |key| {
            self.table
                .delete_in(key)
                .condition_expression(format!("{IS_NEW} OR #sub = :sub"))
                .expression_attribute_names("#sub", "sub")
                .expression_attribute_values(":sub", text(sub.as_str()))
        };
        let mut writes = vec![record.write()?, owned(id_key(guest_id)).write()?];
        for email in [Some(email), other].into_iter().flatten() {
            writes.push(owned(address_key(email)).write()?);
        }
        self.table.transact(writes, "delete the guest").await
    }
}
