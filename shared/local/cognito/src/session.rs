//! Challenge sessions: the caller's handle between two steps of a sign-in, and its stored record.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use local_kit::{Millis, Random};
use ring::digest::{SHA256, digest};
use ring::hmac;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::refusal::{Exception, Refusal};
use crate::srp::Exchange;
use crate::totp::SoftwareToken;

/// Every session of the real service begins with these letters.
const PREFIX: &str = "AYABe";

/// Makes a session 1,543 characters long, as measured on the real service: columns and cookies
/// shall be held to it.
const BYTES: usize = 1_153;

const TAG_BYTES: usize = 32;

/// The form of the API that a sign-in uses: the two do not mix.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Door {
    Public,
    Admin,
}

/// The next step of a sign-in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Step {
    SelectChallenge {
        available: Vec<String>,
    },
    /// The hash of the mailed code. A simulated challenge has one too, whose code was sent to no
    /// one.
    EmailOtp {
        code: Vec<u8>,
    },
    Password,
    /// The ceremony and its relying party. `None` if the sign-in is simulated.
    WebAuthn {
        relying_party: String,
        ceremony: Option<Vec<u8>>,
    },
    PasswordSrp,
    /// The proof of this exchange.
    PasswordVerifier {
        exchange: Box<Exchange>,
    },
    NewPasswordRequired,
    SoftwareTokenMfa,
    /// The hash of the code that was mailed as second factor.
    EmailMfa {
        code: Vec<u8>,
    },
    SelectMfaType,
    MfaSetup {
        token: Option<SoftwareToken>,
    },
    /// `SignUp`'s session, for `ConfirmSignUp`.
    SignedUp,
    /// `ConfirmSignUp`'s session, for `InitiateAuth`.
    Confirmed,
}

impl Step {
    pub(crate) const fn challenge(&self) -> &'static str {
        match self {
            Self::SelectChallenge { .. } => "SELECT_CHALLENGE",
            Self::EmailOtp { .. } | Self::EmailMfa { .. } => "EMAIL_OTP",
            Self::Password => "PASSWORD",
            Self::WebAuthn { .. } => "WEB_AUTHN",
            Self::PasswordSrp => "PASSWORD_SRP",
            Self::PasswordVerifier { .. } => "PASSWORD_VERIFIER",
            Self::NewPasswordRequired => "NEW_PASSWORD_REQUIRED",
            Self::SoftwareTokenMfa => "SOFTWARE_TOKEN_MFA",
            Self::SelectMfaType => "SELECT_MFA_TYPE",
            Self::MfaSetup { .. } => "MFA_SETUP",
            Self::SignedUp | Self::Confirmed => "",
        }
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) pool: String,
    pub(crate) client: String,
    pub(crate) door: Door,
    /// The person's input.
    pub(crate) typed: String,
    /// `None`: the name is unknown, and the sign-in is simulated.
    pub(crate) username: Option<String>,
    pub(crate) step: Step,
    pub(crate) expires: Millis,
}

/// A valid session.
pub(crate) struct Found {
    pub(crate) session: Session,
    key: Vec<u8>,
}

impl Session {
    /// Keeps the session and returns the text that the caller gets.
    pub(crate) fn save(
        &self,
        connection: &Connection,
        authenticator: &[u8; 32],
        random: &Random,
    ) -> Result<String, Refusal> {
        let mut raw = local_kit::bytes::<BYTES>(random);
        raw[..8].copy_from_slice(&self.expires.to_be_bytes());
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, authenticator),
            &raw[..BYTES - TAG_BYTES],
        );
        raw[BYTES - TAG_BYTES..].copy_from_slice(tag.as_ref());
        connection
            .prepare_cached(
                "INSERT INTO sessions (key, pool, username, expires, document) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                key_of(&raw),
                self.pool,
                self.username,
                self.expires,
                serde_json::to_string(self)?
            ])?;
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(raw)))
    }

    /// The session of a text, if it is this pool's, in time and unused.
    ///
    /// The text itself contains its authenticated end, so an old session is reported as expired
    /// even after its record is deleted.
    pub(crate) fn find(
        connection: &Connection,
        authenticator: &[u8; 32],
        text: &str,
        now: Millis,
    ) -> Result<Found, Refusal> {
        let raw = text
            .strip_prefix(PREFIX)
            .and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok())
            .filter(|raw| raw.len() == BYTES)
            .ok_or_else(Self::invalid)?;
        let (signed, tag) = raw.split_at(BYTES - TAG_BYTES);
        hmac::verify(
            &hmac::Key::new(hmac::HMAC_SHA256, authenticator),
            signed,
            tag,
        )
        .map_err(|_| Self::invalid())?;
        let (expires, _) = signed.split_first_chunk().ok_or_else(Self::invalid)?;
        if now >= Millis::from_be_bytes(*expires) {
            return Err(Refusal::not_authorized(
                "Invalid session for the user, session is expired.",
            ));
        }
        let key = key_of(&raw);
        let (used, document): (bool, String) = connection
            .prepare_cached("SELECT used, document FROM sessions WHERE key = ?1")?
            .query_row([&key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .ok_or_else(Self::invalid)?;
        if used {
            return Err(Refusal::not_authorized(
                "Invalid session for the user, session can only be used once.",
            ));
        }
        Ok(Found {
            session: serde_json::from_str(&document)?,
            key,
        })
    }

    /// `SECRET_BLOCK`: the session again, as base64, for clients that return nothing else.
    pub(crate) fn secret_block(text: &str) -> String {
        text.strip_prefix(PREFIX)
            .and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok())
            .map(|raw| STANDARD.encode(raw))
            .unwrap_or_default()
    }

    /// The session in a secret block.
    pub(crate) fn of_secret_block(block: &str) -> Option<String> {
        let raw = STANDARD.decode(block).ok()?;
        Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(raw)))
    }

    pub(crate) fn invalid() -> Refusal {
        Refusal::not_authorized("Invalid session for the user.")
    }
}

