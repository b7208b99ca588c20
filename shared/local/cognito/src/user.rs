//! Users: found by the text that people type, stored, and shown.

use std::collections::BTreeMap;
use std::fmt;

use local_kit::{Millis, Random, seconds};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::attribute::{Attribute, is_email};
use crate::passkey::{Begun, Passkey};
use crate::password::NewPassword;
use crate::pool::{MfaConfiguration, PasswordPolicy, Pool, PoolSettings};
use crate::refusal::{Exception, Refusal};
use crate::second_factor::SecondFactor;
use crate::srp::Verifier;
use crate::totp::SoftwareToken;

/// A stored user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) username: String,
    pub(crate) sub: String,
    /// All attributes but `sub`.
    pub(crate) attributes: BTreeMap<String, String>,
    /// The text of a [`PasswordHash`](crate::password_hash::PasswordHash): the pool's own, or one
    /// that an import job brought.
    pub(crate) password: Option<String>,
    /// The same password for SRP. A user who was imported with a hash, or whose password is older
    /// than this member, gets it at the next sign-in by password.
    #[serde(default)]
    pub(crate) srp: Option<Verifier>,
    /// Those of the passwords before, the newest first, as many as the pool's policy wants.
    #[serde(default)]
    pub(crate) earlier_passwords: Vec<String>,
    /// When a temporary password ends.
    pub(crate) temporary_until: Option<Millis>,
    pub(crate) status: UserStatus,
    pub(crate) enabled: bool,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    #[serde(default)]
    pub(crate) failures: Failures,
    /// Wrong second factors in a row.
    #[serde(default)]
    pub(crate) mfa_failures: Failures,
    /// Whether the email has moved to another user, who is found by it.
    #[serde(default)]
    pub(crate) email_moved: bool,
    #[serde(default)]
    pub(crate) software_token: Option<SoftwareToken>,
    /// An authenticator during its set-up. The previous one stays in force until this one has shown
    /// a right code.
    #[serde(default)]
    pub(crate) pending_software_token: Option<SoftwareToken>,
    #[serde(default)]
    pub(crate) email_mfa: MfaPreference,
    /// The oldest first.
    #[serde(default)]
    pub(crate) passkeys: Vec<Passkey>,
    /// The pending registration of a passkey. Only the newest counts.
    #[serde(default)]
    pub(crate) passkey_begun: Option<Begun>,
}

impl fmt::Debug for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("User")
    }
}

/// The user's preference for a second factor.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct MfaPreference {
    pub(crate) enabled: bool,
    pub(crate) preferred: bool,
}

/// Wrong answers in a row, and the lock that they led to.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Failures {
    pub(crate) count: u32,
    pub(crate) last: Millis,
    pub(crate) locked_until: Millis,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum UserStatus {
    Unconfirmed,
    Confirmed,
    ForceChangePassword,
    ResetRequired,
}

impl UserStatus {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
            Self::ResetRequired => "RESET_REQUIRED",
        }
    }
}

impl User {
    /// A user of `SignUp`, `AdminCreateUser` or an import. If the email is the user name, the name
    /// is a generated sub.
    pub(crate) fn new(
        random: &Random,
        pool: &Pool,
        typed: &str,
        attributes: &[Attribute],
        now: Millis,
    ) -> Result<Self, Refusal> {
        let sub = local_kit::uuid(random);
        let mut user = Self {
            username: pool.settings.folded(typed),
            sub: sub.clone(),
            attributes: attributes
                .iter()
                .filter(|attribute| !attribute.value.is_empty())
                .map(|attribute| (attribute.name.clone(), attribute.value.clone()))
                .collect(),
            password: None,
            srp: None,
            earlier_passwords: Vec::new(),
            temporary_until: None,
            status: UserStatus::Unconfirmed,
            enabled: true,
            created: now,
            modified: now,
            failures: Failures::default(),
            mfa_failures: Failures::default(),
            email_moved: false,
            software_token: None,
            pending_software_token: None,
            email_mfa: MfaPreference::default(),
            passkeys: Vec::new(),
            passkey_begun: None,
        };
        if pool.settings.email_is_username() {
            if !is_email(typed) {
                return Err(Refusal::invalid("Username should be an email."));
            }
            if user
                .email()
                .is_some_and(|email| pool.settings.folded(email) != pool.settings.folded(typed))
            {
                return Err(Refusal::invalid(
                    "Attribute email must be the same as the username.",
                ));
            }
            user.attributes
                .entry("email".to_owned())
                .or_insert_with(|| typed.to_owned());
            user.username = sub;
        } else if pool.settings.email_is_alias() && is_email(typed) {
            return Err(Refusal::invalid(
                "Username cannot be of email format, since user pool is configured for email alias.",
            ));
        }
        Ok(user)
    }

