//! A guest's change of address: claimed, moved to or given up.

use auth_domain::{Email, Guest, Problem, Timestamp};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    ActivityEntry, Guests,
    guest_items::{CHANGING_TO, OTHER_ADDRESS, address_key, guest_key, second_claim_item},
    items::{Written, conditional_update, millis, text},
    transactions::Write,
};

impl Guests {
    /// Claims another address for a guest, who has proved it, in one transaction that decides
    /// between this and everything else that could make the address somebody's. `false` where the
    /// address is taken, or the guest is at another change. Starts make no user there from now on.
    pub async fn claim_address(
        &self,
        guest: &Guest,
        to: &Email,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let record = self
            .table
            .update_in(guest_key(&guest.cognito_sub))
            .update_expression(format!("SET {CHANGING_TO} = :to, updatedAt = :now"))
            .condition_expression(format!(
                "email = :email AND attribute_not_exists({CHANGING_TO}) \
                 AND attribute_not_exists(leavingSince)"
            ))
            .expression_attribute_values(":to", text(to.as_str()))
            .expression_attribute_values(":email", text(guest.email.as_str()))
            .expression_attribute_values(":now", text(now.to_string()))
            .write()?;
        let before = self
            .table
            .update_claim(&guest.email, &guest.cognito_sub)
            .update_expression(format!("SET {OTHER_ADDRESS} = :to"))
            .expression_attribute_values(":to", text(to.as_str()))
            .write()?;
        let claim = self.table.put_new(second_claim_item(guest, to))?;
        let writes = vec![claim, record, before];
        self.table.transact(writes, "claim the address").await
    }

    /// Makes the claimed address the guest's, with `entry` in the activity, and frees the one
    /// before. `false` where the guest has changed meanwhile.
    pub async fn move_address(
        &self,
        guest: &Guest,
        to: &Email,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let sub = &guest.cognito_sub;
        let had = || AttributeValue::Bool(guest.has_password());
        let record = self
            .table
            .update_in(guest_key(sub))
            .update_expression(format!(
                "SET email = :to, updatedAt = :now, addressChangedAt = :millis REMOVE {CHANGING_TO}"
            ))
            .condition_expression(format!(
                "{CHANGING_TO} = :to AND hasPassword = :had AND attribute_not_exists(leavingSince)"
            ))
            .expression_attribute_values(":to", text(to.as_str()))
            .expression_attribute_values(":had", had())
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":millis", millis(now))
            .write()?;
        let claim = self
            .table
            .update_claim(to, sub)
            .update_expression(format!(
                "SET hasPassword = :had, changedAt = :millis REMOVE {OTHER_ADDRESS}"
            ))
            .expression_attribute_values(":had", had())
            .expression_attribute_values(":millis", millis(now))
            .write()?;
        let writes = vec![
            record,
            claim,
            self.table.delete_claim(&guest.email, sub)?,
            entry.into_write(),
        ];
        self.table
            .transact(writes, "move the guest to another address")
            .await
    }

    /// Gives a claimed address up: the guest keeps the one before.
    pub async fn release_address(&self, guest: &Guest, to: &Email) -> Result<(), Problem> {
        let sub = &guest.cognito_sub;
        let record = self
            .table
            .update_in(guest_key(sub))
            .update_expression(format!("REMOVE {CHANGING_TO}"))
            .condition_expression(format!("{CHANGING_TO} = :to"))
            .expression_attribute_values(":to", text(to.as_str()))
            .write()?;
        let before = self
            .table
            .update_claim(&guest.email, sub)
            .update_expression(format!("REMOVE {OTHER_ADDRESS}"))
            .write()?;
        let writes = vec![record, before, self.table.delete_claim(to, sub)?];
        // Refused: another request was as quick.
        self.table
            .transact(writes, "give the address up")
            .await
            .map(drop)
    }

    /// Notes that a code for a new password was asked for at an address to which its guest came
    /// from another. Any other address is left as it is.
    pub async fn note_recovery(&self, email: &Email, now: Timestamp) -> Result<(), Problem> {
        let update = self
            .table
            .update(address_key(email))
            .update_expression("SET recoveryAt = :now")
            .condition_expression("attribute_exists(changedAt)")
            .expression_attribute_values(":now", millis(now));
        match conditional_update(update, "note the recovery").await? {
            Written::Made(_) | Written::Refused(_) => Ok(()),
        }
    }
}
