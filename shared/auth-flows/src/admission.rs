//! Admission: every limit on mails with a code, on tries of codes, and on a network's attempts.
//!
//! An address has several separate budgets. All strangers share one. A known device, a signed-in
//! guest and an agent have their own, which strangers cannot spend. After strangers have spent
//! theirs, the refusal carries a challenge, and its solution is admitted against a second budget: a
//! script pays for each, and a person on a new device waits seconds. All of this is the same for
//! every address, known or unknown: the budgets are the address's, not the guest's.

use std::{sync::Arc, time::Duration};

use auth_aws::{
    ConfigurationError, Guests, Limits, Platform, PoolRefusal, Refusal, SecretSet, Secrets,
};
use auth_domain::{
    AttemptId, Clock, CodeMailLimits, CodeMailPayer, ConversationId, DeviceClaim, DeviceCookie,
    Email, Guest, KeyRing, KnownDevice, Limit, LimitState, Mailbox, OwnMailLimits, PoolLimits,
    PoolPayer, PoolRequest, Problem, ProofOfWork, Purpose, Randomness, SolvedWork, Timestamp,
    TryLimits, UserSub, WorkChallenge,
};
use auth_lambda::{Exchange, Metric};
use tokio::join;

use crate::attempt::{Tally, note_kept};

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
    standing: Standing,
    device_lifetime: Duration,
    randomness: Randomness,
}

