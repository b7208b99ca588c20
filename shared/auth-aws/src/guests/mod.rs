//! The guests table: the guest of a user, and the owner of an address.
//! [`guest_items`](crate::guest_items) defines the items.

mod address_change;
mod arrival;
mod deletion;
mod mail_marks;
mod new_password;
mod relink;
mod sign_out;

pub use arrival::{Arrival, Newcomer, ProvedGuest, ProvedRegistration};

use auth_domain::{
    Caller, Email, Guest, GuestId, GuestName, Problem, Randomness, SessionId, Timestamp, UserSub,
    WaitingGuest,
};
use serde::Serialize;

use crate::{
    ConfigurationError, Platform,
    guest_items::{Address, address_key, guest_key, id_key, read_address, read_guest},
    guests_table::{EXISTS, GuestsTable},
    items::{Item, Written, conditional_update, get_text, millis, text, unreadable},
    sign_outs::is_unchanged,
};

/// The guests table.
#[derive(Clone)]
pub struct Guests {
    table: GuestsTable,
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

impl Guests {
    /// Guests in the table that `GUESTS_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            table: GuestsTable::new(platform)?,
            randomness: platform.randomness(),
        })
    }

    /// The guest of a user, unless the guest is being deleted.
    pub async fn find(&self, sub: &UserSub) -> Result<Option<Guest>, Problem> {
        let item = self.table.get(guest_key(sub)).await?;
        let guest = item.as_ref().map(read_guest).transpose()?;
        Ok(guest.filter(|guest| !guest.is_leaving))
    }

    /// The state of an address; `None` if no guest has it.
    pub async fn at(&self, email: &Email) -> Result<Option<Address>, Problem> {
        let item = self.table.get(address_key(email)).await?;
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
        let Some(reservation) = self.table.get(id_key(guest_id)).await? else {
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
        let Some(reservation) = self.table.get(id_key(guest_id)).await? else {
            return Ok(None);
        };
        let Some(sub) = parsed(&reservation, "sub", UserSub::parse)? else {
            return Ok(None);
        };
        let item = self.table.get(guest_key(&sub)).await?;
        item.as_ref().map(read_guest).transpose()
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
            .table
            .update(guest_key(&caller.sub))
            .condition_expression(format!(
                "{EXISTS} \
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
