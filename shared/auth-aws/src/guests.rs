//! The guests table: one item a guest under the address, found by sub through an index, and a reservation for each guest id.

use std::collections::BTreeSet;

use auth_domain::{
    Authenticator, BackupCodeHash, Caller, Email, Guest, GuestId, GuestName, PendingAuthenticator,
    Problem, Randomness, Report, Timestamp, TotpStep, UserSub,
};
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, TransactWriteItem},
};

use crate::{
    ConfigurationError, Platform,
    clients::dynamodb,
    failure::failure,
    items::{
        Item, Written, conditional_update, get_millis, get_number, get_sealed, get_text, millis,
        text, unreadable,
    },
};

/// How often a guest is looked up and made anew when others are making the same one. Each round ends with somebody's success.
const ROUNDS: usize = 8;

/// The guests table.
#[derive(Clone)]
pub struct Guests {
    client: Client,
    table: String,
    randomness: Randomness,
}

/// What came of making a guest's record.
enum Making {
    Created(Guest),
    Bound(Guest),
    /// Another request was quicker, or the id is taken.
    Overtaken,
}

impl Guests {
    /// Guests in the table that `GUESTS_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            client: dynamodb(platform)?,
            table: platform.environment().text("GUESTS_TABLE_NAME")?.to_owned(),
            randomness: platform.randomness(),
        })
    }

    /// The guest of an address.
    pub async fn find(&self, email: &Email) -> Result<Option<Guest>, Problem> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("email", text(email.as_str()))
            .consistent_read(true)
            .send()
            .await
            .map_err(failure("read the guest"))?;
        answer.item.as_ref().map(read).transpose()
    }

    /// The guest of a caller whose tokens are still accepted. One consistent read by the address that the token names; the
    /// index, which lags a moment, only where the address has changed since.
    pub async fn find_caller(&self, caller: &Caller) -> Result<Guest, Problem> {
        let by_address = match &caller.email {
            Some(email) => self
                .find(email)
                .await?
                .filter(|guest| guest.cognito_sub.as_ref() == Some(&caller.sub)),
            None => None,
        };
        let guest = match by_address {
            Some(guest) => guest,
            None => self
                .find_by_sub(&caller.sub)
                .await?
                .ok_or(Problem::AuthRequired)?,
        };
        if caller.is_signed_out_by(guest.signed_out_at) {
            Err(Problem::AuthRequired)
        } else {
            Ok(guest)
        }
    }

    async fn find_by_sub(&self, sub: &UserSub) -> Result<Option<Guest>, Problem> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("cognito-sub-index")
            .key_condition_expression("cognitoSub = :sub")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .limit(1)
            .send()
            .await
            .map_err(failure("find the guest by sub"))?;
        answer.items().first().map(read).transpose()
    }

    /// The guest of a user who has just proved the address: the one bound to the sub, or the one of that address if it is bound
    /// to nobody yet, or a new one. `known` is what a read of the address found a moment ago.
    ///
    /// However many requests do this at once, there is one guest. A sub never moves to another guest, and a guest of another sub
    /// is a `USER_MISMATCH`.
    ///
    /// Says whether the guest was made here.
    pub async fn get_or_create(
        &self,
        sub: &UserSub,
        email: &Email,
        known: Option<Guest>,
        has_password: bool,
        now: Timestamp,
    ) -> Result<(Guest, bool), Problem> {
        let mut known = known;
        for _ in 0..ROUNDS {
            if let Some(guest) = known.take_if(|guest| guest.cognito_sub.as_ref() == Some(sub)) {
                if guest.has_password || !has_password {
                    return Ok((guest, false));
                }
                // A password was made elsewhere since: noted, so that the next start costs one call of Cognito again.
                match self.bind(&guest, sub, has_password, now).await? {
                    Making::Created(guest) | Making::Bound(guest) => return Ok((guest, false)),
                    Making::Overtaken => known = self.find(email).await?,
                }
            }
            if let Some(guest) = self.find_by_sub(sub).await? {
                return Ok((guest, false));
            }
            let making = match known {
                Some(guest) if guest.cognito_sub.is_some() => return Err(Problem::UserMismatch),
                Some(guest) => self.bind(&guest, sub, has_password, now).await?,
                None => self.create(sub, email, has_password, now).await?,
            };
            match making {
                Making::Created(guest) => return Ok((guest, true)),
                Making::Bound(guest) => return Ok((guest, false)),
                Making::Overtaken => known = self.find(email).await?,
            }
        }
        Err(Problem::ServiceUnavailable {
            retry_after_seconds: 1,
            report: Report::of("others kept making the same guest"),
        })
    }

    async fn bind(
        &self,
        guest: &Guest,
        sub: &UserSub,
        has_password: bool,
        now: Timestamp,
    ) -> Result<Making, Problem> {
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("email", text(guest.email.as_str()))
            .update_expression("SET cognitoSub = :sub, emailVerified = :true, hasPassword = :hasPassword, updatedAt = :now")
            .condition_expression("attribute_exists(email) AND (attribute_not_exists(cognitoSub) OR cognitoSub = :sub)")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":hasPassword", AttributeValue::Bool(has_password))
            .expression_attribute_values(":now", text(now.to_string()));
        match conditional_update!(write, "bind the guest")? {
            Written::Made(item) => read(&item).map(Making::Bound),
            Written::Refused(_) => Ok(Making::Overtaken),
        }
    }

    async fn create(
        &self,
        sub: &UserSub,
        email: &Email,
        has_password: bool,
        now: Timestamp,
    ) -> Result<Making, Problem> {
        let guest = Guest {
            guest_id: GuestId::generate(now, &self.randomness),
            email: email.clone(),
            name: None,
            cognito_sub: Some(sub.clone()),
            email_verified: true,
            created_at: now,
            updated_at: now,
            has_password,
            signed_out_at: None,
            authenticator: None,
            pending_authenticator: None,
        };
        let put = |item: Item| {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(email)")
                .build();
            put.map(|put| TransactWriteItem::builder().put(put).build())
                .map_err(|error| Problem::Internal(Report::new("describe the guest", error)))
        };
        let reservation = Item::from([(
            "email".to_owned(),
            text(format!("guestId#{}", guest.guest_id)),
        )]);
        let written = self
            .client
            .transact_write_items()
            .transact_items(put(item(&guest))?)
            .transact_items(put(reservation)?)
            .send()
            .await;
        match written {
            Ok(_) => Ok(Making::Created(guest)),
            Err(error) if is_cancelled(&error) => Ok(Making::Overtaken),
            Err(error) => Err(failure("make the guest")(error).into()),
        }
    }

    /// Changes the name of a caller's guest, in one conditional write that also refuses tokens no longer accepted. `None` takes
    /// the name away.
    pub async fn rename(
        &self,
        caller: &Caller,
        name: Option<&GuestName>,
        now: Timestamp,
    ) -> Result<Guest, Problem> {
        let change = |email: &Email| {
            let write = self
                .client
                .update_item()
                .table_name(&self.table)
                .key("email", text(email.as_str()))
                .condition_expression("cognitoSub = :sub AND (attribute_not_exists(signedOutAt) OR signedOutAt < :issued)")
                .expression_attribute_names("#name", "name")
                .expression_attribute_values(":sub", text(caller.sub.as_str()))
                .expression_attribute_values(":issued", millis(caller.issued_at))
                .expression_attribute_values(":now", text(now.to_string()));
            match name {
                Some(name) => write
                    .update_expression("SET #name = :name, updatedAt = :now")
                    .expression_attribute_values(":name", text(name.as_str())),
                None => write.update_expression("SET updatedAt = :now REMOVE #name"),
            }
        };
        if let Some(email) = &caller.email
            && let Written::Made(item) =
                conditional_update!(change(email), "change the guest's name")?
        {
            return read(&item);
        }
        let guest = self.find_caller(caller).await?;
        match conditional_update!(change(&guest.email), "change the guest's name")? {
            Written::Made(item) => read(&item),
            Written::Refused(_) => Err(Problem::AuthRequired),
        }
    }

    /// Refuses from now on every token of the guest that was issued up to `now`.
    pub async fn sign_out_everywhere(&self, guest: &Guest, now: Timestamp) -> Result<(), Problem> {
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("email", text(guest.email.as_str()))
            .update_expression("SET signedOutAt = :now")
            .condition_expression("attribute_exists(email) AND (attribute_not_exists(signedOutAt) OR signedOutAt < :now)")
            .expression_attribute_values(":now", millis(now));
        match conditional_update!(write, "sign the guest out")? {
            // Refused: a later sign-out, or this very one, is there already.
            Written::Made(_) | Written::Refused(Some(_)) => Ok(()),
            Written::Refused(None) => Err(Problem::AuthRequired),
        }
    }
}