/// The budget that pays for a request.
#[derive(Clone)]
enum Standing {
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
        Turn {
            exchange,
            attempt: AttemptId::generate(&self.randomness),
            now: self.clock.now(),
        }
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
    /// device, that count is given back, and the attempt is a stranger's.
    pub(crate) async fn meet_and_count<'a, 'b, Counting>(
        &self,
        turn: &Turn<'a>,
        email: &Email,
        count: impl Fn(Requester<'a>) -> Counting,
    ) -> Result<(Requester<'a>, Tally<'b>), Problem>
    where
        Counting: Future<Output = Tally<'b>>,
    {
        let secrets = self.secrets.get().await?;
        if let Some(claim) = self.claimed_device(turn, email, secrets.keys()) {
            let standing = Standing::Device(claim.presumed());
            let presumed = self.requester(turn.clone(), email, secrets.clone(), standing);
            let (guest, tally) = join!(self.guests.find(claim.guest()), count(presumed.clone()));
            match guest.map(|guest| guest.and_then(|guest| claim.of(&guest, email))) {
                Ok(Some(_)) => return Ok((presumed, tally)),
                Ok(None) => tally.give_back(turn).await,
                Err(problem) => {
                    tally.give_back(turn).await;
                    return Err(problem);
                }
            }
        }
        let standing = self.without_device(turn, email, None, secrets.keys());
        let requester = self.requester(turn.clone(), email, secrets, standing);
        let tally = count(requester.clone()).await;
        Ok((requester, tally))
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
        let standing = device.map_or_else(
            || self.without_device(&turn, email, proof, keys),
            Standing::Device,
        );
        Ok(self.requester(turn, email, secrets, standing))
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

    /// The standing of a request without a known device. An invalid solution of a challenge is
    /// ignored.
    fn without_device(
        &self,
        turn: &Turn<'_>,
        email: &Email,
        proof: Option<&ProofOfWork>,
        keys: &KeyRing,
    ) -> Standing {
        let solved = || proof?.check(self.operation, email, turn.now, keys);
        if !turn.exchange.is_http() {
            Standing::Agent
        } else if let (true, Ok(caller)) = (self.is_own_address, turn.exchange.caller()) {
            Standing::Caller(caller.sub.clone())
        } else if let Some(solved) = solved() {
            Standing::Solved(solved)
        } else {
            Standing::Stranger
        }
    }

    fn requester<'a>(
        &self,
        turn: Turn<'a>,
        email: &Email,
        secrets: Arc<SecretSet>,
        standing: Standing,
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
            standing,
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
                let is_lost = problem.report().is_some();
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
        match &self.standing {
            Standing::Device(device) => Some(device),
            Standing::Agent | Standing::Caller(_) | Standing::Solved(_) | Standing::Stranger => {
                None
            }
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

    /// The name of the requester's own budget, or of the budget that all strangers share. Agents
    /// have one for each conversation and address.
    ///
    /// Where a gateway names no conversation, its chats share the budget of an address, as
    /// strangers do. One of them can shut that address out here, but no other address, and not the
    /// address's owner in a browser.
    #[must_use]
    pub fn budget(&self) -> String {
        match &self.standing {
            Standing::Agent => {
                let named = self.exchange.conversation();
                let named = named.or_else(|| self.exchange.gateway());
                self.agent_budget(named.unwrap_or_default())
            }
            Standing::Caller(sub) => {
                let parts = ["caller", sub.as_str(), self.email.as_str()];
                let tag = self.keys().tag(Purpose::Principal, &parts);
                format!("caller#{}", tag.to_hex())
            }
            Standing::Device(_) | Standing::Solved(_) | Standing::Stranger => {
                KnownDevice::budget(self.device(), &self.email, self.keys())
            }
        }
    }

    /// The same if Cognito's own limit is the next one, as for passwords. All conversations of
    /// agents share one budget for an address.
    #[must_use]
    pub fn shared_budget(&self) -> String {
        match &self.standing {
            Standing::Agent => self.agent_budget(""),
            Standing::Device(_)
            | Standing::Caller(_)
            | Standing::Solved(_)
            | Standing::Stranger => self.budget(),
        }
    }

    fn agent_budget(&self, conversation: &str) -> String {
        let door = if self.exchange.is_from_agent() {
            "tool"
        } else {
            "direct"
        };
        let parts = [door, conversation, self.email.as_str()];
        let tag = self.keys().tag(Purpose::Principal, &parts);
        format!("agent#{}", tag.to_hex())
    }

    /// Whether the requester shares its budget with no other.
    fn has_own_budget(&self) -> bool {
        match &self.standing {
            Standing::Device(_) | Standing::Agent | Standing::Caller(_) => true,
            Standing::Solved(_) | Standing::Stranger => false,
        }
    }

    /// Whether a guest asks, by a known device or a session. Their mails need no new user.
    fn is_known(&self) -> bool {
        match &self.standing {
            Standing::Device(_) | Standing::Caller(_) => true,
            Standing::Agent | Standing::Solved(_) | Standing::Stranger => false,
        }
    }

    /// Whether a count of the request uses up a challenge that a person has solved.
    pub(crate) fn pays_with_work(&self) -> bool {
        matches!(self.standing, Standing::Solved(_))
    }

    fn mail_payer(&self) -> CodeMailPayer<'_> {
        match &self.standing {
            Standing::Device(_) | Standing::Caller(_) => CodeMailPayer::Known,
            Standing::Agent => CodeMailPayer::Agent,
            Standing::Solved(solved) => CodeMailPayer::Solved(solved),
            Standing::Stranger => CodeMailPayer::Stranger,
        }
    }

    fn pool_payer(&self) -> PoolPayer {
        match &self.standing {
            Standing::Device(_) | Standing::Caller(_) => PoolPayer::Known,
            Standing::Agent => PoolPayer::Agent,
            Standing::Solved(_) => PoolPayer::Solved,
            Standing::Stranger => PoolPayer::Stranger,
        }
    }

    /// The problem of a refusal. Requesters who share a budget also get a challenge that admits
    /// them. Routes of signed-in guests accept no solved challenge.
    fn refused<T>(&self, refusal: Refusal, randomness: &Randomness) -> Result<T, Problem> {
        let solved_lately = refusal
            .solved_lately
            .filter(|_| self.exchange.caller().is_err());
        let challenge = match (&self.standing, solved_lately) {
            (Standing::Solved(_) | Standing::Stranger, Some(solved_lately)) => {
                let challenge = WorkChallenge::issue(
                    self.operation,
                    &self.email,
                    solved_lately,
                    self.now,
                    self.keys(),
                    randomness,
                );
                Some(Box::new(challenge.map_err(Problem::Internal)?))
            }
            (Standing::Device(_) | Standing::Agent | Standing::Caller(_), _) | (_, None) => None,
        };
        Err(Problem::RateLimited {
            retry_after_seconds: refusal.retry_after_seconds,
            challenge,
        })
    }
}

/// Admission of mails with a code.
#[derive(Clone)]
pub struct CodeMails {
    limits: Limits,
    mailbox: CodeMailLimits,
    pool: PoolLimits,
    own: OwnMailLimits,
    randomness: Randomness,
}

impl CodeMails {
    /// Mails of an operation. Its `own` limit applies to a known device, a signed-in guest, an
    /// agent, or all strangers together.
    pub fn new(platform: &Platform, own: Limit) -> Result<Self, ConfigurationError> {
        let own = OwnMailLimits {
            strangers: own,
            with_solved: None,
        };
        Self::held_to(platform, own)
    }

    /// Mails of recovery, which Cognito itself limits for each user.
    pub fn for_recovery(platform: &Platform, own: Limit) -> Result<Self, ConfigurationError> {
        Self::held_to(platform, OwnMailLimits::of_recovery(own))
    }

    fn held_to(platform: &Platform, own: OwnMailLimits) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            limits: Limits::new(platform)?,
            mailbox: environment.code_mails()?,
            pool: environment.pool_limits()?,
            own,
            randomness: platform.randomness(),
        })
    }

    /// Counts a mail before it is sent. `makes_user` means that the address may need a new user.
    pub async fn admit(&self, requester: &Requester<'_>, makes_user: bool) -> Result<(), Problem> {
        self.count(requester, None).await?;
        self.admit_to_pool(requester, makes_user).await
    }

    /// Counts a mail for the network of a start, for the requester's own budget and for the
    /// mailbox, side by side. If one of them refuses, the others' counts are restored, but not the
    /// network's. If that fails, the mail stays counted, and ages out.
    ///
    /// The mail of a known device or a signed-in guest counts against the pool in the same step.
    /// All others go on to [`Self::admit_to_pool`]: a refused stranger never writes the one item
    /// that all starts share.
    pub async fn count(
        &self,
        requester: &Requester<'_>,
        network: Option<&NetworkStarts>,
    ) -> Result<(), Problem> {
        let exchange = requester.exchange;
        let at_network = async {
            match network {
                Some(network) => network.count(&requester.turn(), requester.keys()).await,
                None => Counted::free(),
            }
        };
        let counting = async {
            join!(
                self.count_own(requester),
                self.count_at_mailbox(requester),
                self.count_known_at_pool(requester)
            )
        };
        let (network, (own, mailbox, pool)) = if requester.pays_with_work() {
            // A count uses the solved challenge up, so the network is asked before.
            at_network.await.tell(exchange)?;
            (Counted::free(), counting.await)
        } else {
            join!(at_network, counting)
        };
        let counted = CountedMail {
            own: own.may_stand(),
            mailbox: mailbox.may_stand(),
            // The pool has one count for all: only what surely stands is taken from it.
            pool: pool.stands(),
        };
        let told = network
            .tell(exchange)
            .and_then(|()| own.tell(exchange))
            .and_then(|()| mailbox.tell(exchange))
            .and_then(|()| pool.tell(exchange));
        if told.is_err() {
            self.give_back(requester, counted).await;
        }
        told
    }

    /// Counts a mail that [`Self::count`] has admitted against the pool, if it has not done so. If
    /// the pool refuses, the other counts are restored.
    pub async fn admit_to_pool(
        &self,
        requester: &Requester<'_>,
        makes_user: bool,
    ) -> Result<(), Problem> {
        if requester.is_known() {
            return Ok(());
        }
        let admitted = self.ask_pool(requester, makes_user).await;
        if matches!(admitted, Err(Problem::RateLimited { .. })) {
            self.withdraw(requester).await;
        }
        admitted
    }

    /// Restores what [`Self::count`] has counted, where no mail is asked for in the end.
    pub async fn withdraw(&self, requester: &Requester<'_>) {
        let counted = CountedMail {
            own: requester.has_own_budget(),
            mailbox: true,
            pool: requester.is_known(),
        };
        self.give_back(requester, counted).await;
    }

    async fn give_back(&self, requester: &Requester<'_>, counted: CountedMail) {
        let own = async {
            if counted.own {
                self.give_back_own(requester).await;
            }
        };
        let mailbox = async {
            if counted.mailbox {
                self.give_back_to_mailbox(requester).await;
            }
        };
        let pool = async {
            if counted.pool {
                self.give_back_to_pool(requester).await;
            }
        };
        join!(own, mailbox, pool);
    }

    async fn count_own(&self, requester: &Requester<'_>) -> Counted {
        if !requester.has_own_budget() {
            return Counted::free();
        }
        let mut states = Vec::new();
        let outcome = self
            .limits
            .admit(
                &self.own.strangers,
                &self.budget(requester),
                &requester.attempt,
                requester.now,
                |state| states.push(state),
            )
            .await;
        Counted::new(states, outcome)
    }

    /// For recovery, all conversations of agents share one budget: they share Cognito's limit.
    fn budget(&self, requester: &Requester<'_>) -> String {
        if self.own.with_solved.is_some() {
            requester.shared_budget()
        } else {
            requester.budget()
        }
    }

    async fn count_at_mailbox(&self, requester: &Requester<'_>) -> Counted {
        let mut states = Vec::new();
        let admitted = self
            .limits
            .admit_code_mail(
                &self.mailbox,
                &self.own,
                requester.mail_payer(),
                &Mailbox::of(&requester.email).subject(requester.keys()),
                &requester.attempt,
                requester.now,
                |state| states.push(state),
            )
            .await;
        let outcome = admitted.and_then(|admitted| match admitted {
            Ok(()) => Ok(()),
            Err(refusal) => requester.refused(refusal, &self.randomness),
        });
        Counted::new(states, outcome)
    }

    async fn count_known_at_pool(&self, requester: &Requester<'_>) -> Counted {
        if !requester.is_known() {
            return Counted::free();
        }
        Counted::new(Vec::new(), self.ask_pool(requester, false).await)
    }

    async fn ask_pool(&self, requester: &Requester<'_>, makes_user: bool) -> Result<(), Problem> {
        let request = PoolRequest {
            payer: requester.pool_payer(),
            makes_user,
        };
        let admitted = self
            .limits
            .admit_to_pool(&self.pool, request, &requester.attempt, requester.now)
            .await?;
        let refusal = match admitted {
            Ok(()) => {
                if makes_user {
                    requester.exchange.count(Metric::NewUsers);
                }
                return Ok(());
            }
            Err(PoolRefusal::Mails {
                retry_after_seconds,
            }) => Refusal {
                retry_after_seconds,
                solved_lately: None,
            },
            Err(PoolRefusal::NewUsers {
                retry_after_seconds,
                times_over,
            }) => {
                requester.exchange.count(Metric::NewUserFloods);
                Refusal {
                    retry_after_seconds,
                    solved_lately: Some(times_over),
                }
            }
        };
        requester.refused(refusal, &self.randomness)
    }

    async fn give_back_own(&self, requester: &Requester<'_>) {
        let given_back = self
            .limits
            .take_back(
                &self.own.strangers,
                &self.budget(requester),
                &requester.attempt,
                requester.now,
            )
            .await;
        note_unsent(&given_back);
    }

    async fn give_back_to_mailbox(&self, requester: &Requester<'_>) {
        let given_back = self
            .limits
            .take_back_code_mail(
                &self.own,
                requester.mail_payer(),
                &Mailbox::of(&requester.email).subject(requester.keys()),
                &requester.attempt,
                requester.now,
            )
            .await;
        note_unsent(&given_back);
    }

    async fn give_back_to_pool(&self, requester: &Requester<'_>) {
        let given_back = self
            .limits
            .take_back_from_pool(&self.pool, &requester.attempt, requester.now)
            .await;
        note_unsent(&given_back);
    }
}

