//! The decision: count, make the user, mail the code, store the registration; undo it if one of
//! them fails.

use auth_aws::Address;
use auth_domain::{
    CognitoSession, Guest, GuestId, NewUser, PendingRegistration, Problem, Report, Sealed,
    SessionToken, SignIn, UserSub,
};
use auth_flows::Requester;
use auth_lambda::{Delivery, Exchange, Metric};
use tokio::join;

use crate::{Input, RegisterUser, Registered};

/// The user who will prove the address.
struct User {
    sub: UserSub,
    /// Whether this registration has made the user.
    is_new: bool,
}

impl RegisterUser {
    pub(crate) async fn register(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<Registered, Problem> {
        let (email, proof) = (&input.email, input.proof_of_work.as_ref());
        let meeting = async {
            let requester = self.requesters.meet(exchange, email, proof).await?;
            let (turn, keys) = (requester.turn(), requester.keys());
            self.starts.admit(&turn, keys).await.map(|()| requester)
        };
        let (met, known) = join!(meeting, self.guests.at(email));
        let (requester, known) = (met?, known?);
        let (attempt, now) = (requester.attempt(), requester.now());
        if is_confirmed(known.as_ref()) {
            return Err(Problem::EmailExists);
        }
        self.mails.admit(&requester, NewUser::Possible).await?;

        let session_token = SessionToken::generate(&self.randomness);
        let locale = exchange.locale();
        let (created, password) = join!(
            self.new_users.ensure(email, locale.as_ref(), attempt, now),
            self.pending_passwords.seal(&input.password, &session_token)
        );
        let user = match created? {
            Some(sub) => User { sub, is_new: true },
            None => self.user_of_before(input).await?,
        };
        let guest_id = self.guests.draw_guest_id(now);
        let begun = match password {
            Ok(password) => {
                self.begin(
                    input,
                    &requester,
                    &session_token,
                    guest_id.clone(),
                    password,
                )
                .await
            }
            Err(problem) => Err(problem),
        };
        if let Err(problem) = begun {
            if user.is_new {
                self.roll_back(&user.sub, &requester).await;
            }
            return Err(problem);
        }
        Ok(Registered {
            user: Guest {
                name: input.name.clone(),
                ..Guest::new(guest_id, input.email.clone(), user.sub, now)
            },
            session_token,
            expires_in: self.rules.lifetime.as_secs(),
            delivery: Delivery::to(&input.email),
        })
    }

    /// The user that an earlier registration or sign-in by code has left, or one of an older pool.
    async fn user_of_before(&self, input: &Input) -> Result<User, Problem> {
        let sub = self.users.holder(&input.email).await?;
        Ok(User {
            sub: sub.ok_or(Problem::contended("a user was removed meanwhile"))?,
            is_new: false,
        })
    }

    /// Mails the code, and records the registration. If Cognito offers the user a password, or
    /// sends no code, the user has an account already, for example one older than Latchkey.
    async fn begin(
        &self,
        input: &Input,
        requester: &Requester<'_>,
        session_token: &SessionToken,
        guest_id: GuestId,
        password: Sealed,
    ) -> Result<(), Problem> {
        let codes = self.codes.for_request(requester.exchange().context());
        let sending = codes.send(&input.email).await?;
        let now = requester.now();
        let session: CognitoSession = match sending.session {
            Some(session) if !sending.password_offered => session,
            Some(_) | None => return Err(Problem::EmailExists),
        };
        let sign_in = SignIn {
            registration: Some(PendingRegistration {
                guest_id,
                name: input.name.clone(),
                password,
            }),
            ..SignIn::begun(&input.email, vec![session], &self.rules, now)
        };
        self.sign_ins
            .begin(&session_token.registration_id(), &sign_in)
            .await
    }

    /// Removes the user that this registration made, unless another request has claimed the user.
    async fn roll_back(&self, sub: &UserSub, requester: &Requester<'_>) {
        let (email, attempt, now) = (requester.email(), requester.attempt(), requester.now());
        let rolled_back = self.new_users.roll_back(email, sub, attempt, now).await;
        if let Err(problem) = rolled_back {
            let report = problem.report().map(Report::chain);
            tracing::error!(
                error = report,
                "an unfinished registration could not be removed"
            );
            requester.exchange().count(Metric::RollbackFailures);
        }
    }
}

/// Whether the address has been proved, here or at the source of an import.
fn is_confirmed(address: Option<&Address>) -> bool {
    match address {
        Some(Address::Claimed(_)) => true,
        Some(Address::Waiting(waiting)) => waiting.guest.email_verified,
        None => false,
    }
}
