//! An event of SES through `EventBridge`: a mail bounced, or its receiver complained.

use auth_domain::{Email, MailFeedback, Timestamp, Undeliverable};
use serde_json::{Map, Value};

/// Reads the detail of an event. `None` without final feedback: a mailbox that was full for a day
/// is no bad address.
///
/// Shapes: SES developer guide, "Examples of event data that Amazon SES publishes".
pub(crate) fn read(event: &Map<String, Value>) -> Option<MailFeedback> {
    let detail = event.get("detail")?;
    let (why, said, recipients) = match detail.get("eventType")?.as_str()? {
        "Bounce" if detail["bounce"]["bounceType"] == "Permanent" => {
            (Undeliverable::Bounced, "bounce", "bouncedRecipients")
        }
        "Complaint" => (
            Undeliverable::Complained,
            "complaint",
            "complainedRecipients",
        ),
        _ => return None,
    };
    let said = detail.get(said)?;
    let recipients = said.get(recipients)?.as_array()?;
    Some(MailFeedback {
        why,
        addresses: recipients
            .iter()
            .filter_map(|recipient| Email::parse(recipient.get("emailAddress")?.as_str()?).ok())
            .collect(),
        at: Timestamp::from_rfc3339(said.get("timestamp")?.as_str()?)?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(detail: &Value) -> Map<String, Value> {
        Map::from_iter([("detail".to_owned(), detail.clone())])
    }

    #[test]
    fn only_what_is_final_counts_and_only_for_addresses() {
        let bounce = |kind: &str| {
            event(&json!({
                "eventType": "Bounce",
                "bounce": {
                    "bounceType": kind,
                    "bouncedRecipients": [{ "emailAddress": "Ada@Example.com" }, { "emailAddress": "?" }],
                    "timestamp": "2026-11-21T05:40:50.000Z",
                },
            }))
        };
        let feedback = read(&bounce("Permanent")).unwrap();
        assert_eq!(feedback.why, Undeliverable::Bounced);
        assert_eq!(feedback.addresses.len(), 1);
        assert_eq!(feedback.addresses[0].as_str(), "ada@example.com");
        assert_eq!(read(&bounce("Transient")), None);
        assert_eq!(read(&bounce("Undetermined")), None);
        assert_eq!(read(&event(&json!({ "eventType": "Delivery" }))), None);
        assert_eq!(read(&event(&json!({ "eventType": "Complaint" }))), None);
        assert_eq!(read(&Map::new()), None);
    }
}