/// Admission of tries of a code, counted before the code is evaluated.
#[derive(Clone)]
pub struct CodeTries {
    limits: Limits,
    tries: TryLimits,
    is_recovery: bool,
    randomness: Randomness,
}

impl CodeTries {
    /// Tries under these limits.
    pub fn new(platform: &Platform, tries: TryLimits) -> Result<Self, ConfigurationError> {
        Ok(Self {
            limits: Limits::new(platform)?,
            tries,
            is_recovery: false,
            randomness: platform.randomness(),
        })
    }

    /// Tries at recovery, which Cognito itself limits for each user.
    pub fn for_recovery(platform: &Platform, tries: TryLimits) -> Result<Self, ConfigurationError> {
        Ok(Self {
            is_recovery: true,
            ..Self::new(platform, tries.of_recovery())?
        })
    }

    fn budget(&self, requester: &Requester<'_>) -> String {
        if self.is_recovery {
            requester.shared_budget()
        } else {
            requester.budget()
        }
    }

    /// Counts a try.
    pub(crate) async fn count(&self, requester: &Requester<'_>) -> Counted {
        let mut states = Vec::new();
        let solved = match &requester.standing {
            Standing::Solved(solved) => Some(solved),
            Standing::Device(_) | Standing::Agent | Standing::Caller(_) | Standing::Stranger => {
                None
            }
        };
        let admitted = self
            .limits
            .admit_try(
                &self.tries,
                solved,
                &self.budget(requester),
                &requester.attempt,
                requester.now,
                |state| states.push(state),
            )
            .await;
        let outcome = admitted.and_then(|admitted| match admitted {
            Ok(()) => Ok(()),
            Err(refusal) => requester.refused(refusal, &self.randomness),
        });
        Counted::new(states, outcome)
    }

