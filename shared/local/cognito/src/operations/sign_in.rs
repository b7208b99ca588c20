//! `InitiateAuth`, `AdminInitiateAuth` and `GetTokensFromRefreshToken`: the beginning of a sign-in,
//! and its refresh.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::completion::complete;
use super::email_code::{pretend_code, send_code};
use super::passkey_challenge;
use super::password_proof::{Proof, begin_srp, prove};
use super::second_factor::after_first_factor;
use crate::options::EarlyPassword;
use crate::place::{Context, Place};
use crate::pre_authentication::ask_pre_authentication;
use crate::refusal::Refusal;
use crate::service::{Pretence, Service, check_secret_hash, is_client_secret};
use crate::session::{Door, Session, Step};
use crate::tokens::{self, Reason};
use crate::trigger::Metadata;
use crate::user::User;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    user_pool_id: Option<String>,
    client_id: String,
    auth_flow: String,
    #[serde(default)]
    auth_parameters: HashMap<String, String>,
    client_metadata: Option<Metadata>,
    session: Option<String>,
    context_data: Option<Context>,
    user_context_data: Option<Context>,
}

impl Input {
    fn context(&self) -> Option<&Context> {
        self.context_data
            .as_ref()
            .or(self.user_context_data.as_ref())
    }

    fn parameter(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name)
            .ok_or_else(|| Refusal::missing_parameter(name))
    }

    fn optional(&self, name: &str) -> Option<&str> {
        self.auth_parameters
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Choice,
    Password,
    Srp,
    Refresh,
}

/// `InitiateAuth` and `AdminInitiateAuth`.
pub(super) async fn initiate(
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
    match flow(&place, &input.auth_flow)? {
        Flow::Refresh => refresh(service, &place, input).await,
        flow @ (Flow::Choice | Flow::Password | Flow::Srp) => {
            begin(service, &place, flow, input).await
        }
    }
}

/// The flow of this name in this form of the API, if the app client allows it.
fn flow(place: &Place, name: &str) -> Result<Flow, Refusal> {
    let settings = &place.client.settings;
    // The legacy names have none for refreshing and for SRP: such clients may do both, unless their
    // settings exclude it.
    let legacy = settings
        .explicit_auth_flows
        .iter()
        .all(|flow| !flow.starts_with("ALLOW_"));
    let not_enabled = || Refusal::invalid(format!("{name} flow not enabled for this client"));
    let allowed = |flows: &[&str], flow: Flow| {
        if flows.iter().any(|flow| settings.allows_flow(flow)) {
            Ok(flow)
        } else {
            Err(not_enabled())
        }
    };
    match (name, place.door) {
        ("USER_AUTH", _) => allowed(&["ALLOW_USER_AUTH"], Flow::Choice),
        ("USER_PASSWORD_AUTH", Door::Public) => allowed(
            &["ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"],
            Flow::Password,
        ),
        ("ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH", Door::Admin) => allowed(
            &["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"],
            Flow::Password,
        ),
        ("REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN", _) => {
            if legacy && settings.rotation_grace().is_none() {
                return Ok(Flow::Refresh);
            }
            allowed(&["ALLOW_REFRESH_TOKEN_AUTH"], Flow::Refresh)
        }
        ("USER_SRP_AUTH", _) => {
            if legacy && !settings.allows_flow("CUSTOM_AUTH_FLOW_ONLY") {
                return Ok(Flow::Srp);
            }
            allowed(&["ALLOW_USER_SRP_AUTH"], Flow::Srp)
        }
        ("CUSTOM_AUTH", _) => {
            allowed(
                &["ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY"],
                Flow::Choice,
            )?;
            Err(Refusal::unsupported("custom challenges"))
        }
        _ => Err(Refusal::invalid("Initiate Auth method not supported.")),
    }
}