/// Whether a transaction was refused because of what else was going on: a condition, or another transaction on the same items.
fn is_cancelled(error: &SdkError<TransactWriteItemsError>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return false;
    };
    cancelled
        .cancellation_reasons()
        .iter()
        .filter_map(|reason| reason.code())
        .all(|code| {
            matches!(
                code,
                "None" | "ConditionalCheckFailed" | "TransactionConflict"
            )
        })
}

fn item(guest: &Guest) -> Item {
    let mut item = Item::from([
        ("email".to_owned(), text(guest.email.as_str())),
        ("guestId".to_owned(), text(guest.guest_id.as_str())),
        (
            "emailVerified".to_owned(),
            AttributeValue::Bool(guest.email_verified),
        ),
        (
            "hasPassword".to_owned(),
            AttributeValue::Bool(guest.has_password),
        ),
        ("createdAt".to_owned(), text(guest.created_at.to_string())),
        ("updatedAt".to_owned(), text(guest.updated_at.to_string())),
    ]);
    if let Some(name) = &guest.name {
        item.insert("name".to_owned(), text(name.as_str()));
    }
    if let Some(sub) = &guest.cognito_sub {
        item.insert("cognitoSub".to_owned(), text(sub.as_str()));
    }
    item
}

fn read(item: &Item) -> Result<Guest, Problem> {
    parse(item).ok_or_else(|| Problem::Internal(unreadable("a guest's record does not read back")))
}