    /// Restores the count of an attempt without evaluation.
    pub async fn give_back(&self, requester: &Requester<'_>) -> Result<(), Problem> {
        let is_solved = matches!(requester.standing, Standing::Solved(_));
        self.limits
            .take_back_try(
                &self.tries,
                is_solved,
                &self.budget(requester),
                &requester.attempt,
                requester.now,
            )
            .await
    }

    /// Forgets the tries of the requester's budget: the right code was among them (NIST SP
    /// 800-63B-4 §3.2.2).
    pub async fn clear(&self, requester: &Requester<'_>) -> Result<(), Problem> {
        self.limits
            .clear_tries(&self.tries, &self.budget(requester))
            .await
    }
}

/// Admission of one network's starts of an operation, before any lookup.
#[derive(Clone)]
pub struct NetworkStarts {
    limits: Limits,
    limit: Limit,
}

impl NetworkStarts {
    /// Starts within `limit`.
    pub fn new(platform: &Platform, limit: Limit) -> Result<Self, ConfigurationError> {
        Ok(Self {
            limits: Limits::new(platform)?,
            limit,
        })
    }

    /// Counts a start of the sender's network. Requests through the other doors have no network.
    pub async fn admit(&self, turn: &Turn<'_>, keys: &KeyRing) -> Result<(), Problem> {
        self.count(turn, keys).await.tell(turn.exchange)
    }

