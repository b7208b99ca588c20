//! The guests table: the guest of a user, and the owner of an address.
//! [`guest_items`](crate::guest_items) defines the items.

use auth_domain::{
    Caller, Email, Guest, GuestId, GuestName, Locale, MailRefusal, PendingRegistration, Problem,
    Randomness, Report, Sealed, SessionId, SignInId, Timestamp, Undeliverable, UserSub,
    WaitingGuest,
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
use serde::Serialize;

use crate::{
    ActivityEntry, ConfigurationError, Platform,
    boxed::Boxed as _,
    clients::dynamodb,
    failure::failure,
    first_proofs::{FirstProofs, claim_proved},
    guest_items::{
        Address, CHANGING_TO, KEY, LOCALE, OTHER_ADDRESS, REGISTRATION, Waiting, address_key,
        claim_item, guest_item, guest_key, id_key, read_address, read_guest, relinked_item,
        second_claim_item,
    },
    items::{
        Item, Written, conditional_update, get_millis, get_text, millis, number, text, unreadable,
    },
    sign_outs::{is_unchanged, keeping, not_before, while_signed_in},
    transactions::{Transacted, Write, transact, transact_or_look},
    unproved_users::UnprovedUsers,
};

/// How often a guest is read and written again while other requests write the same one. Each round
/// ends with the success of one request.
pub(crate) const ROUNDS: usize = 8;

/// No item has this key yet.
const IS_NEW: &str = "attribute_not_exists(pk)";

/// An item has this key.
const EXISTS: &str = "attribute_exists(pk)";

/// A user who has just proved an address.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// The user.
    pub sub: &'a UserSub,
    /// The address.
    pub email: &'a Email,
    /// The user's password.
    pub password: UserPassword,
    /// The user's attribute `locale`, if it is known.
    pub locale: Option<&'a Locale>,
}

/// The password of a user at Cognito, by what a sign-in has shown of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserPassword {
    /// There is one, and it counts.
    Proven,
    /// There is none, but for one that nobody knows.
    Absent,
    /// The sign-in has not shown it: there may be one from before the address was proved.
    Unseen,
}

/// A registration whose code was right.
#[derive(Clone, Copy, Debug)]
pub struct ProvedRegistration<'a> {
    /// The user whom the code has proved.
    pub sub: &'a UserSub,
    /// The address that the code was mailed to.
    pub email: &'a Email,
    /// The user's attribute `locale`, if it is known.
    pub locale: Option<&'a Locale>,
    /// Names the registration's sign-in.
    pub id: &'a SignInId,
    /// The registration's record.
    pub registration: &'a PendingRegistration,
}

/// The guest of a user who has just proved an address.
#[derive(Clone, Debug)]
#[must_use = "a guest who was made is counted"]
pub struct ProvedGuest {
    /// The guest.
    pub guest: Guest,
    /// Whether this call made the guest.
    pub is_new: bool,
}

impl ProvedGuest {
    fn found(guest: Guest) -> Self {
        Self {
            guest,
            is_new: false,
        }
    }

    fn made(guest: Guest) -> Self {
        Self {
            guest,
            is_new: true,
        }
    }
}

/// The guests table.
#[derive(Clone)]
pub struct Guests {
    client: Client,
    table: String,
    randomness: Randomness,
}

/// The guest of an id or an address.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Numbered {
    /// A guest who has a user.
    Guest(Box<Guest>),
    /// A guest who waits at an address.
    Waiting(WaitingGuest),
}

impl Numbered {
    /// The public number.
    #[must_use]
    pub fn guest_id(&self) -> &GuestId {
        match self {
            Self::Guest(guest) => &guest.guest_id,
            Self::Waiting(guest) => &guest.guest_id,
        }
    }
}

/// The table's record of a user who has just proved their identity.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// The user has a guest.
    Known(Box<Guest>),
    /// The user has no guest. The address's item, if there is one.
    First(Option<Address>),
}

