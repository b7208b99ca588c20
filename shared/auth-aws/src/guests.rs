//! The guests table: who is behind a user, and whose an address is. What the items look like stands in [`guest_items`](crate::guest_items).

use auth_domain::{
    Caller, Email, Guest, GuestId, GuestName, PasswordStanding, Problem, Randomness, Report,
    SessionId, Timestamp, UserSub, WaitingGuest,
};
use aws_sdk_dynamodb::{
    Client,
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{
        AttributeValue, Delete, Put, TransactWriteItem, Update,
        builders::{DeleteBuilder, UpdateBuilder},
    },
};
use aws_smithy_types::error::operation::BuildError;

use crate::{
    ConfigurationError, Platform,
    clients::dynamodb,
    failure::failure,
    guest_items::{
        Address, KEY, Waiting, address_key, claim_item, guest_item, guest_key, id_key,
        read_address, read_guest, waiting_item,
    },
    items::{Item, Written, conditional_update, get_text, millis, text},
    transactions::transact,
};

/// How often a guest is looked up and made anew when others are making the same one. Each round ends with somebody's success.
const ROUNDS: usize = 8;

/// Nothing has this key yet.
const IS_NEW: &str = "attribute_not_exists(pk)";

/// Something has this key.
const EXISTS: &str = "attribute_exists(pk)";

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

/// What the table knows of a user who has just shown who they are.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// The user has a guest.
    Known(Box<Guest>),
    /// The user has none; what the address is.
    First(Option<Address>),
}

impl Arrival {
    /// Whether the guest's address was proved before; `None` where there is no guest.
    #[must_use]
    pub fn proved_before(&self) -> Option<bool> {
        match self {
            Self::Known(guest) => Some(guest.email_verified),
            Self::First(Some(Address::Waiting(waiting))) => Some(waiting.guest.email_verified),
            Self::First(Some(Address::Claimed(_)) | None) => None,
        }
    }

    /// What the password is worth that Cognito may hold for the user; `None` where nothing here tells.
    #[must_use]
    pub fn password_standing(&self) -> Option<PasswordStanding> {
        match self {
            Self::Known(guest) => Some(guest.password_standing),
            Self::First(Some(Address::Waiting(waiting))) => Some(waiting.guest.password_standing),
            Self::First(Some(Address::Claimed(_)) | None) => None,
        }
    }
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

    /// The guest of a user.
    pub async fn find(&self, sub: &UserSub) -> Result<Option<Guest>, Problem> {
        let item = self.read(guest_key(sub)).await?;
        item.as_ref().map(read_guest).transpose()
    }

    /// What an address is; `None` where nobody has it.
    pub async fn at(&self, email: &Email) -> Result<Option<Address>, Problem> {
        let item = self.read(address_key(email)).await?;
        item.map(read_address).transpose()
    }

