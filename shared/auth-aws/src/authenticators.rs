//! Authenticators, in their guests' records: set up, confirmed, used, removed. Their keys are
//! sealed; every use of a code is one conditional write.

use std::collections::BTreeSet;

use auth_domain::{
    AttemptId, Authenticator, AuthenticatorKeys, BackupCodeHash, Guest, HeldSetUp, HeldSignInId,
    OtpCode, Problem, Sealed, SecondFactor, SessionId, Timestamp, TotpStep, UserSub,
};
use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{AttributeValue, builders::UpdateBuilder},
};

use crate::{
    ActivityEntry, ConfigurationError, Platform,
    failure::Undecided,
    guest_items::{FACTOR_RESET, guest_key},
    guests_table::{EXISTS, GuestsTable},
    items::{
        Item, Written, conditional_update, get_text, millis, number, sealed, text, unreadable,
    },
    sign_outs::{ending_sessions, keeping, while_it_waits},
    transactions::Write,
    vault::{Owner, Use, Vault},
};

/// The attributes of a guest's authenticator and its set-up.
pub(crate) const AUTHENTICATOR: &str = "authenticatorKeys, authenticatorLastStep, backupCodes, \
     secondFactorUsed, secondFactorUsedBy, pendingAuthenticatorKeys, pendingAuthenticatorUntil";

/// The condition that no operator's reset is due at `:millis`.
pub(crate) const NOT_LOST: &str =
    "(attribute_not_exists(factorResetAt) OR factorResetAt > :millis)";

/// The authenticators' part of the guests table, and the key that seals their secrets.
#[derive(Clone)]
pub struct Authenticators {
    table: GuestsTable,
    vault: Vault,
}

/// The outcome of a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorProof {
    /// It was right, and is used up now.
    Right {
        /// How many backup codes are left, if it was one.
        backup_codes_left: Option<usize>,
    },
    /// It was wrong, or had been used before.
    Wrong,
}

/// The sign-in or request that uses up a second factor.
#[derive(Clone, Copy, Debug)]
pub enum UsedBy<'a> {
    /// A sign-in, by any of its attempts.
    SignIn(&'a HeldSignInId),
    /// A request of a signed-in guest.
    Request(&'a AttemptId),
}

/// A set-up that its first code confirms.
#[derive(Clone)]
pub struct Confirmation<'a> {
    /// The keys that were confirmed.
    pub sealed_keys: &'a Sealed,
    /// The step of the code.
    pub step: TotpStep,
    /// The stored form of the backup codes.
    pub backup_codes: &'a BTreeSet<BackupCodeHash>,
    /// The session that continues.
    pub kept: Option<&'a SessionId>,
    /// The sign-in that waits for this set-up. Its guest must have no authenticator, and must not
    /// have ended the sign-in since.
    pub waiting: Option<&'a HeldSetUp>,
    /// The event of the operator's reset that this stops; `None` if it stops none.
    pub stopped_reset: Option<ActivityEntry>,
}

