//! Who asks about an address, and which budget pays for it.
//!
//! An address has several separate budgets. All strangers share one. A known device, a signed-in
//! guest and an agent have their own, which strangers cannot spend. After strangers have spent
//! theirs, the refusal carries a challenge, and its solution is admitted against a second budget: a
//! script pays for each, and a person on a new device waits seconds. All of this is the same for
//! every address, known or unknown: the budgets are the address's, not the guest's.

use std::{sync::Arc, time::Duration};

use auth_aws::{ConfigurationError, Event, Guests, Platform, Refusal, SecretSet, Secrets};
use auth_domain::{
    AttemptId, Clock, DeviceClaim, DeviceCookie, Email, Guest, KeyRing, KnownDevice, LimitSubject,
    Mailbox, Payer, Problem, ProofOfWork, Purpose, Randomness, SolvedWork, Timestamp, UserSub,
    WorkChallenge,
};
use auth_lambda::Exchange;
use tokio::join;

use crate::counted::note_kept;

/// One request at its instant, and the name of its attempt.
#[derive(Clone)]
pub struct Turn<'a> {
    /// The request.
    pub exchange: &'a Exchange,
    /// The attempt's name.
    pub attempt: AttemptId,
    /// When the request came.
    pub now: Timestamp,
}

impl<'a> Turn<'a> {
    /// A request that begins now, under a new name.
    #[must_use]
    pub fn of(exchange: &'a Exchange, clock: &Clock, randomness: &Randomness) -> Self {
        Self {
            exchange,
            attempt: AttemptId::generate(randomness),
            now: clock.now(),
        }
    }

    /// The request as an event of `subject`.
    pub(crate) fn event<'s>(&'s self, subject: &'s LimitSubject) -> Event<'s> {
        Event {
            subject,
            attempt: &self.attempt,
            now: self.now,
        }
    }
}

/// Identifies the requester of an operation on an address.
#[derive(Clone)]
pub struct Requesters {
    operation: &'static str,
    guests: Guests,
    secrets: Secrets,
    clock: Clock,
    randomness: Randomness,
    device_lifetime: Duration,
    is_own_address: bool,
}

/// A request about an address, for the limits.
#[derive(Clone)]
pub struct Requester<'a> {
    exchange: &'a Exchange,
    operation: &'static str,
    email: Email,
    secrets: Arc<SecretSet>,
    attempt: AttemptId,
    now: Timestamp,
    owner: BudgetOwner,
    device_lifetime: Duration,
    randomness: Randomness,
}

/// The budget that pays for a request.
#[derive(Clone)]
enum BudgetOwner {
    /// A browser that signed in as this address before.
    Device(KnownDevice),
    /// An agent or an operator, authenticated by IAM.
    Agent,
    /// A signed-in guest whose own address this is, authenticated by the authorizer.
    Caller(UserSub),
    /// A request with a solved challenge for this operation and address.
    Solved(SolvedWork),
    /// Any other request.
    Stranger,
}

/// The use of a mailed code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeUse {
    /// It proves its address.
    Proof,
    /// It sets a new password. Cognito itself limits recoveries for each user.
    Recovery,
}

impl Requesters {
    /// The requesters of `operation`. The environment sets the lifetime of a known device.
    pub fn new(platform: &Platform, operation: &'static str) -> Result<Self, ConfigurationError> {
        Ok(Self {
            operation,
            guests: Guests::new(platform)?,
            secrets: Secrets::new(platform)?,
            clock: platform.clock(),
            randomness: platform.randomness(),
            device_lifetime: platform.environment().device_cookie_lifetime()?,
            is_own_address: false,
        })
    }

    /// The same for an operation on a signed-in guest's own address. Only the guest can spend that
    /// budget. For any other address the guest is a stranger: accounts are free, and each would
    /// otherwise have a budget of mails for it.
    #[must_use]
    pub fn for_own_address(self) -> Self {
        Self {
            is_own_address: true,
            ..self
        }
    }