impl Arrival {
    /// Whether the guest's address was proved before; `None` without a guest.
    #[must_use]
    pub fn proved_before(&self) -> Option<bool> {
        match self {
            Self::Known(guest) => Some(guest.email_verified),
            Self::First(Some(Address::Waiting(waiting))) => Some(waiting.guest.email_verified),
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

    /// The guest of a user, unless the guest is being deleted.
    pub async fn find(&self, sub: &UserSub) -> Result<Option<Guest>, Problem> {
        let item = self.read(guest_key(sub)).await?;
        let guest = item.as_ref().map(read_guest).transpose()?;
        Ok(guest.filter(|guest| !guest.is_leaving))
    }

    /// The state of an address; `None` if no guest has it.
    pub async fn at(&self, email: &Email) -> Result<Option<Address>, Problem> {
        let item = self.read(address_key(email)).await?;
        item.map(read_address).transpose()
    }

    /// The guest of an address, by two reads.
    pub async fn numbered_at(&self, email: &Email) -> Result<Option<Numbered>, Problem> {
        match self.at(email).await? {
            Some(Address::Claimed(claim)) => self.numbered_of(&claim.sub).await,
            Some(Address::Waiting(waiting)) => Ok(Some(Numbered::Waiting(waiting.guest))),
            None => Ok(None),
        }
    }

    /// The guest of a user.
    pub async fn numbered_of(&self, sub: &UserSub) -> Result<Option<Numbered>, Problem> {
        let guest = self.find(sub).await?;
        Ok(guest.map(|guest| Numbered::Guest(Box::new(guest))))
    }

    /// The guest of an id, by two reads.
    pub async fn numbered(&self, guest_id: &GuestId) -> Result<Option<Numbered>, Problem> {
        let Some(reservation) = self.read(id_key(guest_id)).await? else {
            return Ok(None);
        };
        if let Some(sub) = parsed(&reservation, "sub", UserSub::parse)? {
            return self.numbered_of(&sub).await;
        }
        let Some(email) = parsed(&reservation, "email", Email::parse)? else {
            return Ok(None);
        };
        // It may have been bound between the two reads.
        let guest = self.numbered_at(&email).await?;
        Ok(guest.filter(|guest| guest.guest_id() == guest_id))
    }

    /// The guest of an id who has a user, also during the guest's deletion, by two reads.
    pub async fn numbered_or_leaving(&self, guest_id: &GuestId) -> Result<Option<Guest>, Problem> {
        let Some(reservation) = self.read(id_key(guest_id)).await? else {
            return Ok(None);
        };
        let Some(sub) = parsed(&reservation, "sub", UserSub::parse)? else {
            return Ok(None);
        };
        let item = self.read(guest_key(&sub)).await?;
        item.as_ref().map(read_guest).transpose()
    }

    async fn read(&self, key: AttributeValue) -> Result<Option<Item>, Problem> {
        let sending = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(KEY, key)
            .consistent_read(true)
            .send();
        let answer = sending.boxed().await;
        Ok(answer.map_err(failure("read the guest"))?.item)
    }

    /// The stored state of a user who has just signed in at an address: one read for a known guest,
    /// two for any other user.
    pub async fn arrival(&self, sub: &UserSub, email: &Email) -> Result<Arrival, Problem> {
        match self.find(sub).await? {
            Some(guest) => Ok(Arrival::Known(Box::new(guest))),
            None => self.at(email).await.map(Arrival::First),
        }
    }

    /// The guest of a user who has just proved the address: the one bound to the sub, or the one
    /// who waits at the address, or a new one. `arrival` was read a moment ago.
    ///
    /// Any number of concurrent requests make one guest. A sub never moves to another guest, and
    /// the address of another sub's guest is a `USER_MISMATCH`. Before a guest is made or bound,
    /// the user is claimed for good, so that no removal takes it. A user that a removal has claimed
    /// first gets no guest.
    pub async fn get_or_create(
        &self,
        newcomer: Newcomer<'_>,
        arrival: Arrival,
        first: &FirstProofs,
        now: Timestamp,
    ) -> Result<ProvedGuest, Problem> {
        let Newcomer { sub, email, .. } = newcomer;
        let mut arrival = arrival;
        let mut drawn = Vec::new();
        for _ in 0..ROUNDS {
            if let Arrival::First(Some(Address::Waiting(_)) | None) = &arrival {
                first.claim(email, sub, now).await?;
            }
            let guest = match arrival {
                Arrival::Known(guest) => {
                    let is_new = drawn.contains(&guest.guest_id);
                    let guest = self.updated(*guest, newcomer, now).await?;
                    return Ok(ProvedGuest { guest, is_new });
                }
                Arrival::First(Some(Address::Claimed(claim))) if claim.is_leaving => {
                    return Err(leaving());
                }
                Arrival::First(Some(Address::Claimed(claim))) if claim.sub != *sub => {
                    return Err(Problem::UserMismatch);
                }
                // Bound between the two reads.
                Arrival::First(Some(Address::Claimed(_))) => None,
                Arrival::First(Some(Address::Waiting(waiting))) => {
                    let guest = self.of_waiting(&waiting, newcomer, now);
                    let entry = first.entry(&guest, now)?;
                    let bound = self.bind(&waiting, &guest, None, entry).await?;
                    bound.map(ProvedGuest::found)
                }
                Arrival::First(None) => {
                    let guest = self.fresh(newcomer, now);
                    drawn.push(guest.guest_id.clone());
                    let entry = first.entry(&guest, now)?;
                    let created = self.create(&guest, None, entry).await?;
                    created.then(|| ProvedGuest::made(guest))
                }
            };
            match guest {
                Some(found) => return Ok(found),
                None => arrival = self.arrival(sub, email).await?,
            }
        }
        Err(overtaken())
    }

    /// Records what Cognito has told of a known guest's user: that there is a password, so the next
    /// start uses one call, and another language. If another write changes the guest first, the
    /// next sign-in records it. Most guests have nothing new, and cost nothing.
    async fn updated(
        &self,
        guest: Guest,
        newcomer: Newcomer<'_>,
        now: Timestamp,
    ) -> Result<Guest, Problem> {
        let has_password = newcomer.password == UserPassword::Proven && !guest.has_password;
        let read = newcomer.locale;
        let locale = read.filter(|locale| guest.locale.as_ref() != Some(*locale));
        if !has_password && locale.is_none() {
            return Ok(guest);
        }
        let set = |update: UpdateBuilder, mut changes: Vec<&str>| {
            let mut update = update;
            if has_password {
                changes.push("hasPassword = :true");
                update = update.expression_attribute_values(":true", AttributeValue::Bool(true));
            }
            if let Some(locale) = locale {
                changes.push("#locale = :locale");
                update = update
                    .expression_attribute_names("#locale", LOCALE)
                    .expression_attribute_values(":locale", text(locale.as_str()));
            }
            update.update_expression(format!("SET {}", changes.join(", ")))
        };
        let record = self
            .update_in(guest_key(&guest.cognito_sub))
            .condition_expression(EXISTS)
            .expression_attribute_values(":now", text(now.to_string()));
        let mut writes = vec![set(record, vec!["updatedAt = :now"]).write()?];
        for email in guest.addresses() {
            let claim = self.update_claim(email, &guest.cognito_sub);
            writes.push(set(claim, Vec::new()).write()?);
        }
        if !self.write(writes, "note the user's news").await? {
            return Ok(guest);
        }
        Ok(Guest {
            has_password: has_password || guest.has_password,
            locale: locale.cloned().or(guest.locale),
            updated_at: now,
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

    /// A waiting guest, as the user who has just proved the address.
    fn of_waiting(&self, waiting: &Waiting, newcomer: Newcomer<'_>, now: Timestamp) -> Guest {
        let before = &waiting.guest;
        Guest {
            created_at: before.created_at,
            guest_id: before.guest_id.clone(),
            name: before.name.clone(),
            ..self.fresh(newcomer, now)
        }
    }

    /// Binds a waiting guest: the record moves under the sub, the address becomes a claim, and the
    /// guest id names the sub. `entry` joins the activity. `None` if another request was faster.
    async fn bind(
        &self,
        waiting: &Waiting,
        bound: &Guest,
        registration: Option<&SignInId>,
        entry: ActivityEntry,
    ) -> Result<Option<Guest>, Problem> {
        let before = &waiting.guest;
        let sub = &bound.cognito_sub;
        let record = guest_item(bound, registration, Some(&waiting.item));
        let guest = read_guest(&record)?;
        // The guest still waits, unchanged since the read.
        let unchanged = match get_text(&waiting.item, "updatedAt") {
            Some(_) => "updatedAt = :updatedAt",
            None => "attribute_not_exists(updatedAt)",
        };
        let condition =
            format!("guestId = :guestId AND attribute_not_exists(#sub) AND {unchanged}");
        let mut claim = Put::builder()
            .table_name(&self.table)
            .set_item(Some(claim_item(&guest)))
            .condition_expression(condition)
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":guestId", text(before.guest_id.as_str()));
        if let Some(stored) = get_text(&waiting.item, "updatedAt") {
            claim = claim.expression_attribute_values(":updatedAt", text(stored));
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
            entry.into_write(),
        ];
        let bound = self.write(writes, "bind the guest").await?;
        Ok(bound.then_some(guest))
    }

    /// A new guest, who has just proved the address.
    fn fresh(&self, newcomer: Newcomer<'_>, now: Timestamp) -> Guest {
        let Newcomer {
            sub,
            email,
            password,
            locale,
        } = newcomer;
        Guest {
            guest_id: GuestId::generate(now, &self.randomness),
            email: email.clone(),
            name: None,
            locale: locale.cloned(),
            cognito_sub: sub.clone(),
            email_verified: true,
            created_at: now,
            updated_at: now,
            has_password: password == UserPassword::Proven,
            unseen_password: password == UserPassword::Unseen,
            signed_out_at: None,
            authenticator: None,
            kept_session: None,
            device_epoch: 0,
            pending_authenticator: None,
            passkeys: Vec::new(),
            is_leaving: false,
            factor_reset_at: None,
            changing_to: None,
            address_changed_at: None,
        }
    }

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
        let Some(item) = self.read(address_key(email)).await? else {
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

    /// Makes a guest with a free user, address and id, with `entry` in the activity; `false` if one
    /// of them is taken.
    async fn create(
        &self,
        guest: &Guest,
        registration: Option<&SignInId>,
        entry: ActivityEntry,
    ) -> Result<bool, Problem> {
        let reservation = Item::from([
            (KEY.to_owned(), id_key(&guest.guest_id)),
            ("sub".to_owned(), text(guest.cognito_sub.as_str())),
        ]);
        let writes = vec![
            self.put_new(guest_item(guest, registration, None))?,
            self.put_new(claim_item(guest))?,
            self.put_new(reservation)?,
            entry.into_write(),
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

    fn delete_in(&self, key: AttributeValue) -> DeleteBuilder {
        Delete::builder().table_name(&self.table).key(KEY, key)
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

    /// A number for a guest who registers. It is reserved when the address is proved.
    #[must_use]
    pub fn draw_guest_id(&self, now: Timestamp) -> GuestId {
        GuestId::generate(now, &self.randomness)
    }

    /// Makes the guest of a registration whose code was right, in one transaction that decides
    /// between any number of proofs of the address. `None` if the address was proved in another
    /// way: by another registration, a sign-in or a reset.
    ///
    /// The same registration may retry, until a new password is set: it finds the guest that it
    /// made. A guest who waits at the address is bound, and keeps number and attributes. The user
    /// is claimed for good before. `address` was read a moment ago.
    pub async fn register(
        &self,
        proved: &ProvedRegistration<'_>,
        address: Option<Address>,
        first: &FirstProofs,
        now: Timestamp,
    ) -> Result<Option<ProvedGuest>, Problem> {
        let ProvedRegistration {
            sub,
            email,
            locale,
            id,
            registration,
        } = *proved;
        let newcomer = Newcomer {
            sub,
            email,
            password: UserPassword::Proven,
            locale,
        };
        let mut guest_id = registration.guest_id.clone();
        let mut address = address;
        if !matches!(address, Some(Address::Claimed(_))) {
            first.claim(email, sub, now).await?;
        }
        for _ in 0..ROUNDS {
            let made = match address {
                Some(Address::Claimed(claim)) => {
                    let guest = self.registered_by(id, &claim.sub).await?;
                    return Ok(guest
                        .filter(|guest| guest.cognito_sub == *sub)
                        .map(ProvedGuest::found));
                }
                Some(Address::Waiting(waiting)) => {
                    let mut guest = self.of_waiting(&waiting, newcomer, now);
                    guest.name = registration.name.clone().or(guest.name);
                    let entry = first.entry(&guest, now)?;
                    let bound = self.bind(&waiting, &guest, Some(id), entry).await?;
                    bound.map(ProvedGuest::found)
                }
                None => {
                    let guest = Guest {
                        guest_id: guest_id.clone(),
                        name: registration.name.clone(),
                        ..self.fresh(newcomer, now)
                    };
                    let entry = first.entry(&guest, now)?;
                    let created = self.create(&guest, Some(id), entry).await?;
                    created.then(|| ProvedGuest::made(guest))
                }
            };
            if made.is_some() {
                return Ok(made);
            }
            // The address, the number or the user is taken. The user may be the guest of another
            // address.
            address = self.at(email).await?;
            if address.is_none() {
                if self.find(sub).await?.is_some() {
                    return Ok(None);
                }
                guest_id = self.draw_guest_id(now);
            }
        }
        Err(overtaken())
    }

    /// The guest of a user, if this registration made it and no password has been set since.
    pub async fn registered_by(
        &self,
        id: &SignInId,
        sub: &UserSub,
    ) -> Result<Option<Guest>, Problem> {
        let item = self.read(guest_key(sub)).await?;
        item.filter(|item| get_text(item, REGISTRATION) == Some(id.as_str()))
            .as_ref()
            .map(read_guest)
            .transpose()
    }

    /// Records that a mailed code has set a user's new password, with `entry` in the guest's
    /// activity: the password counts, and every token issued up to `now` is refused. `false` if the
    /// user has no guest. `address` is the guest's, if its claim has no mark of a password yet.
    pub async fn note_new_password(
        &self,
        sub: &UserSub,
        address: Option<&Email>,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let record = self
            .update_in(guest_key(sub))
            .update_expression(NEW_PASSWORD)
            .condition_expression(EXISTS)
            .set_expression_attribute_values(Some(new_password(now)))
            .write()?;
        let mut writes = vec![record, entry.into_write()];
        if let Some(email) = address {
            writes.push(self.claim_with_password(sub, email)?);
        }
        self.write(writes, "note the new password").await
    }

    /// Records a new password of a signed-in guest, with `entry` in the guest's activity. The
    /// password counts, and every session except `kept` ends.
    pub async fn note_changed_password(
        &self,
        guest: &Guest,
        kept: Option<&SessionId>,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let sub = &guest.cognito_sub;
        let (set, remove) = (", hasPassword = :true", REGISTRATION);
        let attempted = "note the new password";
        let noted = keeping(&self.client, guest, kept, now, attempted, |round| {
            let write = self
                .update_in(guest_key(sub))
                .expression_attribute_values(":true", AttributeValue::Bool(true));
            let record = round.ending_sessions(write, EXISTS, set, remove);
            let mut writes = vec![record.write()?, entry.clone().into_write()];
            if !round.guest.has_password {
                writes.push(self.claim_with_password(sub, &round.guest.email)?);
            }
            Ok(writes)
        });
        if noted.await? {
            Ok(())
        } else {
            Err(overtaken())
        }
    }

    /// Changes the name of a caller's guest, in one conditional write. It refuses if another
    /// session has signed out everywhere since `guest` was read. `None` takes the name away.
    pub async fn rename(
        &self,
        caller: &Caller,
        guest: &Guest,
        name: Option<&GuestName>,
        now: Timestamp,
    ) -> Result<Guest, Problem> {
        let seen = guest.signed_out_at;
        let unchanged = is_unchanged(seen);
        let write = self
            .update(guest_key(&caller.sub))
            .condition_expression(format!(
                "attribute_exists(pk) \
                 AND ({unchanged} OR (keptSession = :session AND keptSessionAt = signedOutAt))"
            ))
            .set_expression_attribute_values(
                seen.map(|seen| Item::from([(":seen".to_owned(), millis(seen))])),
            )
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(
                ":session",
                text(caller.session.as_ref().map_or("", SessionId::as_str)),
            )
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
        let Some(before) = self.read(guest_key(from)).await? else {
            return Ok(false);
        };
        // A change of address goes on with the user that it began with, or is given up.
        if before.contains_key(CHANGING_TO) {
            return Ok(false);
        }
        claim_proved(unproved, &guest.email, to, now).await?;
        let writes = vec![
            self.put_new(relinked_item(&before, to, keys, now))?,
            self.delete_unchanged(before)?,
            self.move_to(address_key(&guest.email), from, to)
                .update_expression("SET #sub = :to, hasPassword = :false")
                .expression_attribute_values(":false", AttributeValue::Bool(false))
                .write()?,
            self.move_to(id_key(&guest.guest_id), from, to)
                .update_expression("SET #sub = :to")
                .write()?,
            entry.into_write(),
        ];
        self.write(writes, "move the guest to another user").await
    }

    fn move_to(&self, key: AttributeValue, from: &UserSub, to: &UserSub) -> UpdateBuilder {
        self.update_in(key)
            .condition_expression("#sub = :from")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":from", text(from.as_str()))
            .expression_attribute_values(":to", text(to.as_str()))
    }

    /// Deletes a record in a transaction, if no attribute that a sign-in changes has changed since
    /// it was read.
    fn delete_unchanged(&self, before: Item) -> Result<TransactWriteItem, Problem> {
        let conditions = CHANGED_BY_SIGN_INS.map(|name| {
            if before.contains_key(name) {
                format!("{name} = :{name}")
            } else {
                format!("attribute_not_exists({name})")
            }
        });
        let mut delete = Delete::builder()
            .table_name(&self.table)
            .condition_expression(conditions.join(" AND "));
        for (name, value) in before {
            if name == KEY {
                delete = delete.key(KEY, value);
            } else if CHANGED_BY_SIGN_INS.contains(&name.as_str()) {
                delete = delete.expression_attribute_values(format!(":{name}"), value);
            }
        }
        let delete = delete.build().map_err(undescribed)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

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
            .update_claim(&guest.email, &guest.cognito_sub)
            .update_expression(format!("SET {OTHER_ADDRESS} = :to"))
            .expression_attribute_values(":to", text(to.as_str()))
            .write()?;
        let claim = self.put_new(second_claim_item(guest, to))?;
        let writes = vec![claim, record, before];
        self.write(writes, "claim the address").await
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
        let had = || AttributeValue::Bool(guest.has_password);
        let record = self
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
            self.delete_claim(&guest.email, sub)?,
            entry.into_write(),
        ];
        self.write(writes, "move the guest to another address")
            .await
    }

    /// Gives a claimed address up: the guest keeps the one before.
    pub async fn release_address(&self, guest: &Guest, to: &Email) -> Result<(), Problem> {
        let sub = &guest.cognito_sub;
        let record = self
            .update_in(guest_key(sub))
            .update_expression(format!("REMOVE {CHANGING_TO}"))
            .condition_expression(format!("{CHANGING_TO} = :to"))
            .expression_attribute_values(":to", text(to.as_str()))
            .write()?;
        let before = self
            .update_claim(&guest.email, sub)
            .update_expression(format!("REMOVE {OTHER_ADDRESS}"))
            .write()?;
        let writes = vec![record, before, self.delete_claim(to, sub)?];
        // Refused: another request was as quick.
        self.write(writes, "give the address up").await.map(drop)
    }

    /// Notes that a code for a new password was asked for at an address to which its guest came
    /// from another. Any other address is left as it is.
    pub async fn note_recovery(&self, email: &Email, now: Timestamp) -> Result<(), Problem> {
        let update = self
            .update(address_key(email))
            .update_expression("SET recoveryAt = :now")
            .condition_expression("attribute_exists(changedAt)")
            .expression_attribute_values(":now", millis(now));
        match conditional_update(update, "note the recovery").await? {
            Written::Made(_) | Written::Refused(_) => Ok(()),
        }
    }

    /// A change of the item that claims an address for a user.
    fn update_claim(&self, email: &Email, sub: &UserSub) -> UpdateBuilder {
        self.update_in(address_key(email))
            .condition_expression("#sub = :sub")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":sub", text(sub.as_str()))
    }

    fn delete_claim(&self, email: &Email, sub: &UserSub) -> Result<TransactWriteItem, Problem> {
        self.delete_in(address_key(email))
            .condition_expression("#sub = :sub")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .write()
    }

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
                .update_claim(email, sub)
                .update_expression("SET isLeaving = :true")
                .expression_attribute_values(":true", AttributeValue::Bool(true));
            writes.push(claim.write()?);
        }
        match transact_or_look(&self.client, writes, "claim the guest for deletion").await? {
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
            .delete_in(guest_key(sub))
            .condition_expression("attribute_exists(leavingSince)");
        let owned = |key| {
            self.delete_in(key)
                .condition_expression("attribute_not_exists(pk) OR #sub = :sub")
                .expression_attribute_names("#sub", "sub")
                .expression_attribute_values(":sub", text(sub.as_str()))
        };
        let mut writes = vec![record.write()?, owned(id_key(guest_id)).write()?];
        for email in [Some(email), other].into_iter().flatten() {
            writes.push(owned(address_key(email)).write()?);
        }
        self.write(writes, "delete the guest").await
    }

    /// Refuses from now on the guest's tokens of every session except `kept`, with `entry` in the
    /// guest's activity. It refuses if another session has signed out since `guest` was read. So if
    /// two sessions end each other, one of them stays.
    pub async fn end_other_sessions(
        &self,
        guest: &Guest,
        kept: Option<&SessionId>,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let sub = &guest.cognito_sub;
        let Some(kept) = kept else {
            return self.sign_out_everywhere(sub, entry, now).await;
        };
        let record = self
            .update_in(guest_key(sub))
            .update_expression("SET signedOutAt = :now, keptSession = :kept, keptSessionAt = :now")
            .expression_attribute_values(":now", millis(not_before(guest, now)))
            .expression_attribute_values(":kept", text(kept.as_str()));
        let record = while_signed_in(record, EXISTS, guest).write()?;
        let writes = vec![record, entry.into_write()];
        match transact_or_look(&self.client, writes, "end the other sessions").await? {
            Transacted::Made => Ok(()),
            // Another request of this session was faster.
            Transacted::Refused(Some(item))
                if read_guest(&item)?.kept_session.as_ref() == Some(kept) =>
            {
                Ok(())
            }
            Transacted::Refused(_) => Err(Problem::AuthRequired),
        }
    }

    /// Refuses from now on every token of the user's guest that was issued up to `now`, with
    /// `entry` in the guest's activity. A session that a later sign-out has kept ends too.
    pub async fn sign_out_everywhere(
        &self,
        sub: &UserSub,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let (mut condition, mut at) = (IS_EARLIER, now);
        for _ in 0..ROUNDS {
            let record = self
                .update_in(guest_key(sub))
                .update_expression("SET signedOutAt = :at REMOVE keptSession, keptSessionAt")
                .condition_expression(condition)
                .expression_attribute_values(":at", millis(at))
                .write()?;
            let writes = vec![record, entry.clone().into_write()];
            let item = match transact_or_look(&self.client, writes, "sign the guest out").await? {
                Transacted::Made => return Ok(()),
                Transacted::Refused(item) => item.ok_or(Problem::AuthRequired)?,
            };
            let guest = read_guest(&item)?;
            // The same sign-out once more.
            if guest.signed_out_at == Some(now) && guest.kept_session.is_none() {
                return Ok(());
            }
            (condition, at) = (IS_AT, not_before(&guest, now));
        }
        Err(overtaken())
    }
}

/// The guest exists, and has signed out earlier or never.
const IS_EARLIER: &str =
    "attribute_exists(pk) AND (attribute_not_exists(signedOutAt) OR signedOutAt < :at)";

/// The guest has signed out at that very instant.
const IS_AT: &str = "signedOutAt = :at";

/// Attributes of a record that change while its guest signs in.
const CHANGED_BY_SIGN_INS: [&str; 6] = [
    "updatedAt",
    CHANGING_TO,
    "signedOutAt",
    "authenticatorKeys",
    "authenticatorLastStep",
    "backupCodes",
];

/// The changes of a new password in its guest's record.
const NEW_PASSWORD: &str = "SET emailVerified = :true, hasPassword = :true, signedOutAt = :millis, updatedAt = :now \
                            REMOVE registration, keptSession, keptSessionAt ADD deviceEpoch :one";

fn new_password(now: Timestamp) -> Item {
    Item::from([
        (":one".to_owned(), number(1)),
        (":true".to_owned(), AttributeValue::Bool(true)),
        (":millis".to_owned(), millis(now)),
        (":now".to_owned(), text(now.to_string())),
    ])
}

/// An attribute of a reservation, if it exists.
fn parsed<T, E>(
    reservation: &Item,
    name: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Problem> {
    let value = get_text(reservation, name).map(parse).transpose();
    value.map_err(|_| Problem::Internal(unreadable("a reserved id does not read back")))
}

fn undescribed(error: BuildError) -> Problem {
    Problem::Internal(Report::new("describe the guest", error))
}

fn leaving() -> Problem {
    Problem::ServiceUnavailable {
        retry_after_seconds: 1,
        report: Report::of("the guest of the address is being deleted"),
    }
}

pub(crate) fn overtaken() -> Problem {
    Problem::ServiceUnavailable {
        retry_after_seconds: 1,
        report: Report::of("others kept changing the same guest"),
    }
}