/// A flow that begins with a name.
async fn begin(
    service: &Service,
    place: &Place,
    flow: Flow,
    input: &Input,
) -> Result<Value, Refusal> {
    let typed = input.parameter("USERNAME")?;
    let user = service
        .store
        .read(|connection| User::look_for(connection, &place.pool, typed))?;
    check_secret_hash(
        &place.client,
        input.optional("SECRET_HASH"),
        typed,
        user.as_ref(),
    )?;
    if user.is_none() && !place.client.settings.hides_unknown_users() {
        return Err(Refusal::user_not_found());
    }
    // A session from ConfirmSignUp replaces the factor: the code of the sign-up proved the address
    // a moment ago.
    if let (Flow::Choice, Some(text), Some(user)) = (flow, &input.session, &user) {
        return after_sign_up(service, place, user, text).await;
    }
    let metadata = input.client_metadata.as_ref();
    ask_pre_authentication(service, place, typed, user.as_ref(), metadata).await?;
    match (flow, user) {
        (Flow::Choice, Some(user)) => choose(service, place, typed, &user, input).await,
        (Flow::Choice, None) => pretend(service, place, typed, input).await,
        (Flow::Password, user) => {
            let password = input.parameter("PASSWORD")?;
            let user = prove(service, place, user.as_ref(), Proof::Password(password)).await?;
            after_first_factor(service, place, typed, &user, None).await
        }
        (Flow::Srp, user) => {
            let mut answer = begin_srp(
                service,
                place,
                typed,
                user.as_ref(),
                input.parameter("SRP_A")?,
            )
            .await?;
            // The flow is older than sessions: clients return only the secret block.
            if let Some(answer) = answer.as_object_mut() {
                answer.remove("Session");
            }
            Ok(answer)
        }
        (Flow::Refresh, _) => Err(Refusal::invalid("Initiate Auth method not supported.")),
    }
}

async fn after_sign_up(
    service: &Service,
    place: &Place,
    user: &User,
    text: &str,
) -> Result<Value, Refusal> {
    let now = service.now();
    service.store.change(now, |transaction| {
        let found = Session::find(transaction, &service.session_key, text, now)?;
        let fits = matches!(found.session.step, Step::Confirmed)
            && found.session.client == place.client.id
            && found.session.username.as_deref() == Some(&user.username);
        if !fits {
            return Err(Session::invalid());
        }
        found.consume(transaction)
    })?;
    complete(service, place, user, Reason::SignIn, None).await
}

/// Choice-based sign-in of a user.
async fn choose(
    service: &Service,
    place: &Place,
    typed: &str,
    user: &User,
    input: &Input,
) -> Result<Value, Refusal> {
    if !user.enabled {
        return Err(Refusal::user_disabled());
    }
    let available = user.available_challenges(&place.pool.settings);
    let preferred = preferred(input)?;
    let chosen = match preferred {
        Some(preferred) => available.iter().find(|name| **name == preferred).copied(),
        None => available.first().copied().filter(|_| available.len() == 1),
    };
    let chosen = chosen.or_else(|| {
        let goes_on = service.early_password() == EarlyPassword::AnotherFactor;
        let mut others = available
            .iter()
            .filter(|_| goes_on && preferred == Some("PASSWORD"));
        others.find(|name| **name == "EMAIL_OTP").copied()
    });
    match chosen {
        Some("EMAIL_OTP") => {
            let mut answer = send_code(service, place, typed, user, input.context(), None).await?;
            answer["AvailableChallenges"] = json!(available);
            Ok(answer)
        }
        Some("WEB_AUTHN") => {
            let mut answer = passkey_challenge::ask(service, place, typed, Some(user))?;
            answer["AvailableChallenges"] = json!(available);
            Ok(answer)
        }
        Some("PASSWORD") => {
            let password = input.parameter("PASSWORD")?;
            match service.early_password() {
                EarlyPassword::Taken | EarlyPassword::AnotherFactor => {
                    let user = prove(service, place, Some(user), Proof::Password(password)).await?;
                    after_first_factor(service, place, typed, &user, None).await
                }
                EarlyPassword::AskedForAgain => ask_for_password(service, place, typed, Some(user)),
                EarlyPassword::LeftToChoice => {
                    select_challenge(service, place, typed, Some(user), &available)
                }
            }
        }
        Some(_) => begin_srp(service, place, typed, Some(user), input.parameter("SRP_A")?).await,
        None => select_challenge(service, place, typed, Some(user), &available),
    }
}

fn preferred(input: &Input) -> Result<Option<&str>, Refusal> {
    let preferred = input.optional("PREFERRED_CHALLENGE");
    match preferred {
        None | Some("PASSWORD" | "PASSWORD_SRP" | "EMAIL_OTP" | "SMS_OTP" | "WEB_AUTHN") => {
            Ok(preferred)
        }
        Some(other) => Err(Refusal::invalid(format!(
            "Unsupported PREFERRED_CHALLENGE {other}"
        ))),
    }
}