fn parse(item: &Item) -> Option<Guest> {
    let instant = |name| get_text(item, name).and_then(Timestamp::from_rfc3339);
    Some(Guest {
        guest_id: GuestId::parse(get_text(item, "guestId")?).ok()?,
        email: Email::parse(get_text(item, "email")?).ok()?,
        name: get_text(item, "name")
            .map(GuestName::parse)
            .transpose()
            .ok()?,
        cognito_sub: get_text(item, "cognitoSub")
            .map(UserSub::parse)
            .transpose()
            .ok()?,
        email_verified: item
            .get("emailVerified")
            .and_then(|flag| flag.as_bool().ok())
            .copied()
            .unwrap_or(false),
        created_at: instant("createdAt")?,
        updated_at: instant("updatedAt")?,
        has_password: item
            .get("hasPassword")
            .and_then(|flag| flag.as_bool().ok())
            .copied()
            .unwrap_or(false),
        signed_out_at: get_millis(item, "signedOutAt"),
        authenticator: match get_sealed(item, "authenticatorKeys") {
            Some(sealed_keys) => Some(Authenticator {
                sealed_keys,
                last_step: TotpStep::from_number(get_number(item, "authenticatorLastStep")?),
                backup_codes: backup_codes(item)?,
            }),
            None => None,
        },
        pending_authenticator: match get_sealed(item, "pendingAuthenticatorKeys") {
            Some(sealed_keys) => Some(PendingAuthenticator {
                sealed_keys,
                expires_at: get_millis(item, "pendingAuthenticatorUntil")?,
            }),
            None => None,
        },
    })
}

/// DynamoDB keeps no empty sets: where the last code was used, there is no attribute.
fn backup_codes(item: &Item) -> Option<BTreeSet<BackupCodeHash>> {
    match item.get("backupCodes") {
        Some(codes) => Some(
            codes
                .as_ss()
                .ok()?
                .iter()
                .map(BackupCodeHash::stored)
                .collect(),
        ),
        None => Some(BTreeSet::new()),
    }
}
