//! The end of a sign-in: it finds the guest, asks for a missing second factor, and returns the
//! tokens.
//!
//! The guest is read after the tokens are issued, not at the same time. So a sign-in sees an
//! authenticator that was confirmed meanwhile, and one that is confirmed later ends the session. If
//! any call fails after Cognito's answer, the new tokens are revoked and not returned.
//!
//! A guest who has an authenticator gets no tokens: the sign-in is held until `verifyMfa` brings
//! the second factor. If a second factor is required and the guest has none, the sign-in is held
//! until one is set up. The refresh token is sealed in the record, the other tokens are dropped,
//! and no device is remembered yet. If the guest asked for it on this browser, the browser skips
//! the authenticator for some days. A guest whose second factor is a passkey signs in with the
//! passkey.

use std::time::Duration;

use auth_aws::{
    Arrival, CognitoSignIn, ConfigurationError, FactorResets, Guests, HeldSignIns, IssuedSession,
    Newcomer, PasskeyList, PasskeyUse, Passwords, Platform, TokenService, locale_of,
};
use auth_domain::{
    ActivityKind, Assertion, Clock, CognitoChallenge, Email, FollowUp, Guest, MissingFactor,
    Notice, OfferedPassword, Passkey, Problem, Report, SecondFactorPolicy, SecondFactorRules,
    SignIn, SignInMethod, Timestamp, TokenDelivery, Tokens, UserPassword, UserSub,
};
use auth_lambda::{Exchange, SignInAnswer};
use tokio::join;

use crate::{
    Activities, AddressChanges, Arrivals, Arrived, Attempt, Notices, ProvedCode, ProvedPasskey,
    Requester, SessionRecords, Welcomes,
};

/// Ends sign-ins.
#[derive(Clone)]
pub struct SigningIn {
    arrivals: Arrivals,
    changes: AddressChanges,
    guests: Guests,
    passkeys: PasskeyList,
    passwords: Passwords,
    held: HeldSignIns,
    resets: FactorResets,
    notices: Notices,
    activities: Activities,
    token_service: TokenService,
    sessions: SessionRecords,
    welcomes: Welcomes,
    rules: SecondFactorRules,
    policy: SecondFactorPolicy,
    set_up_lifetime: Duration,
    device_remembered_for: Duration,
    clock: Clock,
}

/// A right first factor, before any tokens leave.
pub struct FirstFactor<'a> {
    /// The attempt that brought it.
    pub attempt: Attempt<'a>,
    /// The requester.
    pub requester: Requester<'a>,
    /// The new session's tokens.
    pub tokens: Tokens,
    /// The user who signed in.
    pub sub: UserSub,
    /// The delivery of the refresh token.
    pub token_delivery: TokenDelivery,
    /// The method of the sign-in.
    pub method: SignInMethod,
}