    /// The user of a typed name: a user name, a sub, or an email if the pool allows it.
    pub(crate) fn look_for(
        connection: &Connection,
        pool: &Pool,
        typed: &str,
    ) -> Result<Option<Self>, Refusal> {
        let folded = pool.settings.folded(typed);
        let document = connection
            .prepare_cached(
                "SELECT document FROM users WHERE pool = ?1 AND username = ?2
                 UNION ALL SELECT document FROM users WHERE pool = ?1 AND sub = ?2
                 UNION ALL SELECT document FROM users WHERE pool = ?1 AND username =
                     (SELECT username FROM aliases WHERE pool = ?1 AND alias = ?2)
                 LIMIT 1",
            )?
            .query_row(params![pool.id, folded], |row| row.get::<_, String>(0))
            .optional()?;
        Ok(document
            .map(|document| serde_json::from_str(&document))
            .transpose()?)
    }

    pub(crate) fn find(connection: &Connection, pool: &Pool, typed: &str) -> Result<Self, Refusal> {
        Self::look_for(connection, pool, typed)?.ok_or_else(Refusal::user_not_found)
    }

    /// Adds a user. A taken name is a `UsernameExistsException` with this message.
    pub(crate) fn insert(
        &self,
        connection: &Connection,
        pool: &Pool,
        taken: &'static str,
    ) -> Result<(), Refusal> {
        let exists = || Refusal::new(Exception::UsernameExists, taken);
        if Self::look_for(connection, pool, &self.username)?.is_some() {
            return Err(exists());
        }
        if pool.settings.email_is_username()
            && let Some(email) = self.email()
            && alias_holder(connection, pool, email)?.is_some()
        {
            return Err(exists());
        }
        connection
            .prepare_cached(
                "INSERT INTO users (pool, username, sub, document) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                pool.id,
                self.username,
                self.sub,
                serde_json::to_string(self)?
            ])?;
        self.save_aliases(connection, pool, false)
    }

    /// Writes the user back. An email that is another user's alias is an `AliasExistsException`,
    /// unless `force` takes it.
    pub(crate) fn save(
        &mut self,
        connection: &Connection,
        pool: &Pool,
        now: Millis,
        force: bool,
    ) -> Result<(), Refusal> {
        self.modified = now;
        self.save_quietly(connection, pool)?;
        self.save_aliases(connection, pool, force)
    }

    /// Writes back fields that callers do not see, such as counted failures.
    pub(crate) fn save_quietly(&self, connection: &Connection, pool: &Pool) -> Result<(), Refusal> {
        connection
            .prepare_cached("UPDATE users SET document = ?3 WHERE pool = ?1 AND username = ?2")?
            .execute(params![
                pool.id,
                self.username,
                serde_json::to_string(self)?
            ])?;
        Ok(())
    }

    fn save_aliases(
        &self,
        connection: &Connection,
        pool: &Pool,
        force: bool,
    ) -> Result<(), Refusal> {
        connection
            .prepare_cached("DELETE FROM aliases WHERE pool = ?1 AND username = ?2")?
            .execute(params![pool.id, self.username])?;
        let holds_alias = pool.settings.email_is_username()
            || (pool.settings.email_is_alias() && self.email_verified());
        let holds_alias = holds_alias && !self.email_moved;
        let Some(email) = self.email().filter(|_| holds_alias) else {
            return Ok(());
        };
        if alias_holder(connection, pool, email)?.is_some() && !force {
            return Err(Refusal::new(
                Exception::AliasExists,
                "An account with the email already exists.",
            ));
        }
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO aliases (pool, alias, username) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![pool.id, pool.settings.folded(email), self.username])?;
        Ok(())
    }

    /// Takes the email of another user, who keeps it as one that is not proved.
    pub(crate) fn take_email_over(
        &self,
        connection: &Connection,
        pool: &Pool,
        now: Millis,
    ) -> Result<(), Refusal> {
        let holder = match self.email() {
            Some(email) => Self::look_for(connection, pool, email)?,
            None => None,
        };
        let Some(mut holder) = holder.filter(|holder| holder.username != self.username) else {
            return Ok(());
        };
        holder.email_moved = true;
        holder
            .attributes
            .insert("email_verified".to_owned(), "false".to_owned());
        holder.save(connection, pool, now, false)
    }

    pub(crate) fn delete(&self, connection: &Connection, pool: &Pool) -> Result<(), Refusal> {
        for table in [
            "users", "aliases", "sessions", "sign_ins", "codes", "attempts", "hosted",
        ] {
            connection
                .prepare_cached(&format!(
                    "DELETE FROM {table} WHERE pool = ?1 AND username = ?2"
                ))?
                .execute(params![pool.id, self.username])?;
        }
        Ok(())
    }

    pub(crate) fn email(&self) -> Option<&str> {
        self.attributes.get("email").map(String::as_str)
    }

    pub(crate) fn email_verified(&self) -> bool {
        self.attributes
            .get("email_verified")
            .is_some_and(|verified| verified == "true")
    }

    /// A code proved that the email is this user's.
    pub(crate) fn email_was_proved(&mut self) {
        self.attributes
            .insert("email_verified".to_owned(), "true".to_owned());
        if self.status == UserStatus::Unconfirmed {
            self.status = UserStatus::Confirmed;
        }
    }

    /// Gives the user another password; the policy says how many of the old ones are remembered.
    pub(crate) fn take_password(&mut self, new: NewPassword, policy: &PasswordPolicy) {
        let remembered = policy.password_history_size.saturating_sub(1);
        self.earlier_passwords
            .splice(0..0, self.password.replace(new.hash));
        self.earlier_passwords.truncate(remembered);
        self.srp = Some(new.srp);
    }

    /// The attributes that the pool's schema requires and the user lacks.
    pub(crate) fn missing_attributes<'a>(&self, settings: &'a PoolSettings) -> Vec<&'a str> {
        settings
            .schema
            .iter()
            .filter(|attribute| attribute.required && attribute.name != "sub")
            .map(|attribute| attribute.name.as_str())
            .filter(|name| !self.attributes.contains_key(*name))
            .collect()
    }

    /// The first factors that choice-based sign-in offers this user, in the order of AWS's samples.
    pub(crate) fn available_challenges(&self, settings: &PoolSettings) -> Vec<&'static str> {
        let passwords = ["PASSWORD_SRP", "PASSWORD"];
        if self.status == UserStatus::ForceChangePassword
            || settings.mfa_configuration == MfaConfiguration::On
            || !self.second_factors(settings).is_empty()
        {
            return passwords.to_vec();
        }
        let mut available = Vec::new();
        if self.password.is_some() && settings.allows_factor("PASSWORD") {
            available.extend(passwords);
        }
        if self.email().is_some() && settings.allows_factor("EMAIL_OTP") {
            available.push("EMAIL_OTP");
        }
        if !self.passkeys.is_empty() && settings.allows_factor("WEB_AUTHN") {
            available.push("WEB_AUTHN");
        }
        available
    }

    /// The first factors that the user has set up, in AWS's names.
    pub(crate) fn configured_factors(&self, settings: &PoolSettings) -> Vec<&'static str> {
        let mut factors = Vec::new();
        if self.password.is_some() {
            factors.push("PASSWORD");
        }
        if self.email().is_some() && settings.allows_factor("EMAIL_OTP") {
            factors.push("EMAIL_OTP");
        }
        if !self.passkeys.is_empty() && settings.allows_factor("WEB_AUTHN") {
            factors.push("WEB_AUTHN");
        }
        factors
    }

    /// The passkeys that a relying party can ask for.
    pub(crate) fn passkeys_of<'a>(
        &'a self,
        relying_party: &'a str,
    ) -> impl Iterator<Item = &'a Passkey> {
        self.passkeys
            .iter()
            .filter(move |passkey| passkey.relying_party == relying_party)
    }

    /// The second factors that a sign-in asks this user for. If the pool requires one, a factor
    /// counts once it is set up, switched on or not.
    pub(crate) fn second_factors(&self, settings: &PoolSettings) -> Vec<SecondFactor> {
        let demanded = settings.mfa_configuration == MfaConfiguration::On;
        SecondFactor::of_pool(settings)
            .into_iter()
            .filter(|factor| match factor {
                SecondFactor::SoftwareToken => self
                    .software_token
                    .as_ref()
                    .is_some_and(|token| token.verified && (token.enabled || demanded)),
                SecondFactor::Email => {
                    self.email().is_some() && (self.email_mfa.enabled || demanded)
                }
            })
            .collect()
    }

    /// Whether the user prefers this factor.
    pub(crate) fn prefers(&self, factor: SecondFactor) -> bool {
        match factor {
            SecondFactor::SoftwareToken => self
                .software_token
                .as_ref()
                .is_some_and(|token| token.preferred),
            SecondFactor::Email => self.email_mfa.preferred,
        }
    }

    /// `[{Name, Value}]`, with `sub`.
    pub(crate) fn shown_attributes(&self) -> Vec<Value> {
        let mut shown: Vec<Value> = self
            .attributes
            .iter()
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect();
        shown.push(json!({"Name": "sub", "Value": self.sub}));
        shown
    }

    /// The shape `UserType`; `AdminGetUser` calls the attributes `UserAttributes` instead.
    pub(crate) fn shown(&self, attributes_as: &str) -> Value {
        let mut shown = json!({
            "Username": self.username,
            "Enabled": self.enabled,
            "UserStatus": self.status.name(),
            "UserCreateDate": seconds(self.created),
            "UserLastModifiedDate": seconds(self.modified),
        });
        shown[attributes_as] = json!(self.shown_attributes());
        shown
    }

    /// The attributes as triggers get them: `sub` and the status among them, all of them text.
    pub(crate) fn trigger_attributes(&self) -> BTreeMap<String, String> {
        let mut attributes = self.attributes.clone();
        attributes.insert("sub".to_owned(), self.sub.clone());
        attributes.insert(
            "cognito:user_status".to_owned(),
            self.status.name().to_owned(),
        );
        attributes
    }
}

fn alias_holder(
    connection: &Connection,
    pool: &Pool,
    email: &str,
) -> Result<Option<String>, Refusal> {
    Ok(connection
        .prepare_cached("SELECT username FROM aliases WHERE pool = ?1 AND alias = ?2")?
        .query_row(params![pool.id, pool.settings.folded(email)], |row| {
            row.get(0)
        })
        .optional()?)
}

impl User {
    /// Writes attributes; an empty value removes one. A new email is unverified unless the caller
    /// sets that too.
    pub(crate) fn write(&mut self, attributes: &[Attribute]) {
        let said_verified = attributes
            .iter()
            .any(|attribute| attribute.name == "email_verified");
        for Attribute { name, value } in attributes {
            if name == "email" && !said_verified && self.email() != Some(value) {
                self.attributes
                    .insert("email_verified".to_owned(), "false".to_owned());
            }
            if name == "email" && self.email() != Some(value) {
                self.email_moved = false;
            }
            if value.is_empty() {
                self.attributes.remove(name);
            } else {
                self.attributes.insert(name.clone(), value.clone());
            }
        }
    }
}
