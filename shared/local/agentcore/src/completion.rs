//! `CompleteResourceTokenAuth`: the application identifies the person at the returning browser.
//! Only the identifier that began the session puts tokens into the vault.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::behaviour::Permission;
use crate::credential_provider::Provider;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::session::{Progress, Session, Withheld, ended, wrong_user};
use crate::user_token;
use crate::vault;
use crate::workload_token::Principal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    user_identifier: UserIdentifier,
    session_uri: String,
}

/// The model's union.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserIdentifier {
    user_id: Option<String>,
    user_token: Option<String>,
}

/// A session whose code was kept until now.
struct Claimed {
    session: Session,
    provider: Provider,
    code: String,
    verifier: String,
}

pub(crate) async fn complete(service: &Service, input: Input) -> Result<Value, Refusal> {
    let who = match (
        input.user_identifier.user_id,
        input.user_identifier.user_token,
    ) {
        (Some(id), None) => Principal::UserId(id),
        (None, Some(token)) => user_token::verify(service, &token).await?,
        (None, None) | (Some(_), Some(_)) => {
            return Err(Refusal::invalid("userIdentifier has exactly one member"));
        }
    };
    let uri = input.session_uri;
    if let Some(claimed) = claim(service, &uri, &who)? {
        exchange(service, &uri, claimed).await?;
    }
    Ok(json!({}))
}

/// Completes the session in one transaction, or claims its code if that has not been exchanged yet.
fn claim(service: &Service, uri: &str, who: &Principal) -> Result<Option<Claimed>, Refusal> {
    let behaviour = service.behaviour();
    service.store.change(service.now(), |transaction| {
        let mut session = Session::find(transaction, uri)?.ok_or_else(|| ended(service))?;
        let beginner = &session.asked.bearer.principal;
        let began = match behaviour.fresh_user_token {
            Permission::Refused => beginner == who,
            Permission::Accepted => beginner.user_key() == who.user_key(),
        };
        if !began {
            return Err(wrong_user(service));
        }
        if let Progress::Completed = session.progress
            && behaviour.second_completion == Permission::Accepted
        {
            return Ok(None);
        }
        if !session.is_live(service.now()) {
            return Err(ended(service));
        }
        match std::mem::replace(&mut session.progress, Progress::Completed) {
            Progress::Returned(Withheld::Tokens(tokens)) => {
                let asked = &session.asked;
                vault::put(transaction, &asked.key, &asked.provider, &tokens)?;
                session.keep(transaction, uri, None)?;
                Ok(None)
            }
            Progress::Returned(Withheld::Code { code, verifier }) => {
                session.progress = Progress::Exchanging;
                session.keep(transaction, uri, None)?;
                Ok(Some(Claimed {
                    provider: Provider::find(transaction, &session.asked.provider)?,
                    session,
                    code,
                    verifier,
                }))
            }
            Progress::Begun
            | Progress::Opened { .. }
            | Progress::Exchanging
            | Progress::Completed
            | Progress::Failed => Err(ended(service)),
        }
    })
}

async fn exchange(service: &Service, uri: &str, claimed: Claimed) -> Result<(), Refusal> {
    let Claimed {
        mut session,
        provider,
        code,
        verifier,
    } = claimed;
    let Ok(tokens) = session.exchange(service, &provider, &code, &verifier).await else {
        Session::move_on(service, uri, Progress::Failed)?;
        return Err(ended(service));
    };
    service.store.change(service.now(), |transaction| {
        vault::put(transaction, &session.asked.key, &provider.name, &tokens)?;
        session.progress = Progress::Completed;
        session.keep(transaction, uri, None)
    })
}