impl Authenticators {
    /// Authenticators in the table that `GUESTS_TABLE_NAME` names, sealed by the key that
    /// `KMS_KEY_ID` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            table: GuestsTable::new(platform)?,
            vault: Vault::new(platform)?,
        })
    }

    /// Checks a second factor, and uses it up if it is right. For the same sign-in it stays right:
    /// a button was pressed twice, or the first attempt failed later. The sign-in's end decides
    /// between two attempts. A right factor stops an operator's reset that waits.
    pub async fn prove(
        &self,
        sub: &UserSub,
        authenticator: &Authenticator,
        factor: &SecondFactor,
        by: UsedBy<'_>,
        now: Timestamp,
    ) -> Result<FactorProof, Undecided> {
        let sealed_keys = &authenticator.sealed_keys;
        let proof = match factor {
            SecondFactor::Code(code) => {
                let (_, step) = self.look(sealed_keys, sub, code, now).await?;
                match step {
                    Some(step) => self.accept_step(sub, sealed_keys, step, by, now).await,
                    None => Ok(FactorProof::Wrong),
                }
            }
            SecondFactor::BackupCode(code) => {
                let opened = self.open(sealed_keys, sub).await;
                let keys = opened.map_err(Undecided::before_evaluation)?;
                let hash = keys.hash(code);
                self.use_up(sub, sealed_keys, &hash, by, now).await
            }
        };
        proof.map_err(Undecided::after_evaluation)
    }

    /// The keys of an authenticator, and the step of this code; `None` for a wrong code.
    pub async fn look(
        &self,
        sealed_keys: &Sealed,
        sub: &UserSub,
        code: &OtpCode,
        now: Timestamp,
    ) -> Result<(AuthenticatorKeys, Option<TotpStep>), Undecided> {
        let opened = self.open(sealed_keys, sub).await;
        let keys = opened.map_err(Undecided::before_evaluation)?;
        let step = keys.secret().step_of(code, now);
        Ok((keys, step))
    }

    /// The keys of an authenticator, sealed for the guest's next user.
    pub async fn reseal(
        &self,
        sealed_keys: &Sealed,
        from: &UserSub,
        to: &UserSub,
    ) -> Result<Sealed, Problem> {
        let purpose = Use::Authenticator;
        let keys = self
            .vault
            .open(sealed_keys, Owner::User(from), purpose)
            .await?;
        self.vault.seal(&keys, Owner::User(to), purpose).await
    }

    /// Accepts a step once. From then on, no sign-in can use it or an earlier one, however many
    /// requests bring its code.
    async fn accept_step(
        &self,
        sub: &UserSub,
        sealed_keys: &Sealed,
        step: TotpStep,
        by: UsedBy<'_>,
        now: Timestamp,
    ) -> Result<FactorProof, Problem> {
        let used = format!("step {}", step.number());
        let write = self
            .update(sub)
            .update_expression(
                "SET authenticatorLastStep = :step, secondFactorUsed = :used, \
                 secondFactorUsedBy = :by REMOVE factorResetAt",
            )
            .condition_expression(format!(
                "authenticatorKeys = :keys AND authenticatorLastStep < :step AND {NOT_LOST}"
            ))
            .expression_attribute_values(":millis", millis(now))
            .expression_attribute_values(":keys", sealed(sealed_keys))
            .expression_attribute_values(":step", number(step.number()))
            .expression_attribute_values(":used", text(used.as_str()))
            .expression_attribute_values(":by", text(by.name()));
        let written = conditional_update(write, "accept the authenticator's code").await?;
        Ok(match by.accepted(written, &used) {
            Some(_) => FactorProof::Right {
                backup_codes_left: None,
            },
            None => FactorProof::Wrong,
        })
    }

    /// Uses up a backup code, once.
    async fn use_up(
        &self,
        sub: &UserSub,
        sealed_keys: &Sealed,
        hash: &BackupCodeHash,
        by: UsedBy<'_>,
        now: Timestamp,
    ) -> Result<FactorProof, Problem> {
        let write = self
            .update(sub)
            .update_expression(
                "DELETE backupCodes :code SET secondFactorUsed = :hash, secondFactorUsedBy = :by \
                 REMOVE factorResetAt",
            )
            .condition_expression(format!(
                "authenticatorKeys = :keys AND contains(backupCodes, :hash) AND {NOT_LOST}"
            ))
            .expression_attribute_values(":millis", millis(now))
            .expression_attribute_values(":keys", sealed(sealed_keys))
            .expression_attribute_values(":hash", text(hash.as_str()))
            .expression_attribute_values(
                ":code",
                AttributeValue::Ss(vec![hash.as_str().to_owned()]),
            )
            .expression_attribute_values(":by", text(by.name()));
        let written = conditional_update(write, "use up the backup code").await?;
        Ok(match by.accepted(written, hash.as_str()) {
            Some(item) => FactorProof::Right {
                backup_codes_left: Some(backup_codes(&item).map_or(0, <[String]>::len)),
            },
            None => FactorProof::Wrong,
        })
    }

    /// Opens an authenticator's keys. The keys of another user do not open.
    async fn open(
        &self,
        sealed_keys: &Sealed,
        sub: &UserSub,
    ) -> Result<AuthenticatorKeys, Problem> {
        let bytes = self
            .vault
            .open(sealed_keys, Owner::User(sub), Use::Authenticator)
            .await?;
        AuthenticatorKeys::from_bytes(&bytes).ok_or_else(|| {
            Problem::Internal(unreadable("an authenticator's keys do not read back"))
        })
    }

    /// Stores an authenticator for set-up, beside the one in force if there is one. A later one
    /// replaces it.
    pub async fn begin(
        &self,
        guest: &Guest,
        keys: &AuthenticatorKeys,
        until: Timestamp,
    ) -> Result<(), Problem> {
        let sub = &guest.cognito_sub;
        let sealed_keys = self
            .vault
            .seal(&keys.to_bytes(), Owner::User(sub), Use::Authenticator)
            .await?;
        let write = self
            .update(sub)
            .update_expression(
                "SET pendingAuthenticatorKeys = :keys, pendingAuthenticatorUntil = :until",
            )
            .condition_expression(EXISTS)
            .expression_attribute_values(":keys", sealed(&sealed_keys))
            .expression_attribute_values(":until", millis(until));
        match conditional_update(write, "remember the new authenticator").await? {
            Written::Made(_) => Ok(()),
            Written::Refused(_) => Err(Problem::AuthRequired),
        }
    }

    /// Puts a confirmed authenticator in force, with its backup codes, in place of the previous
    /// one, and ends every session except the kept one. It is one transaction, with `entry` in the
    /// guest's activity. `false` if the set-up is no longer the pending one, because another
    /// request has confirmed it or begun another. Also `false` if the waiting sign-in must not
    /// continue, or if an operator's reset is due.
    pub async fn confirm(
        &self,
        guest: &Guest,
        confirmation: Confirmation<'_>,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let codes: Vec<String> = confirmation
            .backup_codes
            .iter()
            .map(|hash| hash.as_str().to_owned())
            .collect();
        let set =
            ", authenticatorKeys = :keys, authenticatorLastStep = :step, backupCodes = :codes";
        let mut remove = "pendingAuthenticatorKeys, pendingAuthenticatorUntil, secondFactorUsed, \
             secondFactorUsedBy"
            .to_owned();
        if confirmation.stopped_reset.is_some() {
            remove = format!("{remove}, {FACTOR_RESET}");
        }
        let pending = format!("pendingAuthenticatorKeys = :keys AND {NOT_LOST}");
        let kept = confirmation.kept;
        let attempted = "put the authenticator in force";
        keeping(&self.table, guest, kept, now, attempted, |round| {
            let write = self
                .update_in(&guest.cognito_sub)
                .expression_attribute_values(":keys", sealed(confirmation.sealed_keys))
                .expression_attribute_values(":step", number(confirmation.step.number()))
                .expression_attribute_values(":codes", AttributeValue::Ss(codes.clone()));
            let write = match confirmation.waiting {
                Some(set_up) => {
                    let write = while_it_waits(write, &pending, set_up);
                    ending_sessions(write, set, &remove, kept, round.at)
                }
                None => round.ending_sessions(write, &pending, set, &remove),
            };
            let mut writes = vec![write.write()?, entry.clone().into_write()];
            let stopped = confirmation.stopped_reset.clone();
            writes.extend(stopped.map(ActivityEntry::into_write));
            Ok(writes)
        })
        .await
    }

    /// Removes an authenticator and its backup codes, and ends every session except `kept`, in one
    /// transaction, with `entry` in the guest's activity. A missing one counts as removed.
    pub async fn remove(
        &self,
        guest: &Guest,
        authenticator: &Authenticator,
        kept: Option<&SessionId>,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let attempted = "remove the authenticator";
        keeping(&self.table, guest, kept, now, attempted, |round| {
            let write = self
                .update_in(&guest.cognito_sub)
                .expression_attribute_values(":keys", sealed(&authenticator.sealed_keys));
            let record =
                round.ending_sessions(write, "authenticatorKeys = :keys", "", AUTHENTICATOR);
            Ok(vec![record.write()?, entry.clone().into_write()])
        })
        .await
        .map(drop)
    }

    fn update_in(&self, sub: &UserSub) -> UpdateBuilder {
        self.table.update_in(guest_key(sub))
    }

    fn update(&self, sub: &UserSub) -> UpdateItemFluentBuilder {
        self.table.update(guest_key(sub))
    }
}

impl UsedBy<'_> {
    fn name(self) -> String {
        match self {
            Self::SignIn(id) => id.to_string(),
            Self::Request(attempt) => attempt.as_str().to_owned(),
        }
    }

    /// The item after a write that used up a factor; `None` if the factor was not available. A
    /// retried write is refused: then the item names this factor and its user.
    fn accepted(self, written: Written, factor: &str) -> Option<Item> {
        match written {
            Written::Made(item) => Some(item),
            Written::Refused(item) => item.filter(|item| {
                get_text(item, "secondFactorUsed") == Some(factor)
                    && get_text(item, "secondFactorUsedBy") == Some(self.name().as_str())
            }),
        }
    }
}

fn backup_codes(item: &Item) -> Option<&[String]> {
    item.get("backupCodes")?.as_ss().ok().map(Vec::as_slice)
}
