//! The guests table: one item a guest under the address, found by sub through an index, and a reservation for each guest id.

use std::collections::BTreeSet;

use auth_domain::{
    Authenticator, BackupCodeHash, Caller, Email, Guest, GuestId, GuestName, PasswordStanding,
    PendingAuthenticator, Problem, Randomness, Report, SessionId, Timestamp, TotpStep, UserSub,
};
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Delete, Put, TransactWriteItem},
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

/// How [`PasswordStanding::Unproven`] is stored.
const UNPROVEN: &str = match PasswordStanding::Unproven.as_str() {
    Some(text) => text,
    None => panic!("it is stored as a text"),
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

/// How somebody has just shown who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvedBy {
    /// By a code that was mailed to the address.
    Code,
    /// By the password of a user whose address Cognito calls verified.
    Password,
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
        let guest = self
            .find_user(&caller.sub, caller.email.as_ref())
            .await?
            .ok_or(Problem::AuthRequired)?;
        if caller.is_signed_out_of(&guest) {
            Err(Problem::AuthRequired)
        } else {
            Ok(guest)
        }
    }

    /// The guest bound to a user, looked for under the address that the guest had a while ago, and wherever the guest is now if not
    /// there.
    pub async fn find_user(
        &self,
        sub: &UserSub,
        email: Option<&Email>,
    ) -> Result<Option<Guest>, Problem> {
        let by_address = match email {
            Some(email) => self
                .find(email)
                .await?
                .filter(|guest| guest.cognito_sub.as_ref() == Some(sub)),
            None => None,
        };
        match by_address {
            Some(guest) => Ok(Some(guest)),
            None => self.find_by_sub(sub).await,
        }
    }

    /// The guest bound to a user, wherever the guest's address is. Found through the index, which lags a moment.
    pub async fn find_by_sub(&self, sub: &UserSub) -> Result<Option<Guest>, Problem> {
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
    /// is a `USER_MISMATCH`, unless nobody has ever proved that guest's address: then the sub is of a user whom half a
    /// registration left behind.
    ///
    /// A code proves the address of somebody's registration too, and its password stays without effect. A password does not.
    ///
    /// Says whether the guest was made here.
    pub async fn get_or_create(
        &self,
        sub: &UserSub,
        email: &Email,
        known: Option<Guest>,
        proved_by: ProvedBy,
        has_password: bool,
        now: Timestamp,
    ) -> Result<(Guest, bool), Problem> {
        let mut known = known;
        for _ in 0..ROUNDS {
            if proved_by == ProvedBy::Password
                && known
                    .as_ref()
                    .is_some_and(|guest| guest.password_standing != PasswordStanding::Accepted)
            {
                return Err(Problem::InvalidCredentials);
            }
            if let Some(guest) = known.take_if(|guest| guest.cognito_sub.as_ref() == Some(sub)) {
                if guest.email_verified && (guest.has_password || !has_password) {
                    return Ok((guest, false));
                }
                // The address is proved for the first time, or a password was made elsewhere since: noted, so that the next start
                // costs one call of Cognito again.
                match self.bind(&guest, sub, has_password, now).await? {
                    Making::Created(guest) | Making::Bound(guest) => return Ok((guest, false)),
                    Making::Overtaken => known = self.find(email).await?,
                }
            }
            if let Some(guest) = self.find_by_sub(sub).await? {
                return Ok((guest, false));
            }
            let making = match known {
                Some(guest) if guest.cognito_sub.is_some() && guest.email_verified => {
                    return Err(Problem::UserMismatch);
                }
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
        let standing = match guest.password_standing {
            PasswordStanding::Accepted => PasswordStanding::Accepted,
            PasswordStanding::Unproven | PasswordStanding::Replaced => PasswordStanding::Replaced,
        };
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("email", text(guest.email.as_str()))
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":false", AttributeValue::Bool(false))
            .expression_attribute_values(
                ":hasPassword",
                AttributeValue::Bool(has_password || guest.has_password),
            )
            .expression_attribute_values(":now", text(now.to_string()));
        let change = "SET cognitoSub = :sub, emailVerified = :true, hasPassword = :hasPassword, updatedAt = :now";
        let condition = "attribute_exists(email) AND (attribute_not_exists(cognitoSub) OR cognitoSub = :sub OR emailVerified = :false)";
        // A registration that came in between would have to be looked at first.
        let write = match standing.as_str() {
            None => write
                .update_expression(change)
                .condition_expression(format!(
                    "{condition} AND attribute_not_exists(passwordStanding)"
                )),
            Some(standing) => write
                .update_expression(format!("{change}, passwordStanding = :standing"))
                .condition_expression(format!(
                    "{condition} AND attribute_exists(passwordStanding)"
                ))
                .expression_attribute_values(":standing", text(standing)),
        };
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
            password_standing: PasswordStanding::Accepted,
            signed_out_at: None,
            authenticator: None,
            kept_session: None,
            pending_authenticator: None,
        };
        Ok(if self.put(&guest).await? {
            Making::Created(guest)
        } else {
            Making::Overtaken
        })
    }

    /// Writes a guest and the reservation of the id; `false` where the address or the id is taken.
    async fn put(&self, guest: &Guest) -> Result<bool, Problem> {
        let put = |item: Item| {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(email)")
                .build();
            put.map(|put| TransactWriteItem::builder().put(put).build())
                .map_err(|error| Problem::Internal(Report::new("describe the guest", error)))
        };
        let written = self
            .client
            .transact_write_items()
            .transact_items(put(item(guest))?)
            .transact_items(put(Item::from([(
                "email".to_owned(),
                reservation(&guest.guest_id),
            )]))?)
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) if is_cancelled(&error) => Ok(false),
            Err(error) => Err(failure("make the guest")(error).into()),
        }
    }

    /// A guest as a registration makes one: the address unproved, and the password without effect until it is.
    #[must_use]
    pub fn registration(
        &self,
        sub: &UserSub,
        email: &Email,
        name: Option<GuestName>,
        now: Timestamp,
    ) -> Guest {
        Guest {
            guest_id: GuestId::generate(now, &self.randomness),
            email: email.clone(),
            name,
            cognito_sub: Some(sub.clone()),
            email_verified: false,
            created_at: now,
            updated_at: now,
            has_password: true,
            password_standing: PasswordStanding::Unproven,
            signed_out_at: None,
            authenticator: None,
            kept_session: None,
            pending_authenticator: None,
        }
    }

    /// Takes an address for a registration; `false` where it is taken. Of any number that try at once, one succeeds.
    pub async fn register(&self, guest: &Guest) -> Result<bool, Problem> {
        self.put(guest).await
    }

    /// Takes the place of a registration that has no user any more, and that nobody has confirmed. `None` where somebody has, or
    /// somebody else was quicker.
    pub async fn register_anew(
        &self,
        left_behind: &Guest,
        guest: &Guest,
    ) -> Result<Option<Guest>, Problem> {
        let (Some(gone), Some(sub)) = (&left_behind.cognito_sub, &guest.cognito_sub) else {
            return Ok(None);
        };
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("email", text(guest.email.as_str()))
            .condition_expression("cognitoSub = :gone AND emailVerified = :false")
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":gone", text(gone.as_str()))
            .expression_attribute_values(":false", AttributeValue::Bool(false))
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":unproven", text(UNPROVEN))
            .expression_attribute_values(":now", text(guest.updated_at.to_string()));
        let change = "SET cognitoSub = :sub, passwordStanding = :unproven, updatedAt = :now";
        let write = match &guest.name {
            Some(name) => write
                .update_expression(format!("{change}, #name = :name"))
                .expression_attribute_values(":name", text(name.as_str())),
            None => write.update_expression(format!("{change} REMOVE #name")),
        };
        match conditional_update!(write, "take a registration's place")? {
            Written::Made(item) => read(&item).map(Some),
            Written::Refused(Some(item)) => {
                // The write was sent twice, and the first one made it.
                let guest = read(&item)?;
                Ok(
                    (guest.cognito_sub.as_ref() == Some(sub) && !guest.email_verified)
                        .then_some(guest),
                )
            }
            Written::Refused(None) => Ok(None),
        }
    }

    /// Removes what a registration wrote, unless the address has been proved since: `false` then.
    pub async fn withdraw_registration(&self, guest: &Guest) -> Result<bool, Problem> {
        let delete =
            |key: AttributeValue| Delete::builder().table_name(&self.table).key("email", key);
        let describe = |error| Problem::Internal(Report::new("describe the guest", error));
        let record = delete(text(guest.email.as_str()))
            .condition_expression(
                "attribute_not_exists(email) OR (guestId = :guestId AND emailVerified = :false)",
            )
            .expression_attribute_values(":guestId", text(guest.guest_id.as_str()))
            .expression_attribute_values(":false", AttributeValue::Bool(false))
            .build()
            .map_err(describe)?;
        let reservation = delete(reservation(&guest.guest_id))
            .build()
            .map_err(describe)?;
        let item = |delete| TransactWriteItem::builder().delete(delete).build();
        let withdrawn = self
            .client
            .transact_write_items()
            .transact_items(item(record))
            .transact_items(item(reservation))
            .send()
            .await;
        match withdrawn {
            Ok(_) => Ok(true),
            Err(error) if is_cancelled(&error) => Ok(false),
            Err(error) => Err(failure("withdraw the registration")(error).into()),
        }
    }

    /// Confirms the registration of a user whose mailed code came back: the address is proved, and the password counts from now
    /// on. `false` where there is no such registration: it was never made, or the address was proved in another way.
    pub async fn confirm_registration(
        &self,
        email: &Email,
        sub: &UserSub,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("email", text(email.as_str()))
            .update_expression(
                "SET emailVerified = :true, updatedAt = :now REMOVE passwordStanding",
            )
            .condition_expression("cognitoSub = :sub AND passwordStanding = :unproven")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":unproven", text(UNPROVEN))
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":now", text(now.to_string()));
        Ok(
            match conditional_update!(write, "confirm the registration")? {
                Written::Made(_) => true,
                Written::Refused(_) => false,
            },
        )
    }

    /// Notes that a mailed code has set a new password: the address is proved, the password counts, and every token issued up to
    /// `now` is refused. `false` where the address has no guest.
    pub async fn note_new_password(&self, email: &Email, now: Timestamp) -> Result<bool, Problem> {
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("email", text(email.as_str()))
            .update_expression(
                "SET emailVerified = :true, hasPassword = :true, signedOutAt = :millis, updatedAt = :now REMOVE passwordStanding",
            )
            .condition_expression("attribute_exists(email)")
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":millis", millis(now))
            .expression_attribute_values(":now", text(now.to_string()));
        Ok(match conditional_update!(write, "note the new password")? {
            Written::Made(_) => true,
            Written::Refused(_) => false,
        })
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
                .condition_expression("cognitoSub = :sub AND (attribute_not_exists(signedOutAt) OR signedOutAt < :begun \
                     OR (keptSession = :session AND keptSessionAt = signedOutAt))")
                .expression_attribute_values(":session", text(caller.session.as_ref().map_or("", SessionId::as_str)))
                .expression_attribute_names("#name", "name")
                .expression_attribute_values(":sub", text(caller.sub.as_str()))
                .expression_attribute_values(":begun", millis(caller.signed_in_by))
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

/// What reserves a guest id.
fn reservation(guest_id: &GuestId) -> AttributeValue {
    text(format!("guestId#{guest_id}"))
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
    if let Some(standing) = guest.password_standing.as_str() {
        item.insert("passwordStanding".to_owned(), text(standing));
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
        password_standing: PasswordStanding::stored(get_text(item, "passwordStanding"))?,
        signed_out_at: get_millis(item, "signedOutAt"),
        // Only of the sign-out that it was noted with: any later one ends it too.
        kept_session: get_text(item, "keptSession")
            .filter(|_| get_number(item, "keptSessionAt") == get_number(item, "signedOutAt"))
            .map(SessionId::claimed),
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