    /// A request that begins now.
    #[must_use]
    pub fn turn<'a>(&self, exchange: &'a Exchange) -> Turn<'a> {
        Turn::of(exchange, &self.clock, &self.randomness)
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The requester for `email`, as of now.
    pub async fn meet<'a>(
        &self,
        exchange: &'a Exchange,
        email: &Email,
        proof: Option<&ProofOfWork>,
    ) -> Result<Requester<'a>, Problem> {
        let secrets = self.secrets.get().await?;
        self.recognise(self.turn(exchange), email, proof, secrets)
            .await
    }

    /// The requester for `email`, and what `count` counts of its attempt. A device cookie's own
    /// budget is counted while the guest's record is read. If the record does not confirm the
    /// device, `give_back` takes that count, and the attempt is a stranger's.
    pub(crate) async fn meet_and_count<'a, T, Counting, Restoring>(
        &self,
        turn: &Turn<'a>,
        email: &Email,
        count: impl Fn(Requester<'a>) -> Counting,
        give_back: impl FnOnce(T) -> Restoring,
    ) -> Result<(Requester<'a>, T), Problem>
    where
        Counting: Future<Output = T>,
        Restoring: Future<Output = ()>,
    {
        let secrets = self.secrets.get().await?;
        if let Some(claim) = self.claimed_device(turn, email, secrets.keys()) {
            let owner = BudgetOwner::Device(claim.presumed());
            let presumed = self.requester(turn.clone(), email, secrets.clone(), owner);
            let (guest, counted) = join!(self.guests.find(claim.guest()), count(presumed.clone()));
            let device = guest.map(|guest| guest.and_then(|guest| claim.of(&guest, email)));
            if let Ok(Some(_)) = device {
                return Ok((presumed, counted));
            }
            give_back(counted).await;
            device?;
        }
        let owner = self.without_device(turn, email, None, secrets.keys());
        let requester = self.requester(turn.clone(), email, secrets, owner);
        let counted = count(requester.clone()).await;
        Ok((requester, counted))
    }

    /// The requester for `email`. A browser with a device cookie of the address costs one read: the
    /// named guest.
    async fn recognise<'a>(
        &self,
        turn: Turn<'a>,
        email: &Email,
        proof: Option<&ProofOfWork>,
        secrets: Arc<SecretSet>,
    ) -> Result<Requester<'a>, Problem> {
        let keys = secrets.keys();
        let device = match self.claimed_device(&turn, email, keys) {
            Some(claim) => {
                let guest = self.guests.find(claim.guest()).await?;
                guest.and_then(|guest| claim.of(&guest, email))
            }
            None => None,
        };
        let owner = device.map_or_else(
            || self.without_device(&turn, email, proof, keys),
            BudgetOwner::Device,
        );
        Ok(self.requester(turn, email, secrets, owner))
    }

    /// The device of the request's cookie. The named guest's record decides whether it counts.
    fn claimed_device(
        &self,
        turn: &Turn<'_>,
        email: &Email,
        keys: &KeyRing,
    ) -> Option<DeviceClaim> {
        turn.exchange
            .device_claim(email, turn.now, self.device_lifetime, keys)
    }

    /// The owner of a request without a known device. An invalid solution of a challenge is
    /// ignored.
    fn without_device(
        &self,
        turn: &Turn<'_>,
        email: &Email,
        proof: Option<&ProofOfWork>,
        keys: &KeyRing,
    ) -> BudgetOwner {
        let solved = || proof?.check(self.operation, email, turn.now, keys);
        if !turn.exchange.is_http() {
            BudgetOwner::Agent
        } else if let (true, Ok(caller)) = (self.is_own_address, turn.exchange.caller()) {
            BudgetOwner::Caller(caller.sub.clone())
        } else if let Some(solved) = solved() {
            BudgetOwner::Solved(solved)
        } else {
            BudgetOwner::Stranger
        }
    }

    fn requester<'a>(
        &self,
        turn: Turn<'a>,
        email: &Email,
        secrets: Arc<SecretSet>,
        owner: BudgetOwner,
    ) -> Requester<'a> {
        let Turn {
            exchange,
            attempt,
            now,
        } = turn;
        Requester {
            exchange,
            operation: self.operation,
            email: email.clone(),
            secrets,
            attempt,
            now,
            owner,
            device_lifetime: self.device_lifetime,
            randomness: self.randomness.clone(),
        }
    }

    /// A claim and its requester. If the secrets or the device cannot be read, or the claim's
    /// answer is lost, the claim is released. `email` is the address of the claimed item.
    pub async fn claim<'a, T>(
        &self,
        turn: &Turn<'a>,
        claiming: impl Future<Output = Result<T, Problem>>,
        give_back: impl Future<Output = Result<(), Problem>>,
        email: impl Fn(&T) -> Email,
        proof: Option<&ProofOfWork>,
    ) -> Result<(T, Requester<'a>), Problem> {
        let (problem, may_be_claimed) = match join!(claiming, self.secrets.get()) {
            (Ok(claimed), Ok(secrets)) => {
                let email = email(&claimed);
                let recognising = self.recognise(turn.clone(), &email, proof, secrets);
                match recognising.await {
                    Ok(requester) => return Ok((claimed, requester)),
                    Err(problem) => (problem, true),
                }
            }
            (Ok(_), Err(problem)) => (problem, true),
            (Err(problem), _) => {
                let is_lost = problem.may_have_acted();
                (problem, is_lost)
            }
        };
        if may_be_claimed {
            note_kept(&give_back.await);
        }
        Err(problem)
    }
}

