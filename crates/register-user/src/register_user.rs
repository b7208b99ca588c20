//! The decision: count, make the user, take the address, set the password, have the code mailed; undo all of it if one of them fails.

use auth_aws::{Address, Waiting};
use auth_domain::{
    AttemptId, CognitoSession, Guest, OfferedPassword, Problem, Purpose, Report, SignIn, SignInId,
    Timestamp, UserSub, WaitingGuest,
};
use auth_flows::Requester;
use auth_lambda::{Delivery, Exchange, Metric, Operation};
use tokio::try_join;

use crate::{Input, RegisterUser, Registered};

/// How often a guest id is drawn anew because somebody has it. One in a billion is taken.
const DRAWS: usize = 3;

/// A user whom this registration may give a password to.
struct User {
    sub: UserSub,
    /// Whether this registration has made the user.
    is_new: bool,
    /// The session of a code that was mailed already.
    session: Option<CognitoSession>,
}

/// A failure, and whether the user may hold this registration's password by now.
struct Failed {
    problem: Problem,
    password_may_be_set: bool,
}

impl RegisterUser {
    pub(crate) async fn register(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<Registered, Problem> {
        let now = self.clock.now();
        let attempt = AttemptId::generate(&self.randomness);
        let (secrets, known) = try_join!(self.secrets.get(), self.guests.at(&input.email))?;
        if let Some(network) = exchange.network() {
            let subject = secrets.keys().tag(Purpose::IpAddress, &[&network]).to_hex();
            self.limits
                .admit(&self.settings.per_ip, &subject, &attempt, now, |state| {
                    exchange.rate_limit(state);
                })
                .await?;
        }
        let left_behind = match known {
            None => None,
            Some(Address::Waiting(waiting))
                if waiting.guest.registered_sub.is_some() && !waiting.guest.email_verified =>
            {
                Some(waiting)
            }
            Some(Address::Waiting(_) | Address::Claimed(_)) => return Err(Problem::EmailExists),
        };
        let requester = Requester::of(
            exchange,
            Self::NAME,
            &input.email,
            input.proof_of_work.as_ref(),
            self.settings.device_lifetime,
            secrets.keys(),
            &attempt,
            now,
        );
        self.mails.admit(&requester, left_behind.is_none()).await?;

        let created = self.codes.create_user(&input.email).await?;
        let (user, guest) = match (created, left_behind) {
            (Some(sub), left_behind) => {
                let user = User {
                    sub,
                    is_new: true,
                    session: None,
                };
                let guest = self
                    .take_address(input, &user, left_behind, now, exchange)
                    .await?;
                (user, guest)
            }
            // A registration that waits to be confirmed.
            (None, Some(_)) => return Err(Problem::EmailExists),
            (None, None) => {
                let user = self.user_without_guest(input).await?;
                let guest = self.take_address(input, &user, None, now, exchange).await?;
                (user, guest)
            }
        };
        let remembered = self.finish(input, &user, now).await;
        if let Err(Failed {
            problem,
            password_may_be_set,
        }) = remembered
        {
            self.roll_back(&guest, user.is_new || password_may_be_set, exchange)
                .await;
            return Err(problem);
        }
        exchange.count(Metric::GuestsCreated);
        Ok(Registered {
            user: Guest {
                guest_id: guest.guest_id,
                email: guest.email,
                name: guest.name,
                cognito_sub: user.sub,
                email_verified: false,
                created_at: guest.created_at,
                updated_at: now,
                has_password: true,
                password_standing: guest.password_standing,
                signed_out_at: None,
                kept_session: None,
                authenticator: None,
                pending_authenticator: None,
            },
            delivery: Delivery::to(&input.email),
        })
    }

    /// A user whom a start of a sign-in by code, or half a registration, has left. One who has a password is somebody's: of a pool that
    /// is older than Latchkey, say.
    async fn user_without_guest(&self, input: &Input) -> Result<User, Problem> {
        let sending = self.codes.send(&input.email).await?;
        if sending.password_offered {
            return Err(Problem::EmailExists);
        }
        let sub = self.passwords.find_sub(&input.email).await?;
        Ok(User {
            sub: sub.ok_or(Problem::EmailExists)?,
            is_new: false,
            session: sending.session,
        })
    }

    /// Makes the guest, in one transaction that decides between any number of registrations.
    async fn take_address(
        &self,
        input: &Input,
        user: &User,
        left_behind: Option<Waiting>,
        now: Timestamp,
        exchange: &Exchange,
    ) -> Result<WaitingGuest, Problem> {
        for _ in 0..DRAWS {
            let guest = self
                .guests
                .registration(&user.sub, &input.email, input.name.clone(), now);
            let taken = if let Some(left_behind) = &left_behind {
                self.guests.register_anew(left_behind, &guest).await
            } else {
                let registered = self.guests.register(&guest).await;
                registered.map(|registered| registered.then(|| guest.clone()))
            };
            match taken {
                Ok(Some(guest)) => return Ok(guest),
                Ok(None) => {}
                Err(problem) => {
                    // Whether it was written is not known.
                    self.roll_back(&guest, user.is_new, exchange).await;
                    return Err(problem);
                }
            }
            // Whoever has the address now has the user too, who is therefore left alone.
            if self.guests.at(&input.email).await?.is_some() {
                return Err(Problem::EmailExists);
            }
        }
        Err(Problem::Internal(Report::of(
            "every guest id that was drawn is taken",
        )))
    }

    /// Sets the password, has the code mailed, and remembers what proves it.
    async fn finish(&self, input: &Input, user: &User, now: Timestamp) -> Result<(), Failed> {
        let set = self.passwords.set(user.sub.as_str(), &input.password).await;
        if let Err(not_set) = set {
            return Err(Failed {
                problem: not_set.problem,
                password_may_be_set: !not_set.for_certain,
            });
        }
        let failed = |problem| Failed {
            problem,
            password_may_be_set: true,
        };
        let session = match &user.session {
            Some(session) => Some(session.clone()),
            None => self.codes.send(&input.email).await.map_err(failed)?.session,
        };
        let Some(session) = session else {
            let report = Report::of("Cognito mails no code to a user who was just made");
            return Err(failed(Problem::Internal(report)));
        };
        let sign_in = SignIn {
            email: input.email.clone(),
            cognito_sessions: vec![session],
            attempts: 0,
            sent_at: now,
            expires_at: now.after(self.settings.rules.lifetime),
            password: OfferedPassword::Unproven,
        };
        self.sign_ins
            .begin(&SignInId::of_registration(&input.email), &sign_in)
            .await
            .map_err(failed)
    }

    /// Undoes the registration. The guest goes last: the record is what keeps the password from opening anything.
    async fn roll_back(&self, guest: &WaitingGuest, user_goes: bool, exchange: &Exchange) {
        let user_is_gone = match (&guest.registered_sub, user_goes) {
            (Some(sub), true) => self.passwords.delete_user(sub.as_str()).await,
            (Some(_) | None, _) => Ok(()),
        };
        let undone = match user_is_gone {
            Ok(()) => self.guests.withdraw_registration(guest).await.map(drop),
            Err(problem) => Err(problem),
        };
        if let Err(problem) = undone {
            let report = problem.report().map(Report::chain);
            tracing::error!(error = report, "half a registration stays behind");
            exchange.count(Metric::RollbackFailures);
        }
    }
}
