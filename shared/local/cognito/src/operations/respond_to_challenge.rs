//! `RespondToAuthChallenge` and `AdminRespondToAuthChallenge`: the next step of a sign-in.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use super::completion::complete;
use super::email_code::{pretend_code, send_code};
use super::passkey_challenge;
use super::password_proof::{Proof, begin_srp, prove};
use super::second_factor::{after_first_factor, second_factor_or_tokens};
use crate::attribute::{Attribute, check_attributes};
use crate::password::NewPassword;
use crate::place::{Context, Place};
use crate::refusal::Refusal;
use crate::service::{Service, check_secret_hash};
use crate::session::{self, Door, Found, Session, Step};
use crate::srp::{Claim, Exchange, Identity};
use crate::tokens::Reason;
use crate::trigger::Metadata;
use crate::user::{User, UserStatus};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    user_pool_id: Option<String>,
    client_id: String,
    challenge_name: String,
    session: Option<String>,
    #[serde(default)]
    challenge_responses: HashMap<String, String>,
    pub(super) client_metadata: Option<Metadata>,
    context_data: Option<Context>,
    user_context_data: Option<Context>,
}

impl Input {
    fn context(&self) -> Option<&Context> {
        self.context_data
            .as_ref()
            .or(self.user_context_data.as_ref())
    }

    pub(super) fn response(&self, name: &str) -> Result<&str, Refusal> {
        self.challenge_responses
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Refusal::missing_parameter(name))
    }

    /// The session, which the proof of SRP may leave out: its secret block says which one it is.
    fn session_text(&self) -> Result<String, Refusal> {
        match &self.session {
            Some(session) => Ok(session.clone()),
            None if self.challenge_name == "PASSWORD_VERIFIER" => {
                let block = self.response("PASSWORD_CLAIM_SECRET_BLOCK")?;
                Session::of_secret_block(block).ok_or_else(Session::invalid)
            }
            None => Err(Refusal::missing_parameter("Session")),
        }
    }
}

/// The form of a proof's time: `EEE MMM d HH:mm:ss z yyyy`, English. Its age is not checked: the
/// session has its own end.
static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the pattern stands here, and every sign-in by SRP reads it"
    )]
    Regex::new(
        r"\A(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{1,2} [0-9]{2}:[0-9]{2}:[0-9]{2} [A-Z]{1,5} [0-9]{4}\z",
    )
    .expect("the pattern is a regular expression")
});

/// One answer and its context.
pub(super) struct Answer<'a> {
    pub(super) service: &'a Service,
    pub(super) place: &'a Place,
    pub(super) input: &'a Input,
    /// The person's input this time.
    pub(super) typed: &'a str,
    pub(super) text: &'a str,
    /// `None` if the sign-in is simulated.
    user: Option<User>,
    session: Session,
}

pub(super) async fn respond(
    service: &Service,
    door: Door,
    input: &Input,
) -> Result<Value, Refusal> {
    let place = Place::find(
        service,
        door,
        input.user_pool_id.as_deref(),
        &input.client_id,
    )?;
    let answerable = [
        "SELECT_CHALLENGE",
        "EMAIL_OTP",
        "PASSWORD",
        "PASSWORD_SRP",
        "PASSWORD_VERIFIER",
        "NEW_PASSWORD_REQUIRED",
        "SOFTWARE_TOKEN_MFA",
        "MFA_SETUP",
        "SELECT_MFA_TYPE",
        "WEB_AUTHN",
    ];
    if !answerable.contains(&input.challenge_name.as_str()) {
        return Err(Refusal::unsupported(&format!(
            "the challenge {}",
            input.challenge_name
        )));
    }
    let typed = input.response("USERNAME")?;
    let text = input.session_text()?;
    let text = text.as_str();
    let now = service.now();
    let (session, user, named) = service.store.read(|connection| {
        let found = Session::find(connection, &service.session_key, text, now)?;
        let user = match &found.session.username {
            Some(username) => Some(User::find(connection, &place.pool, username)?),
            None => None,
        };
        let named = User::look_for(connection, &place.pool, typed)?;
        Ok((found.session, user, named))
    })?;
    let secret_hash = input.challenge_responses.get("SECRET_HASH");
    check_secret_hash(
        &place.client,
        secret_hash.map(String::as_str),
        typed,
        user.as_ref(),
    )?;
    let same_person = if let Some(user) = &user {
        named.is_some_and(|named| named.username == user.username)
    } else {
        let folded = place.pool.settings.folded(typed);
        let stands_for_nobody = matches!(&session.step,
            Step::PasswordVerifier { exchange } if exchange.identity.user == folded);
        folded == place.pool.settings.folded(&session.typed) || stands_for_nobody
    };
    let fits = same_person
        && session.client == place.client.id
        && session.pool == place.pool.id
        && session.door == door
        && session.step.challenge() == input.challenge_name;
    if !fits {
        return Err(Session::invalid());
    }
    if user.as_ref().is_some_and(|user| !user.enabled) {
        return Err(Refusal::user_disabled());
    }
    let answer = Answer {
        service,
        place: &place,
        input,
        typed,
        text,
        user,
        session,
    };
    match answer.session.step.clone() {
        Step::SelectChallenge { available } => answer.select(&available).await,
        Step::EmailOtp { .. } => answer.email_code().await,
        Step::Password => answer.password().await,
        Step::WebAuthn {
            relying_party,
            ceremony,
        } => answer.web_authn(&relying_party, ceremony.as_deref()).await,
        Step::PasswordSrp => answer.password_srp().await,
        Step::PasswordVerifier { exchange } => answer.password_verifier(exchange).await,
        Step::NewPasswordRequired => answer.new_password().await,
        Step::SoftwareTokenMfa => answer.software_token().await,
        Step::EmailMfa { .. } => answer.email_mfa().await,
        Step::SelectMfaType => answer.select_mfa_type().await,
        Step::MfaSetup { .. } => answer.mfa_setup().await,
        Step::SignedUp | Step::Confirmed => Err(Session::invalid()),
    }
}

