//! The guest of a user who has just proved an address: found, bound or made.

use auth_domain::{
    Email, Guest, GuestId, Locale, PendingRegistration, Problem, SignInId, Timestamp, UserPassword,
    UserSub,
};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, builders::UpdateBuilder};

use crate::{
    ActivityEntry, Guests,
    first_proofs::FirstProofs,
    guest_items::{
        Address, KEY, LOCALE, REGISTRATION, Waiting, claim_item, guest_item, guest_key, id_key,
        read_guest,
    },
    guests_table::{EXISTS, ROUNDS, overtaken, undescribed},
    items::{Item, get_text, text},
    transactions::Write,
};

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
        let item = self.table.get(guest_key(sub)).await?;
        item.filter(|item| get_text(item, REGISTRATION) == Some(id.as_str()))
            .as_ref()
            .map(read_guest)
            .transpose()
    }

    /// A number for a guest who registers. It is reserved when the address is proved.
    #[must_use]
    pub fn draw_guest_id(&self, now: Timestamp) -> GuestId {
        GuestId::generate(now, &self.randomness)
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
            self.table.put_new(guest_item(guest, registration, None))?,
            self.table.put_new(claim_item(guest))?,
            self.table.put_new(reservation)?,
            entry.into_write(),
        ];
        self.table.transact(writes, "make the guest").await
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
            .table_name(self.table.name())
            .set_item(Some(claim_item(&guest)))
            .condition_expression(condition)
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":guestId", text(before.guest_id.as_str()));
        if let Some(stored) = get_text(&waiting.item, "updatedAt") {
            claim = claim.expression_attribute_values(":updatedAt", text(stored));
        }
        let claim = claim.build().map_err(undescribed)?;
        let reservation = self
            .table
            .update_in(id_key(&before.guest_id))
            .update_expression("SET #sub = :sub REMOVE email")
            .condition_expression("attribute_not_exists(#sub) OR #sub = :sub")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .write()?;
        let writes = vec![
            self.table.put_new(record)?,
            TransactWriteItem::builder().put(claim).build(),
            reservation,
            entry.into_write(),
        ];
        let bound = self.table.transact(writes, "bind the guest").await?;
        Ok(bound.then_some(guest))
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

    /// A new guest, who has just proved the address.
    fn fresh(&self, newcomer: Newcomer<'_>, now: Timestamp) -> Guest {
        let Newcomer {
            sub,
            email,
            password,
            locale,
        } = newcomer;
        let guest_id = self.draw_guest_id(now);
        Guest {
            locale: locale.cloned(),
            email_verified: true,
            password,
            ..Guest::new(guest_id, email.clone(), sub.clone(), now)
        }
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
        let has_password = newcomer.password == UserPassword::Proven && !guest.has_password();
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
            .table
            .update_in(guest_key(&guest.cognito_sub))
            .condition_expression(EXISTS)
            .expression_attribute_values(":now", text(now.to_string()));
        let mut writes = vec![set(record, vec!["updatedAt = :now"]).write()?];
        for email in guest.addresses() {
            let claim = self.table.update_claim(email, &guest.cognito_sub);
            writes.push(set(claim, Vec::new()).write()?);
        }
        if !self.table.transact(writes, "note the user's news").await? {
            return Ok(guest);
        }
        Ok(Guest {
            password: if has_password {
                UserPassword::Proven
            } else {
                guest.password
            },
            locale: locale.cloned().or(guest.locale),
            updated_at: now,
            ..guest
        })
    }
}

fn leaving() -> Problem {
    Problem::contended("the guest of the address is being deleted")
}
