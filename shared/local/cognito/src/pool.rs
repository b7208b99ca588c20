//! Pools: their settings in the form of the wire, the values read from them, and their storage.

use local_kit::Millis;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::attribute::SchemaAttribute;
use crate::refusal::{Exception, Refusal};
use crate::relying_party::is_relying_party;

/// The settings of a pool, in the names of `CreateUserPool`. Settings without effect in this
/// stand-in are stored and returned.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PoolSettings {
    pub(crate) pool_name: String,
    #[serde(default)]
    pub(crate) policies: Policies,
    #[serde(default)]
    pub(crate) lambda_config: LambdaConfig,
    #[serde(default)]
    pub(crate) auto_verified_attributes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) alias_attributes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) username_attributes: Vec<String>,
    #[serde(default)]
    pub(crate) mfa_configuration: MfaConfiguration,
    #[serde(default)]
    pub(crate) admin_create_user_config: AdminCreateUserConfig,
    #[serde(default)]
    pub(crate) username_configuration: UsernameConfiguration,
    #[serde(default)]
    pub(crate) user_pool_tier: Tier,
    /// Set through `SetUserPoolMfaConfig`, which is another operation with another shape.
    #[serde(default)]
    pub(crate) software_token_mfa: bool,
    /// The settings of email as second factor, and the words of every sign-in code; set in the same
    /// way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email_mfa_configuration: Option<EmailMfaConfiguration>,
    /// The settings of passkeys, if there are any; set in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) web_authn_configuration: Option<WebAuthnConfiguration>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) schema: Vec<SchemaAttribute>,
    #[serde(flatten)]
    pub(crate) shown_only: Map<String, Value>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Policies {
    #[serde(default)]
    pub(crate) password_policy: PasswordPolicy,
    #[serde(default)]
    pub(crate) sign_in_policy: SignInPolicy,
}

/// The defaults are those of a pool made through the API.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the switches are AWS's, each of its own"
)]
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PasswordPolicy {
    pub(crate) minimum_length: usize,
    pub(crate) require_uppercase: bool,
    pub(crate) require_lowercase: bool,
    pub(crate) require_numbers: bool,
    pub(crate) require_symbols: bool,
    pub(crate) temporary_password_validity_days: i64,
    /// How many passwords, the present one among them, cannot be chosen again.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) password_history_size: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that serde calls"
)]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            minimum_length: 8,
            require_uppercase: true,
            require_lowercase: true,
            require_numbers: true,
            require_symbols: true,
            temporary_password_validity_days: 7,
            password_history_size: 0,
        }
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SignInPolicy {
    #[serde(default)]
    pub(crate) allowed_first_auth_factors: Vec<String>,
}

