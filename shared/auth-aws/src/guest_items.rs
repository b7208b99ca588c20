//! The items of the guests table: guests, addresses and reserved ids. Their keys distinguish them.
//!
//! A guest is kept under the sub. Each address of a guest has an item that claims it, and each
//! guest id one that reserves it; both name the sub. A guest without a user is kept in the item of
//! the address, until a user is bound to the guest.

use std::collections::BTreeSet;

use auth_domain::{
    AddressClaim, Authenticator, AuthenticatorMark, BackupCodeHash, Email, Guest, GuestId,
    GuestName, Locale, Passkey, PasskeyId, PasskeyName, PendingAuthenticator, Problem, Sealed,
    SessionId, SignInId, Timestamp, TotpStep, UserPassword, UserSub, WaitingGuest,
};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::items::{
    Item, get_millis, get_number, get_sealed, get_text, millis, sealed, text, unreadable,
};

/// The table's key.
pub(crate) const KEY: &str = "pk";

/// The registration that made a guest, until a password is set anew.
pub(crate) const REGISTRATION: &str = "registration";

/// The attribute with the end of the second factors, set by an operator's reset.
pub(crate) const FACTOR_RESET: &str = "factorResetAt";
/// The address that becomes the guest's.
pub(crate) const CHANGING_TO: &str = "changingTo";

/// The language of the guest's mails, on the record and on the claim.
pub(crate) const LOCALE: &str = "locale";

/// On both claims of a guest whose address is being changed: the other one.
pub(crate) const OTHER_ADDRESS: &str = "otherAddress";

/// The prefix of the name of each passkey's attribute.
const PASSKEY: &str = "passkey#";

/// Whether the guest's password has never been shown to a sign-in.
const UNSEEN_PASSWORD: &str = "unseenPassword";

/// Attributes that do not apply to a guest's next user.
const OF_ONE_USER: [&str; 5] = [
    REGISTRATION,
    "keptSession",
    "keptSessionAt",
    "pendingAuthenticatorKeys",
    "pendingAuthenticatorUntil",
];

/// The key of a guest who has a user.
pub(crate) fn guest_key(sub: &UserSub) -> AttributeValue {
    text(format!("guest#{}", sub.as_str()))
}

/// The key of an address.
pub(crate) fn address_key(email: &Email) -> AttributeValue {
    text(format!("address#{}", email.as_str()))
}

/// The key of a guest id's reservation.
pub(crate) fn id_key(guest_id: &GuestId) -> AttributeValue {
    text(format!("guestId#{guest_id}"))
}

/// The state of an address.
#[derive(Clone, Debug)]
pub enum Address {
    /// The address of a guest who has a user and has proved the address.
    Claimed(AddressClaim),
    /// The address under which a guest waits for a user.
    Waiting(Waiting),
}

impl Address {
    /// The language of the mails of its guest.
    #[must_use]
    pub fn locale(&self) -> Option<&Locale> {
        match self {
            Self::Claimed(claim) => claim.locale.as_ref(),
            Self::Waiting(_) => None,
        }
    }
}

/// A guest without a user, with everything that the item holds: attributes of a team's own stay
/// with the guest.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The guest.
    pub guest: WaitingGuest,
    pub(crate) item: Item,
}

/// Reads the item of an address. A claim has a sub. A waiting guest has none.
pub(crate) fn read_address(item: Item) -> Result<Address, Problem> {
    let unreadable = || Problem::Internal(unreadable("an address's item does not read back"));
    if let Some(sub) = get_text(&item, "sub") {
        return Ok(Address::Claimed(AddressClaim {
            sub: UserSub::parse(sub).map_err(|_| unreadable())?,
            guest_id: get_text(&item, "guestId")
                .and_then(|id| GuestId::parse(id).ok())
                .ok_or_else(unreadable)?,
            has_password: flag(&item, "hasPassword"),
            is_leaving: flag(&item, "isLeaving"),
            other: address(&item, OTHER_ADDRESS).ok_or_else(unreadable)?,
            changed_at: get_millis(&item, "changedAt"),
            recovery_at: get_millis(&item, "recoveryAt"),
            locale: locale(&item),
        }));
    }
    let guest = waiting_guest(&item).ok_or_else(unreadable)?;
    Ok(Address::Waiting(Waiting { guest, item }))
}

fn waiting_guest(item: &Item) -> Option<WaitingGuest> {
    Some(WaitingGuest {
        guest_id: GuestId::parse(get_text(item, "guestId")?).ok()?,
        email: Email::parse(get_text(item, "email")?).ok()?,
        name: name(item)?,
        email_verified: flag(item, "emailVerified"),
        created_at: instant(item, "createdAt")?,
    })
}

