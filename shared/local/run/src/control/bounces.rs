//! A mail that bounces or draws a complaint: SES's event and SES's suppression.

use auth_domain::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::account::{ACCOUNT_ID, CONFIGURATION_SET, MAIL_SENDER, REGION};
use crate::world::random;

/// The body of `POST /_local/bounces`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bounce {
    /// The address.
    pub(crate) to: String,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    /// The address never accepts a mail.
    Permanent,
    /// The mailbox is full, for example.
    Transient,
    /// The person calls it unwanted.
    Complaint,
}

impl Kind {
    /// Whether SES suppresses mails to the address from now on.
    pub(crate) fn suppresses(self) -> bool {
        match self {
            Self::Permanent | Self::Complaint => true,
            Self::Transient => false,
        }
    }
}

impl Bounce {
    /// The event as `EventBridge` delivers it.
    pub(crate) fn event(&self, now: Timestamp) -> Value {
        let address = json!([{ "emailAddress": self.to }]);
        let bounced = |kind: &str| {
            let bounce = json!({
                "bounceType": kind,
                "bounceSubType": "General",
                "bouncedRecipients": address,
                "timestamp": now,
            });
            ("Email Bounced", "Bounce", "bounce", bounce)
        };
        let (detail_type, event_type, member, said) = match self.kind {
            Kind::Permanent => bounced("Permanent"),
            Kind::Transient => bounced("Transient"),
            Kind::Complaint => {
                let complaint = json!({ "complainedRecipients": address, "timestamp": now });
                (
                    "Email Complaint Received",
                    "Complaint",
                    "complaint",
                    complaint,
                )
            }
        };
        json!({
            "version": "0",
            "id": random::uuid(),
            "detail-type": detail_type,
            "source": "aws.ses",
            "account": ACCOUNT_ID,
            "time": now,
            "region": REGION,
            "resources": [],
            "detail": {
                "eventType": event_type,
                member: said,
                "mail": {
                    "source": MAIL_SENDER,
                    "destination": [self.to],
                    "timestamp": now,
                    "tags": { "ses:configuration-set": [CONFIGURATION_SET] },
                },
            },
        })
    }
}