impl Found {
    /// Uses the session up. To be called in the transaction that found it.
    pub(crate) fn consume(&self, connection: &Connection) -> Result<(), Refusal> {
        connection
            .prepare_cached("UPDATE sessions SET used = 1 WHERE key = ?1")?
            .execute([&self.key])?;
        Ok(())
    }
}

/// Invalidates a user's earlier mailed codes.
pub(crate) fn supersede_codes(
    connection: &Connection,
    pool: &str,
    username: &str,
) -> Result<(), Refusal> {
    connection
        .prepare_cached(
            "UPDATE sessions SET document = json_set(document, '$.step.EmailOtp.code', json('[]'))
             WHERE pool = ?1 AND username = ?2 AND used = 0
             AND json_extract(document, '$.step.EmailOtp') IS NOT NULL",
        )?
        .execute(params![pool, username])?;
    Ok(())
}

fn key_of(raw: &[u8]) -> Vec<u8> {
    digest(&SHA256, raw).as_ref().to_vec()
}

/// The stored form of a code. Codes are short, so this protects them from a glance but not from a
/// search.
pub(crate) fn hashed(code: &str) -> Vec<u8> {
    digest(&SHA256, code.as_bytes()).as_ref().to_vec()
}

/// Compares in a time that does not depend on the position of a difference.
pub(crate) fn is_code(code: &str, kept: &[u8]) -> bool {
    hashed(code).as_slice().ct_eq(kept).into()
}

/// The purpose of a mailed code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    SignUp,
    ForgotPassword,
    VerifyEmail,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::ForgotPassword => "forgot_password",
            Self::VerifyEmail => "verify_email",
        }
    }

    /// The developer guide: a day for confirmations, an hour for a reset.
    const fn validity(self) -> Millis {
        match self {
            Self::SignUp | Self::VerifyEmail => 86_400_000,
            Self::ForgotPassword => 3_600_000,
        }
    }

    /// Stores a new code of six digits in place of the previous one.
    ///
    /// `name` is the user name, or the typed name if no user has it: a simulated request leaves the
    /// same trace.
    pub(crate) fn issue(
        self,
        connection: &Connection,
        pool: &str,
        name: &str,
        random: &Random,
        now: Millis,
    ) -> Result<String, Refusal> {
        let code = local_kit::digits(random, 6);
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO codes (pool, username, purpose, key, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                pool,
                name,
                self.name(),
                hashed(&code),
                now + self.validity()
            ])?;
        Ok(code)
    }

    /// Looks at a code; a right one is used up.
    pub(crate) fn redeem(
        self,
        connection: &Connection,
        pool: &str,
        name: &str,
        code: &str,
        now: Millis,
    ) -> Result<(), Refusal> {
        let kept: Option<(Vec<u8>, Millis)> = connection
            .prepare_cached(
                "SELECT key, expires FROM codes WHERE pool = ?1 AND username = ?2 AND purpose = ?3",
            )?
            .query_row(params![pool, name, self.name()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((key, expires)) = kept else {
            return Err(Refusal::expired_verification_code());
        };
        if now >= expires {
            return Err(Refusal::expired_verification_code());
        }
        if !is_code(code, &key) {
            return Err(Refusal::wrong_verification_code());
        }
        connection
            .prepare_cached("DELETE FROM codes WHERE pool = ?1 AND username = ?2 AND purpose = ?3")?
            .execute(params![pool, name, self.name()])?;
        Ok(())
    }
}

/// The answer to a wrong sign-in code, to a simulated challenge too.
pub(crate) fn wrong_sign_in_code() -> Refusal {
    Refusal::new(
        Exception::CodeMismatch,
        "Invalid code or auth state for the user.",
    )
}
