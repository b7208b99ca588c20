//! Proofs of a password: the password itself, or SRP.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::password;
use crate::place::Place;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::session::{Session, Step};
use crate::srp::{Claim, Exchange, Identity, Verifier};
use crate::user::{Failures, User, UserStatus};

/// The first message of SRP. For an unknown name, and for a user without a password, the salt and
/// the user's name are made up, the same ones every time. The other values are made up too, and no
/// proof fits them.
pub(super) async fn begin_srp(
    service: &Service,
    place: &Place,
    typed: &str,
    user: Option<&User>,
    client_public: &str,
) -> Result<Value, Refusal> {
    let username = user.map_or_else(
        || {
            let folded = place.pool.settings.folded(typed);
            service.simulated_name(&place.pool.id, &folded)
        },
        |user| user.username.clone(),
    );
    let identity = Identity::new(&place.pool.id, &username);
    let kept = user.and_then(|user| user.srp.clone());
    let session_key = service.session_key;
    let client_public = client_public.to_owned();
    let random = Arc::clone(service.random());
    let exchange = password::blocking(move || {
        // Made for every request, so that the time reveals nothing.
        let simulated = Verifier::simulated(&identity, &session_key);
        let verifier = kept.unwrap_or(simulated);
        Exchange::begin(identity, verifier, &client_public, &random)
    })
    .await??;
    let mut parameters = json!({
        "SALT": exchange.salt(),
        "SRP_B": exchange.server_public(),
        "USERNAME": username,
        "USER_ID_FOR_SRP": username,
    });
    let step = Step::PasswordVerifier {
        exchange: Box::new(exchange),
    };
    let session = place.open_session(
        service,
        typed,
        user.map(|user| user.username.as_str()),
        step,
    )?;
    parameters["SECRET_BLOCK"] = json!(Session::secret_block(&session));
    Ok(json!({
        "ChallengeName": "PASSWORD_VERIFIER",
        "ChallengeParameters": parameters,
        "Session": session,
    }))
}

/// Proof of knowing the password.
pub(super) enum Proof<'a> {
    Password(&'a str),
    Srp(Box<Exchange>, Claim),
}

impl Proof<'_> {
    /// Does the same work for `None`, and finds it wrong.
    async fn is_right(&self, user: Option<&User>) -> Result<bool, Refusal> {
        match self {
            Self::Password(password) => {
                let kept = user.and_then(|user| user.password.as_deref());
                password::matches(password, kept).await
            }
            Self::Srp(exchange, claim) => {
                // A password that was changed after the exchange began no longer proves anything.
                let current = user.and_then(|user| user.srp.as_ref()) == Some(&exchange.verifier);
                let (exchange, claim) = (exchange.clone(), claim.clone());
                Ok(password::blocking(move || exchange.is_proved_by(&claim)).await? && current)
            }
        }
    }
}

/// Checks a proof of the password, and returns the user's present record.
///
/// `None` is an unknown name: the same work, and the answer to a wrong password.
pub(super) async fn prove(
    service: &Service,
    place: &Place,
    user: Option<&User>,
    proof: Proof<'_>,
) -> Result<User, Refusal> {
    let Some(user) = user else {
        proof.is_right(None).await?;
        return Err(Refusal::incorrect_username_or_password());
    };
    prove_in_turn(service, place, &user.username, proof).await
}

/// Checks a password. Checks of one user run one after another, and wrong passwords lead to the
/// lock.
async fn prove_in_turn(
    service: &Service,
    place: &Place,
    username: &str,
    proof: Proof<'_>,
) -> Result<User, Refusal> {
    let _turn = service.password_turn(&place.pool.id, username).await;
    let user = service
        .store
        .read(|connection| User::find(connection, &place.pool, username))?;
    let hides = place.client.settings.hides_unknown_users();
    if !user.enabled && !hides {
        return Err(Refusal::user_disabled());
    }
    match user.status {
        UserStatus::Unconfirmed => {
            return Err(Refusal::new(
                Exception::UserNotConfirmed,
                "User is not confirmed.",
            ));
        }
        UserStatus::ResetRequired => {
            return Err(Refusal::new(
                Exception::PasswordResetRequired,
                "Password reset required for the user",
            ));
        }
        UserStatus::Confirmed | UserStatus::ForceChangePassword => {}
    }
    if user.failures.locked(service.now()) {
        return Err(Refusal::attempts_exceeded());
    }
    let right = proof.is_right(Some(&user)).await?;
    let late_verifier = match proof {
        Proof::Password(password) if right && user.srp.is_none() => {
            let identity = Identity::new(&place.pool.id, username);
            let (password, random) = (password.to_owned(), Arc::clone(service.random()));
            let make = move || Verifier::fresh(&identity, &password, &random);
            Some(password::blocking(make).await?)
        }
        Proof::Password(_) | Proof::Srp(..) => None,
    };
    let before = user;
    let now = service.now();
    let user = service.store.change(now, |transaction| {
        let mut user = User::find(transaction, &place.pool, username)?;
        if right {
            let unchanged = user.password == before.password;
            let late_verifier = late_verifier.filter(|_| unchanged);
            if user.failures.count != 0 || late_verifier.is_some() {
                user.failures = Failures::default();
                user.srp = late_verifier.or(user.srp);
                user.save_quietly(transaction, &place.pool)?;
            }
        } else {
            user.failures.count(now);
            user.save_quietly(transaction, &place.pool)?;
        }
        Ok(user)
    })?;
    if !right {
        return Err(Refusal::incorrect_username_or_password());
    }
    if !user.enabled {
        return Err(Refusal::user_disabled());
    }
    if user.status == UserStatus::ForceChangePassword
        && user.temporary_until.is_some_and(|end| now >= end)
    {
        return Err(Refusal::not_authorized(
            "Temporary password has expired and must be reset by an administrator.",
        ));
    }
    Ok(user)
}