/// The item that claims an address for a guest.
pub(crate) fn claim_item(guest: &Guest) -> Item {
    let mut item = Item::from([
        (KEY.to_owned(), address_key(&guest.email)),
        ("sub".to_owned(), text(guest.cognito_sub.as_str())),
        ("guestId".to_owned(), text(guest.guest_id.as_str())),
        (
            "hasPassword".to_owned(),
            AttributeValue::Bool(guest.has_password()),
        ),
    ]);
    if let Some(locale) = &guest.locale {
        item.insert(LOCALE.to_owned(), text(locale.as_str()));
    }
    item
}

/// The item that claims another address for a guest, who still has the one before.
pub(crate) fn second_claim_item(guest: &Guest, to: &Email) -> Item {
    let mut item = claim_item(guest);
    item.extend([
        (KEY.to_owned(), address_key(to)),
        (OTHER_ADDRESS.to_owned(), text(guest.email.as_str())),
    ]);
    item
}

/// The item of a guest who has just been bound to a user, by a registration or otherwise. `before`
/// is the item that waited at the address.
pub(crate) fn guest_item(
    guest: &Guest,
    registration: Option<&SignInId>,
    before: Option<&Item>,
) -> Item {
    let mut item = before.cloned().unwrap_or_default();
    item.remove("deviceEpoch");
    item.extend([
        (KEY.to_owned(), guest_key(&guest.cognito_sub)),
        ("cognitoSub".to_owned(), text(guest.cognito_sub.as_str())),
        ("email".to_owned(), text(guest.email.as_str())),
        ("guestId".to_owned(), text(guest.guest_id.as_str())),
        (
            "emailVerified".to_owned(),
            AttributeValue::Bool(guest.email_verified),
        ),
        (
            "hasPassword".to_owned(),
            AttributeValue::Bool(guest.has_password()),
        ),
        ("createdAt".to_owned(), text(guest.created_at.to_string())),
        ("updatedAt".to_owned(), text(guest.updated_at.to_string())),
    ]);
    if guest.password == UserPassword::Unseen {
        item.insert(UNSEEN_PASSWORD.to_owned(), AttributeValue::Bool(true));
    }
    if let Some(name) = &guest.name {
        item.insert("name".to_owned(), text(name.as_str()));
    }
    if let Some(locale) = &guest.locale {
        item.insert(LOCALE.to_owned(), text(locale.as_str()));
    }
    if let Some(registration) = registration {
        item.insert(REGISTRATION.to_owned(), text(registration.as_str()));
    }
    item
}

/// The item of a guest who moves to another user. The old user's own attributes are dropped; a
/// team's own attributes stay.
pub(crate) fn relinked_item(
    before: &Item,
    to: &UserSub,
    keys: Option<&Sealed>,
    now: Timestamp,
) -> Item {
    let mut item = before.clone();
    item.retain(|name, _| !name.starts_with(PASSKEY) && !OF_ONE_USER.contains(&name.as_str()));
    item.extend([
        (KEY.to_owned(), guest_key(to)),
        ("cognitoSub".to_owned(), text(to.as_str())),
        ("hasPassword".to_owned(), AttributeValue::Bool(false)),
        (UNSEEN_PASSWORD.to_owned(), AttributeValue::Bool(true)),
        ("signedOutAt".to_owned(), millis(now)),
        ("updatedAt".to_owned(), text(now.to_string())),
    ]);
    if let Some(keys) = keys {
        item.insert("authenticatorKeys".to_owned(), sealed(keys));
    }
    item
}

/// Reads the item of a guest who has a user.
pub(crate) fn read_guest(item: &Item) -> Result<Guest, Problem> {
    parse(item).ok_or_else(|| Problem::Internal(unreadable("a guest's record does not read back")))
}

/// A password that was set anew counts, whatever was there before.
fn password(item: &Item) -> UserPassword {
    if flag(item, "hasPassword") {
        UserPassword::Proven
    } else if flag(item, UNSEEN_PASSWORD) {
        UserPassword::Unseen
    } else {
        UserPassword::Absent
    }
}