impl Default for SignInPolicy {
    fn default() -> Self {
        Self {
            allowed_first_auth_factors: vec!["PASSWORD".to_owned()],
        }
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LambdaConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) custom_message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pre_authentication: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pre_token_generation_config: Option<PreTokenGenerationConfig>,
    #[serde(flatten)]
    pub(crate) others: Map<String, Value>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PreTokenGenerationConfig {
    pub(crate) lambda_version: String,
    pub(crate) lambda_arn: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum MfaConfiguration {
    #[default]
    Off,
    Optional,
    On,
}

/// The template of mails with sign-in codes.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EmailMfaConfiguration {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
}

/// The domain name of passkeys, and the required verification of their holder.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WebAuthnConfiguration {
    /// `None`: the name of the pool's domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) relying_party_id: Option<String>,
    #[serde(default)]
    pub(crate) user_verification: UserVerification,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) factor_configuration: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UserVerification {
    Required,
    #[default]
    Preferred,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Tier {
    Lite,
    #[default]
    Essentials,
    Plus,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AdminCreateUserConfig {
    #[serde(default)]
    pub(crate) allow_admin_create_user_only: bool,
    #[serde(flatten)]
    pub(crate) shown_only: Map<String, Value>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UsernameConfiguration {
    #[serde(default)]
    pub(crate) case_sensitive: bool,
}

impl PoolSettings {
    /// Checks the settings with effect against AWS's rules beyond the model. Refuses settings that
    /// the stand-in would otherwise only pretend to obey.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let factors = &self.policies.sign_in_policy.allowed_first_auth_factors;
        let beyond_lite = [
            (
                "Passwordless sign-in",
                factors.iter().any(|factor| factor != "PASSWORD"),
            ),
            (
                "Password history",
                self.policies.password_policy.password_history_size != 0,
            ),
            ("Email MFA", self.email_mfa_configuration.is_some()),
        ];
        if let (Tier::Lite, Some((feature, _))) = (
            self.user_pool_tier,
            beyond_lite.iter().find(|(_, wanted)| *wanted),
        ) {
            return Err(Refusal::new(
                Exception::FeatureUnavailableInTier,
                format!("{feature} needs the ESSENTIALS or the PLUS tier."),
            ));
        }
        self.check_email_mfa()?;
        self.check_passkeys()?;
        if let Some(factor) = factors
            .iter()
            .find(|factor| !matches!(factor.as_str(), "PASSWORD" | "EMAIL_OTP" | "WEB_AUTHN"))
        {
            return Err(Refusal::invalid(format!(
                "cognito-local does not offer the first factor {factor}."
            )));
        }
        if let Some(name) = self.lambda_config.others.keys().next() {
            return Err(Refusal::invalid(format!(
                "cognito-local does not call the trigger {name}."
            )));
        }
        if let Some(config) = &self.lambda_config.pre_token_generation_config
            && config.lambda_version != "V2_0"
        {
            return Err(Refusal::invalid(
                "cognito-local sends only version V2_0 of the pre token generation event.",
            ));
        }
        self.schema.iter().try_for_each(SchemaAttribute::check)?;
        if !self.username_attributes.is_empty() && !self.alias_attributes.is_empty() {
            return Err(Refusal::invalid(
                "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.",
            ));
        }
        Ok(())
    }

    /// Whether the pool mails through its own SES, rather than by Cognito's own sender.
    pub(crate) fn mails_by_ses(&self) -> bool {
        self.shown_only
            .get("EmailConfiguration")
            .is_some_and(|configuration| configuration["EmailSendingAccount"] == "DEVELOPER")
    }

    /// With codes by email as a second factor, mails must go out through the pool's own SES, and a
    /// lost password must not be recoverable by email alone: one mailbox would be both factors.
    fn check_email_mfa(&self) -> Result<(), Refusal> {
        if self.email_mfa_configuration.is_none() || self.mfa_configuration == MfaConfiguration::Off
        {
            return Ok(());
        }
        let setting = |name: &str| self.shown_only.get(name).unwrap_or(&Value::Null);
        if !self.mails_by_ses() {
            return Err(Refusal::invalid(
                "Email MFA needs an Amazon SES configuration, with DEVELOPER as EmailSendingAccount.",
            ));
        }
        let recovery = setting("AccountRecoverySetting")["RecoveryMechanisms"].as_array();
        let by_email_only = recovery.is_some_and(|mechanisms| {
            !mechanisms.is_empty()
                && mechanisms
                    .iter()
                    .all(|mechanism| mechanism["Name"] == "verified_email")
        });
        if by_email_only {
            return Err(Refusal::invalid(
                "Email MFA can not go together with account recovery by email only.",
            ));
        }
        Ok(())
    }

    /// A passkey needs another first factor beside it. Alone it does not satisfy a pool that
    /// requires a second one.
    fn check_passkeys(&self) -> Result<(), Refusal> {
        let factors = &self.policies.sign_in_policy.allowed_first_auth_factors;
        if self.allows_factor("WEB_AUTHN") {
            if factors.len() == 1 {
                return Err(Refusal::invalid(
                    "WEB_AUTHN can not be the only allowed first auth factor.",
                ));
            }
            if self.mfa_configuration == MfaConfiguration::On {
                return Err(Refusal::invalid(
                    "WEB_AUTHN as SINGLE_FACTOR can not be enabled if MFA is required.",
                ));
            }
        }
        let Some(configuration) = &self.web_authn_configuration else {
            return Ok(());
        };
        if let Some(factor) = &configuration.factor_configuration
            && factor != "SINGLE_FACTOR"
        {
            return Err(Refusal::invalid(format!(
                "cognito-local does not take passkeys as {factor}."
            )));
        }
        match &configuration.relying_party_id {
            Some(name) if !is_relying_party(name) => Err(Refusal::invalid(
                "The relying party id is not a domain name.",
            )),
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn allows_factor(&self, factor: &str) -> bool {
        self.policies
            .sign_in_policy
            .allowed_first_auth_factors
            .iter()
            .any(|allowed| allowed == factor)
    }

    pub(crate) fn user_verification(&self) -> UserVerification {
        self.web_authn_configuration
            .as_ref()
            .map(|passkeys| passkeys.user_verification)
            .unwrap_or_default()
    }

    /// People type their email instead of a user name, and the user name is generated.
    pub(crate) fn email_is_username(&self) -> bool {
        self.username_attributes.iter().any(|name| name == "email")
    }

    /// A verified email may be typed instead of the user name.
    pub(crate) fn email_is_alias(&self) -> bool {
        self.alias_attributes.iter().any(|name| name == "email")
    }

    pub(crate) fn verifies_email(&self) -> bool {
        self.auto_verified_attributes
            .iter()
            .any(|name| name == "email")
    }

    /// A typed name in the form for comparisons.
    pub(crate) fn folded(&self, typed: &str) -> String {
        if self.username_configuration.case_sensitive {
            typed.to_owned()
        } else {
            typed.to_lowercase()
        }
    }
}

/// A stored pool.
#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) id: String,
    pub(crate) settings: PoolSettings,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
}

impl Pool {
    pub(crate) fn find(connection: &Connection, id: &str) -> Result<Self, Refusal> {
        Self::look_for(connection, id)?.ok_or_else(|| Refusal::no_such_pool(id))
    }

    pub(crate) fn look_for(connection: &Connection, id: &str) -> Result<Option<Self>, Refusal> {
        connection
            .prepare_cached("SELECT id, settings, created, modified FROM pools WHERE id = ?1")?
            .query_row([id], Self::from_row)
            .optional()?
            .transpose()
    }

    pub(crate) fn named(connection: &Connection, name: &str) -> Result<Option<Self>, Refusal> {
        connection
            .prepare_cached(
                "SELECT id, settings, created, modified FROM pools WHERE name = ?1 ORDER BY created LIMIT 1",
            )?
            .query_row([name], Self::from_row)
            .optional()?
            .transpose()
    }

    pub(crate) fn after(
        connection: &Connection,
        id: &str,
        limit: i64,
    ) -> Result<Vec<Self>, Refusal> {
        connection
            .prepare_cached(
                "SELECT id, settings, created, modified FROM pools WHERE id > ?1 ORDER BY id LIMIT ?2",
            )?
            .query_map(params![id, limit], Self::from_row)?
            .map(|row| row?)
            .collect()
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<Self, Refusal>> {
        let settings = row.get_ref(1)?.as_str()?;
        Ok(serde_json::from_str(settings)
            .map_err(Refusal::from)
            .and_then(|settings| {
                Ok(Self {
                    id: row.get(0)?,
                    settings,
                    created: row.get(2)?,
                    modified: row.get(3)?,
                })
            }))
    }

    pub(crate) fn save(&self, connection: &Connection) -> Result<(), Refusal> {
        connection
            .prepare_cached(
                "UPDATE pools SET name = ?2, settings = ?3, modified = ?4 WHERE id = ?1",
            )?
            .execute(params![
                self.id,
                self.settings.pool_name,
                serde_json::to_string(&self.settings)?,
                self.modified
            ])?;
        Ok(())
    }

    pub(crate) fn arn(&self, region: &str, account: &str) -> String {
        format!(
            "arn:aws:cognito-idp:{region}:{account}:userpool/{}",
            self.id
        )
    }
}