/// Choice-based sign-in of an unknown name: answers of the same form, sessions of the same length,
/// and no mail.
async fn pretend(
    service: &Service,
    place: &Place,
    typed: &str,
    input: &Input,
) -> Result<Value, Refusal> {
    let settings = &place.pool.settings;
    let passwords = settings.allows_factor("PASSWORD");
    let preferred = preferred(input)?.filter(|_| passwords);
    if preferred == Some("PASSWORD") {
        let password = input.parameter("PASSWORD")?;
        match service.early_password() {
            EarlyPassword::Taken => {
                let user = prove(service, place, None, Proof::Password(password)).await?;
                return after_first_factor(service, place, typed, &user, None).await;
            }
            EarlyPassword::AskedForAgain => return ask_for_password(service, place, typed, None),
            EarlyPassword::LeftToChoice => {
                let available = ["PASSWORD_SRP", "PASSWORD"];
                return select_challenge(service, place, typed, None, &available);
            }
            EarlyPassword::AnotherFactor => (),
        }
    }
    if preferred == Some("PASSWORD_SRP") {
        return begin_srp(service, place, typed, None, input.parameter("SRP_A")?).await;
    }
    let mut all = Vec::new();
    if passwords {
        all.extend(["PASSWORD_SRP", "PASSWORD"]);
    }
    let pretence = service.pretence();
    let passkeys =
        settings.allows_factor("WEB_AUTHN") && service.relying_party(&place.pool)?.is_some();
    if pretence == Pretence::Passkey && passkeys {
        all.extend(settings.allows_factor("EMAIL_OTP").then_some("EMAIL_OTP"));
        all.push("WEB_AUTHN");
        let mut answer = passkey_challenge::ask(service, place, typed, None)?;
        answer["AvailableChallenges"] = json!(all);
        return Ok(answer);
    }
    if !settings.allows_factor("EMAIL_OTP") {
        return select_challenge(service, place, typed, None, &all);
    }
    all.push("EMAIL_OTP");
    let available = match pretence {
        Pretence::EmailOtp => vec!["EMAIL_OTP"],
        Pretence::AllFactors | Pretence::Passkey => all,
        Pretence::SelectChallenge => return select_challenge(service, place, typed, None, &all),
    };
    let mut answer = pretend_code(service, place, typed, input.context())?;
    answer["AvailableChallenges"] = json!(available);
    Ok(answer)
}

fn select_challenge(
    service: &Service,
    place: &Place,
    typed: &str,
    user: Option<&User>,
    available: &[&str],
) -> Result<Value, Refusal> {
    let step = Step::SelectChallenge {
        available: available.iter().map(|name| (*name).to_owned()).collect(),
    };
    let session = place.open_session(
        service,
        typed,
        user.map(|user| user.username.as_str()),
        step,
    )?;
    Ok(json!({
        "AvailableChallenges": available,
        "ChallengeName": "SELECT_CHALLENGE",
        "ChallengeParameters": {},
        "Session": session,
    }))
}

/// The challenge `PASSWORD`, which has no parameters.
fn ask_for_password(
    service: &Service,
    place: &Place,
    typed: &str,
    user: Option<&User>,
) -> Result<Value, Refusal> {
    let username = user.map(|user| user.username.as_str());
    let session = place.open_session(service, typed, username, Step::Password)?;
    Ok(json!({
        "ChallengeName": "PASSWORD",
        "ChallengeParameters": {},
        "Session": session,
    }))
}

/// `REFRESH_TOKEN_AUTH`: new id and access tokens, never a new refresh token.
async fn refresh(service: &Service, place: &Place, input: &Input) -> Result<Value, Refusal> {
    let token = input.parameter("REFRESH_TOKEN")?;
    let owner = tokens::owner_of(service, &place.pool, &place.client, token)?;
    check_secret_hash(
        &place.client,
        input.optional("SECRET_HASH"),
        owner.email().unwrap_or(&owner.username),
        Some(&owner),
    )?;
    let result = tokens::refresh(service, &place.pool, &place.client, token, None).await?;
    Ok(json!({"AuthenticationResult": result, "ChallengeParameters": {}}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RefreshInput {
    refresh_token: String,
    client_id: String,
    client_secret: Option<String>,
    client_metadata: Option<Metadata>,
}

/// `GetTokensFromRefreshToken`, which takes the secret itself instead of a `SECRET_HASH`.
pub(super) async fn tokens_from_refresh(
    service: &Service,
    input: &RefreshInput,
) -> Result<Value, Refusal> {
    let place = Place::find(service, Door::Public, None, &input.client_id)?;
    if !is_client_secret(&place.client, input.client_secret.as_deref()) {
        return Err(Refusal::not_authorized(if input.client_secret.is_none() {
            format!(
                "Client {} is configured with secret but secret was not received",
                place.client.id
            )
        } else {
            format!("Unable to verify secret for client {}", place.client.id)
        }));
    }
    let result = tokens::refresh(
        service,
        &place.pool,
        &place.client,
        &input.refresh_token,
        input.client_metadata.as_ref(),
    )
    .await?;
    Ok(json!({"AuthenticationResult": result}))
}
