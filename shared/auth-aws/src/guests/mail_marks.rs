//! The marks of addresses that mails do not reach.

use auth_domain::{Email, MailRefusal, Problem, Timestamp, Undeliverable};

use crate::{
    Guests,
    guest_items::{Address, address_key, read_address},
    guests_table::EXISTS,
    items::{Written, conditional_update, get_millis, get_text, millis, text, unreadable},
};

impl Guests {
    /// Marks a guest's address as unreachable by mail, or as one whose owner refuses mails. Returns
    /// the marked address; `None` if it is no guest's, or if a newer mark exists. A repeated call
    /// changes nothing.
    pub async fn mark_undeliverable(
        &self,
        email: &Email,
        why: Undeliverable,
        at: Timestamp,
    ) -> Result<Option<Address>, Problem> {
        let update = self
            .table
            .update(address_key(email))
            .update_expression("SET undeliverable = :why, undeliverableAt = :at")
            .condition_expression(format!(
                "{EXISTS} AND (attribute_not_exists(undeliverableAt) OR undeliverableAt <= :at)"
            ))
            .expression_attribute_values(":why", text(why.as_str()))
            .expression_attribute_values(":at", millis(at));
        match conditional_update(update, "mark the address").await? {
            Written::Made(item) => read_address(item).map(Some),
            Written::Refused(_) => Ok(None),
        }
    }

    /// Removes the mark of an address, whose mailbox works again. Feedback up to `now` that comes
    /// late does not set it again.
    pub async fn mark_deliverable(&self, email: &Email, now: Timestamp) -> Result<(), Problem> {
        let update = self
            .table
            .update(address_key(email))
            .update_expression("SET undeliverableAt = :now REMOVE undeliverable")
            .condition_expression("attribute_exists(undeliverable) AND undeliverableAt <= :now")
            .expression_attribute_values(":now", millis(now));
        match conditional_update(update, "remove the mark of the address").await? {
            Written::Made(_) | Written::Refused(_) => Ok(()),
        }
    }

    /// The newest refusal of mails to an address, if there is one.
    pub async fn mail_refusal(&self, email: &Email) -> Result<Option<MailRefusal>, Problem> {
        let Some(item) = self.table.get(address_key(email)).await? else {
            return Ok(None);
        };
        let Some(why) = get_text(&item, "undeliverable") else {
            return Ok(None);
        };
        let at = get_millis(&item, "undeliverableAt");
        match Undeliverable::named(why).zip(at) {
            Some((why, at)) => Ok(Some(MailRefusal { why, at })),
            None => Err(Problem::Internal(unreadable(
                "an address's mark does not read back",
            ))),
        }
    }
}