    async fn count(&self, turn: &Turn<'_>, keys: &KeyRing) -> Counted {
        let Some(network) = turn.exchange.network() else {
            return Counted::free();
        };
        let subject = keys.tag(Purpose::IpAddress, &[&network]).to_hex();
        let mut states = Vec::new();
        let outcome = self
            .limits
            .admit(&self.limit, &subject, &turn.attempt, turn.now, |state| {
                states.push(state);
            })
            .await;
        Counted::new(states, outcome)
    }
}

/// Admission of the authorizations that agents begin.
#[derive(Clone)]
pub struct AgentStarts {
    limits: Limits,
    limit: Limit,
    per_gateway: Limit,
    clock: Clock,
    randomness: Randomness,
}

impl AgentStarts {
    /// As many for a conversation as `startAuthorization` allows a network.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        let limit = environment.limit(
            "authorization-start-agent",
            "AUTHORIZATION_STARTS_PER_IP",
            "AUTHORIZATION_START_WINDOW_SECONDS",
        )?;
        let per_gateway = Limit {
            name: "authorization-start-gateway",
            ..environment.for_gateway(limit)?
        };
        Ok(Self {
            limits: Limits::new(platform)?,
            limit,
            per_gateway,
            clock: platform.clock(),
            randomness: platform.randomness(),
        })
    }

    /// Counts a start of the conversation that a gateway or a direct invocation names: a model
    /// cannot write that. Without one, it counts for the conversation that the request asks for.
    /// A model writes it and can make it up, so it counts for the gateway too, whose chats nothing
    /// tells apart. A call over HTTP that asks for none counts for its network.
    pub async fn admit(
        &self,
        asked: Option<&ConversationId>,
        keys: &KeyRing,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let gateway = exchange.gateway();
        let subject = match (exchange.conversation(), asked, gateway, exchange.network()) {
            (Some(named), _, _, _) => Some(keys.tag(Purpose::Principal, &[named])),
            (None, Some(asked), Some(gateway), _) => {
                Some(keys.tag(Purpose::Principal, &[gateway, asked.as_str()]))
            }
            (None, Some(asked), None, _) => Some(keys.tag(Purpose::Principal, &[asked.as_str()])),
            (None, None, None, Some(network)) => Some(keys.tag(Purpose::IpAddress, &[&network])),
            (None, None, _, _) => None,
        };
        let attempt = AttemptId::generate(&self.randomness);
        let now = self.clock.now();
        if let Some(subject) = subject {
            let note = |state| exchange.rate_limit(state);
            self.limits
                .admit(&self.limit, &subject.to_hex(), &attempt, now, note)
                .await?;
        }
        // Only then: a conversation that is refused takes nothing from the others.
        if let (None, Some(gateway)) = (exchange.conversation(), gateway) {
            let subject = keys.tag(Purpose::Principal, &[gateway]).to_hex();
            let note = |state| exchange.rate_limit(state);
            self.limits
                .admit_in_window(&self.per_gateway, &subject, &attempt, now, note)
                .await?;
        }
        Ok(())
    }
}