impl Requester<'_> {
    /// The request itself.
    #[must_use]
    pub fn exchange(&self) -> &Exchange {
        self.exchange
    }

    /// The same for every requester.
    #[must_use]
    pub fn turn(&self) -> Turn<'_> {
        Turn {
            exchange: self.exchange,
            attempt: self.attempt.clone(),
            now: self.now,
        }
    }

    /// The address that the request is about.
    #[must_use]
    pub fn email(&self) -> &Email {
        &self.email
    }

    /// The keys of hashes and cookies.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        self.secrets.keys()
    }

    /// The name of the request's attempt.
    #[must_use]
    pub fn attempt(&self) -> &AttemptId {
        &self.attempt
    }

    /// The request as an event of `subject`.
    pub(crate) fn event<'s>(&'s self, subject: &'s LimitSubject) -> Event<'s> {
        Event {
            subject,
            attempt: &self.attempt,
            now: self.now,
        }
    }

    /// When the request came.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The address as logs may name it.
    #[must_use]
    pub fn address_tag(&self) -> String {
        let tag = self.keys().tag(Purpose::Address, &[self.email.as_str()]);
        tag.to_hex()
    }

    /// The known device, if there is one.
    #[must_use]
    pub fn device(&self) -> Option<&KnownDevice> {
        match &self.owner {
            BudgetOwner::Device(device) => Some(device),
            BudgetOwner::Agent
            | BudgetOwner::Caller(_)
            | BudgetOwner::Solved(_)
            | BudgetOwner::Stranger => None,
        }
    }

    /// The only answer to a refused passkey, for every reason.
    #[must_use]
    pub fn wrong_passkey(&self) -> Problem {
        tracing::warn!(address = self.address_tag(), "wrong passkey");
        Problem::InvalidCredentials
    }

    /// The only answer to a refused password, for every reason.
    #[must_use]
    pub fn wrong_password(&self) -> Problem {
        tracing::warn!(address = self.address_tag(), "wrong password");
        Problem::InvalidCredentials
    }

    /// Makes the browser a known device of `guest` at the address. A known device keeps its id.
    /// With `spares`, the browser may skip the second factor, which was shown just now. Without it,
    /// the previous setting stays.
    pub fn remember_device(&self, guest: &Guest, spares: bool) {
        let (email, keys) = (&self.email, self.keys());
        let known = self.device();
        let before = known.and_then(KnownDevice::second_factor_at);
        let second = if spares { Some(self.now) } else { before };
        let random = &self.randomness;
        let cookie = DeviceCookie::issue(email, guest, known, second, self.now, keys, random);
        self.exchange
            .set_device_cookie(email, &cookie, self.device_lifetime, keys);
    }

    /// The requester's own budget, or the one that all strangers share. Agents have one for each
    /// conversation and address.
    ///
    /// Where a gateway names no conversation, its chats share the budget of an address, as
    /// strangers do. One of them can shut that address out here, but no other address, and not the
    /// address's owner in a browser.
    #[must_use]
    pub fn budget(&self) -> LimitSubject {
        match &self.owner {
            BudgetOwner::Agent => {
                let named = self.exchange.conversation();
                self.agent_budget(named.or_else(|| self.exchange.gateway()))
            }
            BudgetOwner::Caller(sub) => LimitSubject::caller(sub, &self.email, self.keys()),
            BudgetOwner::Device(device) => LimitSubject::device(device),
            BudgetOwner::Solved(_) | BudgetOwner::Stranger => {
                LimitSubject::address(&self.email, self.keys())
            }
        }
    }

    /// The same if Cognito's own limit is the next one, as for passwords. All conversations of
    /// agents share one budget for an address.
    #[must_use]
    pub fn shared_budget(&self) -> LimitSubject {
        match &self.owner {
            BudgetOwner::Agent => self.agent_budget(None),
            BudgetOwner::Device(_)
            | BudgetOwner::Caller(_)
            | BudgetOwner::Solved(_)
            | BudgetOwner::Stranger => self.budget(),
        }
    }

    /// The budget of a mailed code, by its use.
    pub(crate) fn code_budget(&self, code_use: CodeUse) -> LimitSubject {
        match code_use {
            CodeUse::Proof => self.budget(),
            CodeUse::Recovery => self.shared_budget(),
        }
    }

    fn agent_budget(&self, conversation: Option<&str>) -> LimitSubject {
        if self.exchange.is_from_agent() {
            LimitSubject::tool(conversation, &self.email, self.keys())
        } else {
            LimitSubject::invoker(conversation, &self.email, self.keys())
        }
    }

    /// The mailbox of the address.
    pub(crate) fn mailbox(&self) -> LimitSubject {
        LimitSubject::mailbox(&Mailbox::of(&self.email), self.keys())
    }

    /// Whether the requester shares its budget with no other.
    pub(crate) fn has_own_budget(&self) -> bool {
        match &self.owner {
            BudgetOwner::Device(_) | BudgetOwner::Agent | BudgetOwner::Caller(_) => true,
            BudgetOwner::Solved(_) | BudgetOwner::Stranger => false,
        }
    }

    /// Whether a guest asks, by a known device or a session. Their mails need no new user.
    pub(crate) fn is_known(&self) -> bool {
        match self.payer() {
            Payer::Known => true,
            Payer::Stranger | Payer::Solved(_) | Payer::Agent => false,
        }
    }

    /// The budget that pays for a count of the request.
    pub(crate) fn payer(&self) -> Payer<'_> {
        match &self.owner {
            BudgetOwner::Device(_) | BudgetOwner::Caller(_) => Payer::Known,
            BudgetOwner::Agent => Payer::Agent,
            BudgetOwner::Solved(solved) => Payer::Solved(solved),
            BudgetOwner::Stranger => Payer::Stranger,
        }
    }

    /// Whether a count of the request uses up a challenge that a person has solved.
    pub(crate) fn pays_with_work(&self) -> bool {
        self.payer().solved().is_some()
    }

    /// The problem of a refusal. Requesters who share a budget also get a challenge that admits
    /// them. Routes of signed-in guests accept no solved challenge.
    pub(crate) fn refused(&self, refusal: Refusal) -> Problem {
        let solved_lately = refusal
            .solved_lately
            .filter(|_| self.exchange.caller().is_err());
        let challenge = match (&self.owner, solved_lately) {
            (BudgetOwner::Solved(_) | BudgetOwner::Stranger, Some(solved_lately)) => {
                let challenge = WorkChallenge::issue(
                    self.operation,
                    &self.email,
                    solved_lately,
                    self.now,
                    self.keys(),
                    &self.randomness,
                );
                match challenge {
                    Ok(challenge) => Some(Box::new(challenge)),
                    Err(report) => return Problem::Internal(report),
                }
            }
            (BudgetOwner::Device(_) | BudgetOwner::Agent | BudgetOwner::Caller(_), _)
            | (_, None) => None,
        };
        Problem::RateLimited {
            retry_after_seconds: refusal.retry_after_seconds,
            challenge,
        }
    }
}