impl SigningIn {
    /// Sign-ins of the pool, the guests and the challenges that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            arrivals: Arrivals::new(platform)?,
            changes: AddressChanges::new(platform)?,
            guests: Guests::new(platform)?,
            passkeys: PasskeyList::new(platform)?,
            passwords: Passwords::new(platform)?,
            held: HeldSignIns::new(platform)?,
            resets: FactorResets::new(platform)?,
            notices: Notices::new(platform)?,
            activities: Activities::new(platform)?,
            token_service: TokenService::new(platform)?,
            sessions: SessionRecords::new(platform)?,
            welcomes: Welcomes::new(platform)?,
            rules: environment.second_factor_rules()?,
            policy: environment.second_factor_policy()?,
            set_up_lifetime: environment.set_up_lifetime()?,
            device_remembered_for: environment.device_remembered_for()?,
            clock: platform.clock(),
        })
    }

    /// Prepares for the end of a sign-in whose proof is still to be evaluated.
    pub fn expect_mail(&self, exchange: &Exchange) {
        self.welcomes.expect_mail(exchange);
    }

    /// Ends a sign-in by mailed code.
    pub async fn by_code(
        &self,
        proved: ProvedCode<'_>,
        token_delivery: TokenDelivery,
    ) -> Result<SignInAnswer, Problem> {
        let ProvedCode {
            attempt,
            requester,
            sign_in,
            tokens,
            sub,
            begun,
        } = proved;
        let first_factor = FirstFactor {
            attempt,
            requester,
            tokens,
            sub,
            token_delivery,
            method: SignInMethod::Code,
        };
        let arriving = self.guest_by_code(&sign_in, begun, &first_factor);
        self.end(&first_factor, arriving).await
    }

    /// Ends a sign-in by password. Cognito may have asked for more than the password.
    pub async fn by_password(
        &self,
        attempt: Attempt<'_>,
        requester: Requester<'_>,
        signed_in: CognitoSignIn,
        token_delivery: TokenDelivery,
    ) -> Result<SignInAnswer, Problem> {
        let first_factor = FirstFactor {
            attempt,
            requester,
            tokens: signed_in.tokens,
            sub: signed_in.sub,
            token_delivery,
            method: SignInMethod::Password,
        };
        let arriving = self.guest_by_password(&first_factor, signed_in.email_verified);
        self.end(&first_factor, arriving).await
    }

    /// Ends a sign-in by passkey.
    pub async fn by_passkey(
        &self,
        proved: ProvedPasskey<'_>,
        assertion: &Assertion,
        token_delivery: TokenDelivery,
    ) -> Result<SignInAnswer, Problem> {
        let first_factor = FirstFactor {
            attempt: proved.attempt,
            requester: proved.requester,
            tokens: proved.tokens,
            sub: proved.sub,
            token_delivery,
            method: SignInMethod::Passkey,
        };
        let arriving = self.guest_by_passkey(assertion, &first_factor);
        self.end(&first_factor, arriving).await
    }

    /// Ends a sign-in whose guest `arriving` finds. It holds a sign-in that needs a second factor,
    /// or records the session; then it finishes the attempt, and only then returns tokens. If one
    /// of these fails, the tokens are revoked.
    pub async fn end(
        &self,
        first_factor: &FirstFactor<'_>,
        arriving: impl Future<Output = Result<Arrived, Problem>>,
    ) -> Result<SignInAnswer, Problem> {
        let ended = self.hold_or_welcome(first_factor, arriving).await;
        if ended.is_err() {
            self.token_service.discard(&first_factor.tokens).await;
        }
        ended
    }

    async fn hold_or_welcome(
        &self,
        first_factor: &FirstFactor<'_>,
        arriving: impl Future<Output = Result<Arrived, Problem>>,
    ) -> Result<SignInAnswer, Problem> {
        let FirstFactor {
            attempt,
            requester,
            tokens,
            token_delivery,
            method,
            ..
        } = first_factor;
        let mut arrived = arriving.await?;
        if arrived.guest.has_lost_factors(self.clock.now()) {
            arrived.guest = self.reset(&arrived.guest, first_factor).await?;
            arrived.has_both_factors = false;
        }
        if !arrived.has_both_factors
            && let Some(missing) = self.policy.missing(&arrived.guest)
            && !self.is_spared(requester, &arrived.guest)
        {
            return self.hold(first_factor, &arrived, missing).await;
        }
        let session = IssuedSession::of(&tokens.access_token)?;
        let (guest, exchange) = (&arrived.guest, requester.exchange());
        let recording = self
            .sessions
            .begin(&session, tokens.clone(), guest, *method, exchange);
        // The guest hears of the right factor on a new device, even if a call fails beside.
        let (settled, ()) = join!(
            attempt.finish_beside(recording),
            self.welcomes.tell_of_new_device(requester, &arrived)
        );
        let marked = match settled {
            Ok(marked) => marked,
            Err(problem) => {
                self.sessions
                    .take_back(tokens, guest, *method, exchange)
                    .await;
                return Err(problem);
            }
        };
        let welcomes = &self.welcomes;
        let tokens = welcomes.hand_out(requester, &arrived, marked, *token_delivery);
        Ok(SignInAnswer::signed_in(tokens, arrived.guest))
    }

    /// Carries out an operator's reset that is due. This sign-in goes on, and every other session
    /// ends.
    async fn reset(&self, guest: &Guest, first_factor: &FirstFactor<'_>) -> Result<Guest, Problem> {
        let session = IssuedSession::of(&first_factor.tokens.access_token)?;
        let (kind, now) = (ActivityKind::FactorsReset, self.clock.now());
        let exchange = first_factor.requester.exchange();
        let entry = self.activities.entry(guest, kind, exchange)?;
        let kept = &session.key.id;
        if self.resets.carry_out(guest, kept, entry, now).await? {
            let notice = Notice::FactorsReset;
            self.notices.tell(guest, notice, exchange).await;
        }
        let reset = self.guests.find(&guest.cognito_sub).await?;
        reset.ok_or(Problem::AuthRequired)
    }

    /// Whether this browser may skip the guest's authenticator.
    fn is_spared(&self, requester: &Requester<'_>, guest: &Guest) -> bool {
        let now = self.clock.now();
        let device = requester.device().filter(|_| guest.authenticator.is_some());
        device.is_some_and(|device| device.is_spared(guest, now, self.device_remembered_for))
    }

    /// Holds a sign-in that lacks a factor. If the factor is a passkey, the sign-in ends here.
    async fn hold(
        &self,
        first_factor: &FirstFactor<'_>,
        arrived: &Arrived,
        missing: MissingFactor,
    ) -> Result<SignInAnswer, Problem> {
        let FirstFactor {
            attempt,
            tokens,
            token_delivery,
            ..
        } = first_factor;
        let email = first_factor.requester.email();
        let answer = match missing {
            MissingFactor::Authenticator => {
                let (until, passkey) = (self.held_until(), arrived.verified_passkey.as_ref());
                let session_token = self
                    .held
                    .hold(tokens, email, passkey, *token_delivery, until)
                    .await?;
                SignInAnswer::held(session_token, CognitoChallenge::SoftwareTokenMfa)
            }
            MissingFactor::SetUp => {
                let until = self.clock.now().after(self.set_up_lifetime);
                let session_token = self
                    .held
                    .hold_for_set_up(tokens, email, *token_delivery, until)
                    .await?;
                SignInAnswer::waiting(session_token, self.set_up_lifetime)
            }
            MissingFactor::Passkey => {
                attempt.finish().await?;
                return Err(Problem::PasskeyRequired);
            }
        };
        attempt.finish().await?;
        Ok(answer)
    }

    /// Holds a sign-in that Cognito continues with its own challenge after a right password.
    pub async fn hold_follow_up(
        &self,
        attempt: &Attempt<'_>,
        follow_up: &FollowUp,
        email: &Email,
        token_delivery: TokenDelivery,
    ) -> Result<SignInAnswer, Problem> {
        let session_token = self
            .held
            .hold_follow_up(follow_up, email, token_delivery, self.held_until())
            .await?;
        attempt.finish().await?;
        Ok(SignInAnswer::held(session_token, follow_up.challenge))
    }

    fn held_until(&self) -> Timestamp {
        self.clock.now().after(self.rules.lifetime)
    }

    /// Whether the deployment lets browsers skip the second factor at all.
    #[must_use]
    pub fn remembers_devices(&self) -> bool {
        !self.device_remembered_for.is_zero()
    }

    /// Completes a finished sign-in, as [`Welcomes::welcome`] does.
    pub async fn welcome(
        &self,
        requester: &Requester<'_>,
        arrived: &Arrived,
        tokens: Tokens,
        token_delivery: TokenDelivery,
    ) -> Tokens {
        self.welcomes
            .welcome(requester, arrived, tokens, token_delivery)
            .await
    }

    /// The guest of a person who has just proved the address by a code. A sign-in that began at an
    /// address which is the guest's no more is over. So is one that meets a change which is half
    /// done: every start finishes the change first, so the sign-in began before it.
    ///
    /// A password from before the address was proved may be a stranger's, so it is removed.
    async fn guest_by_code(
        &self,
        sign_in: &SignIn,
        begun: Timestamp,
        first_factor: &FirstFactor<'_>,
    ) -> Result<Arrived, Problem> {
        let (sub, email) = (&first_factor.sub, &sign_in.email);
        let arrival = self.arrivals.look(sub, email).await?;
        if let Arrival::Known(guest) = &arrival
            && (guest.has_moved_from(email, begun) || guest.changing_to.is_some())
        {
            return Err(Problem::InvalidSession);
        }
        let password = match (&arrival, sign_in.password) {
            (Arrival::Known(guest), _) if !guest.password_counts() => UserPassword::Unseen,
            // The sign-in that made the guest has dealt with an unproven one.
            (Arrival::Known(_), OfferedPassword::Unproven) | (_, OfferedPassword::None) => {
                UserPassword::Absent
            }
            (Arrival::First(_), OfferedPassword::Unproven) => {
                self.passwords.take_away(sub).await?;
                UserPassword::Absent
            }
            (_, OfferedPassword::Proven) => UserPassword::Proven,
        };
        self.receive(arrival, first_factor, password).await
    }

    /// The guest of a passkey that Cognito has accepted. The passkey must be on the guest's list,
    /// which one write checks.
    async fn guest_by_passkey(
        &self,
        assertion: &Assertion,
        first_factor: &FirstFactor<'_>,
    ) -> Result<Arrived, Problem> {
        let FirstFactor { requester, sub, .. } = first_factor;
        let listed = self.guests.find(sub).await?.and_then(|guest| {
            let passkey = Passkey::shown_by(assertion, &guest)?.clone();
            Some((passkey, guest))
        });
        let Some((passkey, guest)) = listed else {
            return Err(requester.wrong_passkey());
        };
        let used = PasskeyUse::of(assertion, &passkey, &guest);
        let now = self.clock.now();
        if !self.passkeys.used(sub, &passkey.id, used, now).await? {
            return Err(requester.wrong_passkey());
        }
        let arrival = Arrival::Known(Box::new(guest));
        let arrived = self
            .receive(arrival, first_factor, UserPassword::Absent)
            .await?;
        Ok(Arrived {
            guest: self.settled(arrived.guest, requester.exchange()).await,
            has_both_factors: used == PasskeyUse::BothFactors,
            verified_passkey: assertion.user_verified().then_some(passkey.id),
            ..arrived
        })
    }

    /// The guest of a right password. The guest's record states whether the user has proved the
    /// address; without a record, Cognito does. The record of a guest who waits there does not: it
    /// knows an owner of the address, and not this user. Nor does a proof that came after the
    /// password, until the guest is made, nor a guest who was made elsewhere. Every other case gets
    /// the answer to a wrong password.
    async fn guest_by_password(
        &self,
        first_factor: &FirstFactor<'_>,
        email_verified: bool,
    ) -> Result<Arrived, Problem> {
        let (sub, email) = (&first_factor.sub, first_factor.requester.email());
        let (arrival, may_be_a_strangers) = self.arrivals.look_with_password(sub, email).await?;
        let is_proved = match &arrival {
            Arrival::Known(guest) => {
                guest.password_counts() && (email_verified || guest.email_verified)
            }
            Arrival::First(_) => email_verified && !may_be_a_strangers,
        };
        if !is_proved {
            return Err(first_factor.requester.wrong_password());
        }
        let arrived = self
            .receive(arrival, first_factor, UserPassword::Proven)
            .await?;
        let exchange = first_factor.requester.exchange();
        Ok(Arrived {
            guest: self.settled(arrived.guest, exchange).await,
            ..arrived
        })
    }

    /// The guest of a right first factor of any kind. Cognito's tokens name the user's language,
    /// and the guest's record follows it.
    async fn receive(
        &self,
        arrival: Arrival,
        first_factor: &FirstFactor<'_>,
        password: UserPassword,
    ) -> Result<Arrived, Problem> {
        let requester = &first_factor.requester;
        let locale = locale_of(&first_factor.tokens.id_token);
        let newcomer = Newcomer {
            sub: &first_factor.sub,
            email: requester.email(),
            password,
            locale: locale.as_ref(),
        };
        self.arrivals
            .receive(arrival, newcomer, requester.exchange())
            .await
    }

    /// The guest, whose change of address is finished if one was half done. Where that fails, the
    /// sign-in goes on, and the next one tries again.
    async fn settled(&self, guest: Guest, exchange: &Exchange) -> Guest {
        if guest.changing_to.is_none() {
            return guest;
        }
        // On the heap: it is long and rare, and every sign-in would be as large.
        match Box::pin(self.changes.resume(guest.clone(), exchange)).await {
            Ok(settled) => settled,
            Err(problem) => {
                let error = problem.report().map(Report::chain);
                tracing::error!(error, "a change of address is half done still");
                guest
            }
        }
    }
}