/// Admission of the attempts of one network, or of one agent's conversation, at an operation, over
/// all addresses. A gateway that names no conversation has more, for all its chats.
#[derive(Clone)]
pub struct NetworkAttempts {
    limits: Limits,
    limit: Limit,
    per_gateway: Limit,
}

impl NetworkAttempts {
    /// Attempts under the policy's name, which is the operation's own.
    pub fn new(platform: &Platform, policy: &'static str) -> Result<Self, ConfigurationError> {
        let limit = platform.environment().attempts_per_network(policy)?;
        Ok(Self {
            limits: Limits::new(platform)?,
            limit,
            per_gateway: limit,
        })
    }

    /// The same for an operation that is an agent's tool.
    pub fn of_tool(platform: &Platform, policy: &'static str) -> Result<Self, ConfigurationError> {
        let of_network = Self::new(platform, policy)?;
        Ok(Self {
            per_gateway: platform.environment().for_gateway(of_network.limit)?,
            ..of_network
        })
    }

    /// Counts an attempt. Known devices are exempt: an office may share a network, and one attacker
    /// there must not lock out its known devices. Direct invocations without a conversation are
    /// exempt too: IAM has allowed each.
    pub async fn admit(&self, requester: &Requester<'_>) -> Result<(), Problem> {
        self.count(requester).await.tell(requester.exchange)
    }

    pub(crate) async fn count(&self, requester: &Requester<'_>) -> Counted {
        if requester.device().is_some() {
            return Counted::free();
        }
        let (exchange, keys) = (requester.exchange, requester.keys());
        let network = exchange.network();
        let (limit, subject) = match (network, exchange.conversation(), exchange.gateway()) {
            (Some(network), _, _) => (&self.limit, keys.tag(Purpose::IpAddress, &[&network])),
            (None, Some(conversation), _) => {
                (&self.limit, keys.tag(Purpose::Principal, &[conversation]))
            }
            (None, None, Some(gateway)) => {
                (&self.per_gateway, keys.tag(Purpose::Principal, &[gateway]))
            }
            (None, None, None) => return Counted::free(),
        };
        let mut states = Vec::new();
        let outcome = self
            .limits
            .admit_in_window(
                limit,
                &subject.to_hex(),
                &requester.attempt,
                requester.now,
                |state| states.push(state),
            )
            .await;
        Counted::new(states, outcome)
    }
}

/// The counts of a mail that may have to be taken back.
struct CountedMail {
    own: bool,
    mailbox: bool,
    pool: bool,
}

/// What came of one count. Counts stand side by side, so the answer hears of each afterwards, in
/// one order.
pub(crate) struct Counted {
    states: Vec<LimitState>,
    outcome: Result<(), Problem>,
    is_free: bool,
}

impl Counted {
    pub(crate) fn new(states: Vec<LimitState>, outcome: Result<(), Problem>) -> Self {
        Self {
            states,
            outcome,
            is_free: false,
        }
    }

    /// Where nothing is counted.
    pub(crate) fn free() -> Self {
        Self {
            states: Vec::new(),
            outcome: Ok(()),
            is_free: true,
        }
    }

    /// Whether there surely is something to take back.
    fn stands(&self) -> bool {
        self.outcome.is_ok() && !self.is_free
    }

    /// Whether there may be something to take back. A refusal has counted nothing. A lost answer
    /// may have.
    pub(crate) fn may_stand(&self) -> bool {
        match &self.outcome {
            Ok(()) => !self.is_free,
            Err(problem) => problem.report().is_some(),
        }
    }

    /// Whether nothing refuses, and nothing failed.
    pub(crate) fn is_admitted(&self) -> bool {
        self.outcome.is_ok()
    }

    /// What is left of the last limit.
    pub(crate) fn left(&self) -> Option<LimitState> {
        self.states.last().copied()
    }

    /// Says in the answer's `RateLimit` fields what is left, and refuses what is over.
    pub(crate) fn tell(self, exchange: &Exchange) -> Result<(), Problem> {
        for state in self.states {
            exchange.rate_limit(state);
        }
        self.outcome
    }
}

fn note_unsent(given_back: &Result<(), Problem>) {
    if given_back.is_err() {
        tracing::warn!("a mail that was not sent stays counted");
    }
}
