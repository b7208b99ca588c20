//! Password attempts at an address: counted for the address or for a known device, before Cognito
//! evaluates the password.

use auth_aws::{ConfigurationError, Limits, PasswordProof, Passwords, Platform, Undecided};
use auth_domain::{Email, Limit, Password, Problem, Spelling};
use auth_lambda::Exchange;

use crate::{Attempt, NetworkAttempts, Requester, Requesters, attempt::Budget};

/// The longest duration of Cognito's lock (developer guide, "Authentication": lockout). Cognito
/// does not reveal the time left.
const LONGEST_LOCK_SECONDS: u64 = 900;

/// Attempts at passwords.
#[derive(Clone)]
pub struct PasswordAttempts {
    passwords: Passwords,
    requesters: Requesters,
    limits: Limits,
    failures: Limit,
    network: Option<NetworkAttempts>,
}

impl PasswordAttempts {
    /// Attempts by way of `operation`, which may have a limit of that name for each network.
    pub fn new(
        platform: &Platform,
        operation: &'static str,
        network: Option<&'static str>,
    ) -> Result<Self, ConfigurationError> {
        let network = network.map(|policy| NetworkAttempts::new(platform, policy));
        Ok(Self {
            passwords: Passwords::new(platform)?,
            requesters: Requesters::new(platform, operation)?,
            limits: Limits::new(platform)?,
            failures: platform.environment().login_failures()?,
            network: network.transpose()?,
        })
    }

    /// The same for signed-in guests who prove their own address.
    #[must_use]
    pub fn for_own_address(self) -> Self {
        Self {
            requesters: self.requesters.for_own_address(),
            ..self
        }
    }

    /// Counts an attempt. The refusal offers no challenge: more passwords would only reach
    /// Cognito's lock.
    async fn count<'a>(
        &'a self,
        email: &Email,
        exchange: &'a Exchange,
    ) -> Result<(Attempt<'a>, Requester<'a>), Problem> {
        let requester = self.requesters.meet(exchange, email, None).await?;
        let budget = self.budget(&requester);
        let network = self.network.as_ref().map(|network| (network, &requester));
        let attempt = Attempt::count(&requester.turn(), None, Some(budget), network).await?;
        Ok((attempt, requester))
    }

    /// Counts an attempt, and signs in at Cognito.
    pub async fn sign_in<'a>(
        &'a self,
        email: &Email,
        password: &Password,
        exchange: &'a Exchange,
    ) -> Result<(Attempt<'a>, Requester<'a>, PasswordProof), Problem> {
        let passwords = self.passwords.for_request(exchange.context());
        let signing_in = |spelling| passwords.sign_in(email, spelling);
        let is_wrong = |proof: &PasswordProof| matches!(proof, PasswordProof::Wrong);
        self.evaluate(email, password, exchange, signing_in, is_wrong)
            .await
    }

    /// Counts an attempt and lets Cognito evaluate the password in NFC. If that is wrong and the
    /// password was typed in another spelling, the spelling is counted and evaluated too. So every
    /// failure at Cognito is also counted here.
    pub async fn evaluate<'a, 'p, T, F>(
        &'a self,
        email: &Email,
        password: &'p Password,
        exchange: &'a Exchange,
        proving: impl Fn(Spelling<'p>) -> F,
        is_wrong: impl Fn(&T) -> bool,
    ) -> Result<(Attempt<'a>, Requester<'a>, T), Problem>
    where
        F: Future<Output = Result<T, Undecided>>,
    {
        let (attempt, requester) = self.count(email, exchange).await?;
        let proof = attempt.evaluate(proving(password.normalized())).await?;
        let Some(typed) = password.as_typed().filter(|_| is_wrong(&proof)) else {
            return Ok((attempt, requester, proof));
        };
        let turn = self.requesters.turn(exchange);
        let budget = self.budget(&requester);
        let attempt = Attempt::count(&turn, None, Some(budget), None).await?;
        let proof = attempt.evaluate(proving(typed)).await?;
        Ok((attempt, requester, proof))
    }

    /// Clears the failures of a requester who has just proved the address in another way. If that
    /// fails, they age out.
    pub async fn clear(&self, requester: &Requester<'_>) {
        self.budget(requester).clear_or_note().await;
    }

    /// Cognito's own lock-out. Only requesters who may learn of it get this answer.
    #[must_use]
    pub fn locked() -> Problem {
        Problem::PasswordLocked {
            retry_after_seconds: LONGEST_LOCK_SECONDS,
        }
    }

    fn budget(&self, requester: &Requester<'_>) -> Budget<'_> {
        Budget::Failures {
            limits: &self.limits,
            limit: &self.failures,
            subject: requester.shared_budget(),
        }
    }
}