fn parse(item: &Item) -> Option<Guest> {
    Some(Guest {
        guest_id: GuestId::parse(get_text(item, "guestId")?).ok()?,
        email: Email::parse(get_text(item, "email")?).ok()?,
        name: name(item)?,
        locale: locale(item),
        cognito_sub: UserSub::parse(get_text(item, "cognitoSub")?).ok()?,
        email_verified: flag(item, "emailVerified"),
        created_at: instant(item, "createdAt")?,
        updated_at: instant(item, "updatedAt")?,
        password: password(item),
        signed_out_at: get_millis(item, "signedOutAt"),
        // Only for its own sign-out: any later one ends this session too.
        kept_session: get_text(item, "keptSession")
            .filter(|_| get_number(item, "keptSessionAt") == get_number(item, "signedOutAt"))
            .and_then(|id| SessionId::parse(id).ok()),
        device_epoch: get_number(item, "deviceEpoch")
            .map_or(Ok(0), u32::try_from)
            .ok()?,
        authenticator: match get_sealed(item, "authenticatorKeys") {
            Some(sealed_keys) => Some(Authenticator {
                sealed_keys,
                last_step: TotpStep::from_number(get_number(item, "authenticatorLastStep")?),
                backup_codes: backup_codes(item)?,
            }),
            None => None,
        },
        passkeys: passkeys(item)?,
        is_leaving: item.contains_key("leavingSince"),
        factor_reset_at: get_millis(item, FACTOR_RESET),
        changing_to: address(item, CHANGING_TO)?,
        address_changed_at: get_millis(item, "addressChangedAt"),
        pending_authenticator: match get_sealed(item, "pendingAuthenticatorKeys") {
            Some(sealed_keys) => Some(PendingAuthenticator {
                sealed_keys,
                expires_at: get_millis(item, "pendingAuthenticatorUntil")?,
            }),
            None => None,
        },
    })
}

/// The attribute of a passkey in its guest's item.
pub(crate) fn passkey_attribute(id: &PasskeyId) -> String {
    format!("{PASSKEY}{id}")
}

/// A passkey as its attribute holds it.
pub(crate) fn passkey_value(passkey: &Passkey) -> AttributeValue {
    let mut members = Item::from([
        (
            "credentialId".to_owned(),
            text(passkey.credential_id.as_str()),
        ),
        ("name".to_owned(), text(passkey.name.as_str())),
        ("createdAt".to_owned(), text(passkey.created_at.to_string())),
        (
            "userVerified".to_owned(),
            AttributeValue::Bool(passkey.user_verified),
        ),
    ]);
    if let Some(at) = passkey.last_used_at {
        members.insert("lastUsedAt".to_owned(), text(at.to_string()));
    }
    if let Some(mark) = &passkey.shown_with {
        members.insert("shownWith".to_owned(), text(mark.as_str()));
    }
    AttributeValue::M(members)
}

fn passkeys(item: &Item) -> Option<Vec<Passkey>> {
    let mut passkeys = item
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(PASSKEY)?, value)))
        .map(|(id, value)| {
            let members = value.as_m().ok()?;
            Some(Passkey {
                id: id.parse().ok()?,
                credential_id: get_text(members, "credentialId")?.parse().ok()?,
                name: PasskeyName::parse(get_text(members, "name")?).ok()?,
                created_at: instant(members, "createdAt")?,
                last_used_at: instant(members, "lastUsedAt"),
                user_verified: flag(members, "userVerified"),
                shown_with: get_text(members, "shownWith").map(AuthenticatorMark::stored),
            })
        })
        .collect::<Option<Vec<Passkey>>>()?;
    passkeys.sort_by(|one, other| {
        (one.created_at, one.id.as_str()).cmp(&(other.created_at, other.id.as_str()))
    });
    Some(passkeys)
}

fn flag(item: &Item, attribute: &str) -> bool {
    item.get(attribute)
        .and_then(|flag| flag.as_bool().ok())
        .copied()
        .unwrap_or(false)
}

fn instant(item: &Item, attribute: &str) -> Option<Timestamp> {
    get_text(item, attribute).and_then(Timestamp::from_rfc3339)
}

/// The outer `None` means a stored name that does not parse.
#[expect(
    clippy::option_option,
    reason = "an item without a name is whole, and one with a broken name is not"
)]
fn name(item: &Item) -> Option<Option<GuestName>> {
    get_text(item, "name")
        .map(GuestName::parse)
        .transpose()
        .ok()
}

/// A text of a team's own that is no tag counts as none.
fn locale(item: &Item) -> Option<Locale> {
    get_text(item, LOCALE).and_then(Locale::parse)
}

/// The outer `None` is an address that does not read back.
#[expect(
    clippy::option_option,
    reason = "an item without a second address is whole, and one with a broken address is not"
)]
fn address(item: &Item, attribute: &str) -> Option<Option<Email>> {
    get_text(item, attribute).map(Email::parse).transpose().ok()
}

/// DynamoDB stores no empty sets: after the last code, there is no attribute.
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