    async fn read(&self, key: AttributeValue) -> Result<Option<Item>, Problem> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(KEY, key)
            .consistent_read(true)
            .send()
            .await
            .map_err(failure("read the guest"))?;
        Ok(answer.item)
    }

    /// The guest of a caller whose tokens are still accepted.
    pub async fn find_caller(&self, caller: &Caller) -> Result<Guest, Problem> {
        let guest = self.find(&caller.sub).await?.ok_or(Problem::AuthRequired)?;
        if caller.is_signed_out_of(&guest) {
            Err(Problem::AuthRequired)
        } else {
            Ok(guest)
        }
    }

    /// What is known of a user who has just signed in at an address: one read for a guest who was here before, two for anyone else.
    pub async fn arrival(&self, sub: &UserSub, email: &Email) -> Result<Arrival, Problem> {
        match self.find(sub).await? {
            Some(guest) => Ok(Arrival::Known(Box::new(guest))),
            None => self.at(email).await.map(Arrival::First),
        }
    }

    /// The guest of a user who has just proved the address: the one bound to the sub, or the one who waits at the address, or a new
    /// one. `arrival` is what was read a moment ago.
    ///
    /// However many requests do this at once, there is one guest. A sub never moves to another guest, and the address of another sub's
    /// guest is a `USER_MISMATCH`.
    ///
    /// A code proves the address of somebody's registration too, and its password stays without effect. A password does not.
    ///
    /// Says whether the guest was made here.
    pub async fn get_or_create(
        &self,
        sub: &UserSub,
        email: &Email,
        arrival: Arrival,
        proved_by: ProvedBy,
        has_password: bool,
        now: Timestamp,
    ) -> Result<(Guest, bool), Problem> {
        let mut arrival = arrival;
        let mut drawn = Vec::new();
        for _ in 0..ROUNDS {
            let accepted = match arrival.password_standing() {
                Some(PasswordStanding::Accepted) | None => true,
                Some(PasswordStanding::Unproven | PasswordStanding::Replaced) => false,
            };
            if proved_by == ProvedBy::Password && !accepted {
                return Err(Problem::InvalidCredentials);
            }
            let guest = match arrival {
                Arrival::Known(guest) => {
                    let made_here = drawn.contains(&guest.guest_id);
                    let guest = if has_password && !guest.has_password {
                        self.note_password(*guest, now).await?
                    } else {
                        *guest
                    };
                    return Ok((guest, made_here));
                }
                Arrival::First(Some(Address::Claimed(claim))) if claim.sub != *sub => {
                    return Err(Problem::UserMismatch);
                }
                // Bound between the two reads.
                Arrival::First(Some(Address::Claimed(_))) => None,
                Arrival::First(Some(Address::Waiting(waiting))) => {
                    let standing = match waiting.guest.password_standing {
                        PasswordStanding::Accepted => PasswordStanding::Accepted,
                        PasswordStanding::Unproven | PasswordStanding::Replaced => {
                            PasswordStanding::Replaced
                        }
                    };
                    let has_password = has_password || !accepted;
                    self.bind(&waiting, sub, has_password, standing, now)
                        .await?
                        .map(|guest| (guest, false))
                }
                Arrival::First(None) => {
                    let guest = self.fresh(sub, email, has_password, now);
                    drawn.push(guest.guest_id.clone());
                    self.create(&guest).await?.then_some((guest, true))
                }
            };
            match guest {
                Some(found) => return Ok(found),
                None => arrival = self.arrival(sub, email).await?,
            }
        }
        Err(overtaken())
    }

    /// Notes that Cognito holds a password, so that the next start asks it once. A note that is overtaken is made by the next sign-in.
    async fn note_password(&self, guest: Guest, now: Timestamp) -> Result<Guest, Problem> {
        let noted = self
            .write(
                vec![
                    self.update_in(guest_key(&guest.cognito_sub))
                        .update_expression("SET hasPassword = :true, updatedAt = :now")
                        .condition_expression(EXISTS)
                        .expression_attribute_values(":true", AttributeValue::Bool(true))
                        .expression_attribute_values(":now", text(now.to_string()))
                        .write()?,
                    self.claim_with_password(&guest.cognito_sub, &guest.email)?,
                ],
                "note the password",
            )
            .await?;
        Ok(Guest {
            has_password: noted || guest.has_password,
            updated_at: if noted { now } else { guest.updated_at },
            ..guest
        })
    }

    fn claim_with_password(
        &self,
        sub: &UserSub,
        email: &Email,
    ) -> Result<TransactWriteItem, Problem> {
        self.update_in(address_key(email))
            .update_expression("SET hasPassword = :true")
            .condition_expression("#sub = :sub")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .write()
    }

    /// Binds a guest who waits: the record moves under the sub, the address becomes a claim, and the guest id names the sub. `None`
    /// where another request was quicker.
    async fn bind(
        &self,
        waiting: &Waiting,
        sub: &UserSub,
        has_password: bool,
        standing: PasswordStanding,
        now: Timestamp,
    ) -> Result<Option<Guest>, Problem> {
        let before = &waiting.guest;
        let bound = Guest {
            has_password,
            password_standing: standing,
            created_at: before.created_at,
            guest_id: before.guest_id.clone(),
            name: before.name.clone(),
            ..self.fresh(sub, &before.email, has_password, now)
        };
        let record = guest_item(&bound, Some(&waiting.item));
        let guest = read_guest(&record)?;
        // The guest still waits, as it was read: neither bound, nor registered again.
        let same = |attribute: &str, value: &str| match get_text(&waiting.item, attribute) {
            Some(_) => format!("{attribute} = {value}"),
            None => format!("attribute_not_exists({attribute})"),
        };
        let condition = format!(
            "guestId = :guestId AND attribute_not_exists(#sub) AND {} AND {}",
            same("updatedAt", ":updatedAt"),
            same("passwordStanding", ":standing")
        );
        let mut claim = Put::builder()
            .table_name(&self.table)
            .set_item(Some(claim_item(&guest)))
            .condition_expression(condition)
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":guestId", text(before.guest_id.as_str()));
        for (attribute, value) in [
            ("updatedAt", ":updatedAt"),
            ("passwordStanding", ":standing"),
        ] {
            if let Some(stored) = get_text(&waiting.item, attribute) {
                claim = claim.expression_attribute_values(value, text(stored));
            }
        }
        let claim = claim.build().map_err(undescribed)?;
        let reservation = self
            .update_in(id_key(&before.guest_id))
            .update_expression("SET #sub = :sub REMOVE email")
            .condition_expression("attribute_not_exists(#sub) OR #sub = :sub")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .write()?;
        let writes = vec![
            self.put_new(record)?,
            TransactWriteItem::builder().put(claim).build(),
            reservation,
        ];
        let bound = self.write(writes, "bind the guest").await?;
        Ok(bound.then_some(guest))
    }

    /// A guest who has just proved the address.
    fn fresh(&self, sub: &UserSub, email: &Email, has_password: bool, now: Timestamp) -> Guest {
        Guest {
            guest_id: GuestId::generate(now, &self.randomness),
            email: email.clone(),
            name: None,
            cognito_sub: sub.clone(),
            email_verified: true,
            created_at: now,
            updated_at: now,
            has_password,
            password_standing: PasswordStanding::Accepted,
            signed_out_at: None,
            authenticator: None,
            kept_session: None,
            pending_authenticator: None,
        }
    }

    /// Makes a guest whose user, address and id nobody has; `false` where one of them is taken.
    async fn create(&self, guest: &Guest) -> Result<bool, Problem> {
        let reservation = Item::from([
            (KEY.to_owned(), id_key(&guest.guest_id)),
            ("sub".to_owned(), text(guest.cognito_sub.as_str())),
        ]);
        let writes = vec![
            self.put_new(guest_item(guest, None))?,
            self.put_new(claim_item(guest))?,
            self.put_new(reservation)?,
        ];
        self.write(writes, "make the guest").await
    }

    async fn write(
        &self,
        writes: Vec<TransactWriteItem>,
        attempted: &'static str,
    ) -> Result<bool, Problem> {
        transact(&self.client, writes, attempted).await
    }

    fn put_new(&self, item: Item) -> Result<TransactWriteItem, Problem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(IS_NEW)
            .build()
            .map_err(undescribed)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn update_in(&self, key: AttributeValue) -> UpdateBuilder {
        Update::builder().table_name(&self.table).key(KEY, key)
    }

    fn update(&self, key: AttributeValue) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(KEY, key)
    }

    /// A guest as a registration makes one: who waits, and whose password is without effect until the address is proved.
    #[must_use]
    pub fn registration(
        &self,
        sub: &UserSub,
        email: &Email,
        name: Option<GuestName>,
        now: Timestamp,
    ) -> WaitingGuest {
        WaitingGuest {
            guest_id: GuestId::generate(now, &self.randomness),
            email: email.clone(),
            name,
            email_verified: false,
            created_at: now,
            password_standing: PasswordStanding::Unproven,
            registered_sub: Some(sub.clone()),
        }
    }

    /// Takes an address for a registration; `false` where it is taken. Of any number that try at once, one succeeds.
    pub async fn register(&self, guest: &WaitingGuest) -> Result<bool, Problem> {
        let reservation = Item::from([
            (KEY.to_owned(), id_key(&guest.guest_id)),
            ("email".to_owned(), text(guest.email.as_str())),
        ]);
        let writes = vec![
            self.put_new(waiting_item(guest))?,
            self.put_new(reservation)?,
        ];
        self.write(writes, "take the address").await
    }

    /// Takes the place of a registration that has no user any more, and that nobody has confirmed. The guest id stays. `None` where
    /// somebody has confirmed it, or somebody else was quicker.
    pub async fn register_anew(
        &self,
        left_behind: &Waiting,
        guest: &WaitingGuest,
    ) -> Result<Option<WaitingGuest>, Problem> {
        let (Some(gone), Some(sub)) = (&left_behind.guest.registered_sub, &guest.registered_sub)
        else {
            return Ok(None);
        };
        let write = self
            .update(address_key(&guest.email))
            .condition_expression(
                "registeredSub = :gone AND emailVerified = :false AND attribute_not_exists(#sub)",
            )
            .expression_attribute_names("#name", "name")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":gone", text(gone.as_str()))
            .expression_attribute_values(":false", AttributeValue::Bool(false))
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":now", text(guest.created_at.to_string()));
        let change = "SET registeredSub = :sub, updatedAt = :now";
        let write = match &guest.name {
            Some(name) => write
                .update_expression(format!("{change}, #name = :name"))
                .expression_attribute_values(":name", text(name.as_str())),
            None => write.update_expression(format!("{change} REMOVE #name")),
        };
        let written = conditional_update(write, "take a registration's place").await?;
        let (Written::Made(item) | Written::Refused(Some(item))) = written else {
            return Ok(None);
        };
        // A refused write may have been sent twice, and made by the first.
        Ok(match read_address(item)? {
            Address::Waiting(waiting) if waiting.guest.registered_sub.as_ref() == Some(sub) => {
                Some(waiting.guest)
            }
            Address::Waiting(_) | Address::Claimed(_) => None,
        })
    }

    /// Removes what a registration wrote, unless the address has been proved since: `false` then.
    pub async fn withdraw_registration(&self, guest: &WaitingGuest) -> Result<bool, Problem> {
        let delete = |key| Delete::builder().table_name(&self.table).key(KEY, key);
        let record = delete(address_key(&guest.email))
            .condition_expression(
                "attribute_not_exists(pk) OR (guestId = :guestId AND emailVerified = :false AND attribute_not_exists(#sub))",
            )
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":guestId", text(guest.guest_id.as_str()))
            .expression_attribute_values(":false", AttributeValue::Bool(false))
            .write()?;
        let reservation = delete(id_key(&guest.guest_id)).write()?;
        self.write(vec![record, reservation], "withdraw the registration")
            .await
    }

    /// Confirms the registration of a user whose mailed code came back: the guest is bound, and the password counts from now on. `None`
    /// where there is no such registration: it was never made, or the address was proved in another way.
    pub async fn confirm_registration(
        &self,
        waiting: &Waiting,
        sub: &UserSub,
        now: Timestamp,
    ) -> Result<Option<Guest>, Problem> {
        let guest = &waiting.guest;
        if guest.registered_sub.as_ref() != Some(sub)
            || guest.password_standing != PasswordStanding::Unproven
        {
            return Ok(None);
        }
        self.bind(waiting, sub, true, PasswordStanding::Accepted, now)
            .await
    }

    /// Notes that a mailed code has set a new password: the address is proved, the password counts, and every token issued up to
    /// `now` is refused. `false` where the address is nobody's.
    pub async fn note_new_password(&self, email: &Email, now: Timestamp) -> Result<bool, Problem> {
        for _ in 0..ROUNDS {
            let noted = match self.at(email).await? {
                None => return Ok(false),
                Some(Address::Claimed(claim)) => {
                    let address = (!claim.has_password).then_some(email);
                    self.note_new_password_of(&claim.sub, address, now).await?
                }
                Some(Address::Waiting(waiting)) => {
                    let write = self
                        .update(address_key(email))
                        .update_expression(NEW_PASSWORD)
                        .condition_expression("guestId = :guestId AND attribute_not_exists(#sub)")
                        .expression_attribute_names("#sub", "sub")
                        .set_expression_attribute_values(Some(new_password(now)))
                        .expression_attribute_values(
                            ":guestId",
                            text(waiting.guest.guest_id.as_str()),
                        );
                    match conditional_update(write, "note the new password").await? {
                        Written::Made(_) => true,
                        Written::Refused(_) => false,
                    }
                }
            };
            if noted {
                return Ok(true);
            }
        }
        Err(overtaken())
    }

    /// The same for a user's guest, wherever that is; `false` where there is none. `address` is the guest's where its claim knows of no
    /// password yet: it is told in the same transaction.
    pub async fn note_new_password_of(
        &self,
        sub: &UserSub,
        address: Option<&Email>,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let attempted = "note the new password";
        let Some(email) = address else {
            let write = self
                .update(guest_key(sub))
                .update_expression(NEW_PASSWORD)
                .condition_expression(EXISTS)
                .set_expression_attribute_values(Some(new_password(now)));
            return Ok(match conditional_update(write, attempted).await? {
                Written::Made(_) => true,
                Written::Refused(_) => false,
            });
        };
        let record = self
            .update_in(guest_key(sub))
            .update_expression(NEW_PASSWORD)
            .condition_expression(EXISTS)
            .set_expression_attribute_values(Some(new_password(now)))
            .write()?;
        self.write(
            vec![record, self.claim_with_password(sub, email)?],
            attempted,
        )
        .await
    }

    /// Changes the name of a caller's guest, in one conditional write that also refuses tokens no longer accepted. `None` takes
    /// the name away.
    pub async fn rename(
        &self,
        caller: &Caller,
        name: Option<&GuestName>,
        now: Timestamp,
    ) -> Result<Guest, Problem> {
        let write = self
            .update(guest_key(&caller.sub))
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(signedOutAt) OR signedOutAt < :begun \
                 OR (keptSession = :session AND keptSessionAt = signedOutAt))",
            )
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(
                ":session",
                text(caller.session.as_ref().map_or("", SessionId::as_str)),
            )
            .expression_attribute_values(":begun", millis(caller.signed_in_by))
            .expression_attribute_values(":now", text(now.to_string()));
        let write = match name {
            Some(name) => write
                .update_expression("SET #name = :name, updatedAt = :now")
                .expression_attribute_values(":name", text(name.as_str())),
            None => write.update_expression("SET updatedAt = :now REMOVE #name"),
        };
        match conditional_update(write, "change the guest's name").await? {
            Written::Made(item) => read_guest(&item),
            Written::Refused(_) => Err(Problem::AuthRequired),
        }
    }

    /// Refuses from now on every token of the user's guest that was issued up to `now`.
    pub async fn sign_out_everywhere(&self, sub: &UserSub, now: Timestamp) -> Result<(), Problem> {
        let write = self
            .update(guest_key(sub))
            .update_expression("SET signedOutAt = :now")
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(signedOutAt) OR signedOutAt < :now)",
            )
            .expression_attribute_values(":now", millis(now));
        match conditional_update(write, "sign the guest out").await? {
            // Refused: a later sign-out, or this very one, is there already.
            Written::Made(_) | Written::Refused(Some(_)) => Ok(()),
            Written::Refused(None) => Err(Problem::AuthRequired),
        }
    }
}

/// What a new password changes in the record of its guest.
const NEW_PASSWORD: &str = "SET emailVerified = :true, hasPassword = :true, signedOutAt = :millis, updatedAt = :now \
                            REMOVE passwordStanding";

fn new_password(now: Timestamp) -> Item {
    Item::from([
        (":true".to_owned(), AttributeValue::Bool(true)),
        (":millis".to_owned(), millis(now)),
        (":now".to_owned(), text(now.to_string())),
    ])
}

/// A write as a part of a transaction.
trait Write {
    fn write(self) -> Result<TransactWriteItem, Problem>;
}

impl Write for UpdateBuilder {
    fn write(self) -> Result<TransactWriteItem, Problem> {
        let update = self.build().map_err(undescribed)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

impl Write for DeleteBuilder {
    fn write(self) -> Result<TransactWriteItem, Problem> {
        let delete = self.build().map_err(undescribed)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

fn undescribed(error: BuildError) -> Problem {
    Problem::Internal(Report::new("describe the guest", error))
}

fn overtaken() -> Problem {
    Problem::ServiceUnavailable {
        retry_after_seconds: 1,
        report: Report::of("others kept changing the same guest"),
    }
}