impl Answer<'_> {
    /// Decides in one transaction which request uses the session up, and applies its change.
    ///
    /// An error of `change` rolls everything back: the session stays usable.
    pub(super) fn consume<T>(
        &self,
        change: impl FnOnce(&rusqlite::Transaction<'_>, &Found) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let now = self.service.now();
        self.service.store.change(now, |transaction| {
            let found = Session::find(transaction, &self.service.session_key, self.text, now)?;
            let outcome = change(transaction, &found)?;
            found.consume(transaction)?;
            Ok(outcome)
        })
    }

    pub(super) fn known(&self) -> Result<&User, Refusal> {
        self.user.as_ref().ok_or_else(Session::invalid)
    }

    async fn select(&self, available: &[String]) -> Result<Value, Refusal> {
        let choice = self.input.response("ANSWER")?;
        if !available.iter().any(|name| name == choice) {
            return Err(Refusal::invalid(format!(
                "{choice} is not one of the available challenges"
            )));
        }
        match choice {
            "EMAIL_OTP" => {
                self.consume(|_, _| Ok(()))?;
                let context = self.input.context();
                match &self.user {
                    Some(user) => {
                        let metadata = self.input.client_metadata.as_ref();
                        send_code(
                            self.service,
                            self.place,
                            self.typed,
                            user,
                            context,
                            metadata,
                        )
                        .await
                    }
                    None => pretend_code(self.service, self.place, self.typed, context),
                }
            }
            "WEB_AUTHN" => {
                self.consume(|_, _| Ok(()))?;
                passkey_challenge::ask(self.service, self.place, self.typed, self.user.as_ref())
            }
            "PASSWORD" if self.input.response("PASSWORD").is_ok() => self.password().await,
            "PASSWORD" => self.ask_for(Step::Password),
            _ if self.input.response("SRP_A").is_ok() => self.password_srp().await,
            _ => self.ask_for(Step::PasswordSrp),
        }
    }

    /// Continues with a challenge without parameters.
    fn ask_for(&self, step: Step) -> Result<Value, Refusal> {
        self.consume(|_, _| Ok(()))?;
        let name = step.challenge();
        let username = self.user.as_ref().map(|user| user.username.as_str());
        let session = self
            .place
            .open_session(self.service, self.typed, username, step)?;
        Ok(json!({
            "ChallengeName": name,
            "ChallengeParameters": {},
            "Session": session,
        }))
    }

    async fn password_srp(&self) -> Result<Value, Refusal> {
        let client_public = self.input.response("SRP_A")?;
        let begun = begin_srp(
            self.service,
            self.place,
            self.typed,
            self.user.as_ref(),
            client_public,
        )
        .await?;
        self.consume(|_, _| Ok(()))?;
        Ok(begun)
    }

    /// An exchange takes one proof, right or wrong.
    async fn password_verifier(&self, exchange: Box<Exchange>) -> Result<Value, Refusal> {
        let block = self.input.response("PASSWORD_CLAIM_SECRET_BLOCK")?;
        let signature = self.input.response("PASSWORD_CLAIM_SIGNATURE")?;
        let timestamp = self.input.response("TIMESTAMP")?;
        if !TIMESTAMP.is_match(timestamp) {
            return Err(Refusal::invalid(
                "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.",
            ));
        }
        if Session::of_secret_block(block).as_deref() != Some(self.text) {
            return Err(Refusal::incorrect_username_or_password());
        }
        self.consume(|_, _| Ok(()))?;
        let proof = Proof::Srp(exchange, Claim::new(block, timestamp, signature));
        let user = prove(self.service, self.place, self.user.as_ref(), proof).await?;
        self.after_password(&user).await
    }

    async fn after_password(&self, user: &User) -> Result<Value, Refusal> {
        after_first_factor(
            self.service,
            self.place,
            self.typed,
            user,
            self.input.client_metadata.as_ref(),
        )
        .await
    }

    /// A right code uses the session up and verifies the address, in one step. A wrong one changes
    /// nothing.
    async fn email_code(&self) -> Result<Value, Refusal> {
        let code = self.input.response("EMAIL_OTP_CODE")?;
        let now = self.service.now();
        let user = self.consume(|transaction, found| {
            let Step::EmailOtp { code: kept } = &found.session.step else {
                return Err(Session::invalid());
            };
            let right = session::is_code(code, kept);
            let Some(username) = found.session.username.as_deref().filter(|_| right) else {
                return Err(session::wrong_sign_in_code());
            };
            let mut user = User::find(transaction, &self.place.pool, username)?;
            if !user.enabled {
                return Err(Refusal::user_disabled());
            }
            if !user.email_verified() || user.status == UserStatus::Unconfirmed {
                user.email_was_proved();
                user.save(transaction, &self.place.pool, now, false)?;
            }
            Ok(user)
        })?;
        complete(
            self.service,
            self.place,
            &user,
            Reason::SignIn,
            self.input.client_metadata.as_ref(),
        )
        .await
    }

    async fn password(&self) -> Result<Value, Refusal> {
        let password = self.input.response("PASSWORD")?;
        let proof = Proof::Password(password);
        let user = prove(self.service, self.place, self.user.as_ref(), proof).await?;
        self.consume(|_, _| Ok(()))?;
        self.after_password(&user).await
    }

    async fn new_password(&self) -> Result<Value, Refusal> {
        let new = self.input.response("NEW_PASSWORD")?;
        let policy = &self.place.pool.settings.policies.password_policy;
        policy.check(new)?;
        let user = self.known()?;
        policy.check_history(user, new).await?;
        let written = self.required_attributes(user)?;
        let identity = Identity::new(&self.place.pool.id, &user.username);
        let kept = NewPassword::of(new, identity, self.service.random()).await?;
        let now = self.service.now();
        let user = self.consume(|transaction, _| {
            let mut user = User::find(transaction, &self.place.pool, &user.username)?;
            user.take_password(kept, policy);
            user.temporary_until = None;
            user.status = UserStatus::Confirmed;
            user.write(&written);
            user.save(transaction, &self.place.pool, now, false)?;
            Ok(user)
        })?;
        second_factor_or_tokens(
            self.service,
            self.place,
            self.typed,
            &user,
            Reason::NewPassword,
            self.input.client_metadata.as_ref(),
        )
        .await
    }

    /// The `userAttributes.…` of a new password's answer: exactly those that the schema requires
    /// and the user lacks.
    fn required_attributes(&self, user: &User) -> Result<Vec<Attribute>, Refusal> {
        let settings = &self.place.pool.settings;
        let missing = user.missing_attributes(settings);
        let mut written = Vec::new();
        for (name, value) in &self.input.challenge_responses {
            let Some(name) = name.strip_prefix("userAttributes.") else {
                continue;
            };
            if user.attributes.contains_key(name) {
                return Err(Refusal::invalid(format!(
                    "Cannot modify an already provided {name}"
                )));
            }
            if !missing.contains(&name) {
                return Err(Refusal::invalid(format!(
                    "Invalid attributes given, {name} is not required"
                )));
            }
            written.push(Attribute {
                name: name.to_owned(),
                value: value.clone(),
            });
        }
        let given = |name: &str| {
            written
                .iter()
                .any(|attribute: &Attribute| attribute.name == name && !attribute.value.is_empty())
        };
        if let Some(name) = missing.into_iter().find(|name| !given(name)) {
            return Err(Refusal::invalid(format!(
                "Invalid attributes given, {name} is missing"
            )));
        }
        check_attributes(&settings.schema, &written)?;
        Ok(written)
    }

    /// The session is the one that `VerifySoftwareToken` gave back.
    async fn mfa_setup(&self) -> Result<Value, Refusal> {
        let username = &self.known()?.username;
        let user = self.consume(|transaction, found| {
            let Step::MfaSetup { token: Some(token) } = &found.session.step else {
                return Err(Session::invalid());
            };
            if !token.verified {
                return Err(Session::invalid());
            }
            let mut user = User::find(transaction, &self.place.pool, username)?;
            user.software_token = Some(token.clone());
            user.save_quietly(transaction, &self.place.pool)?;
            Ok(user)
        })?;
        complete(
            self.service,
            self.place,
            &user,
            Reason::SignIn,
            self.input.client_metadata.as_ref(),
        )
        .await
    }
}
