//! Admission of mails with a code, by mailbox, requester, network and pool.

use auth_aws::{ConfigurationError, Limits, Platform, PoolRefusal, Refusal};
use auth_domain::{
    CodeMailLimits, Limit, NewUser, OwnMailLimits, PoolLimits, PoolRequest, Problem,
};
use auth_lambda::Metric;
use tokio::join;

use crate::{
    NetworkStarts, Requester,
    counted::{Counted, note_unsent},
    requester::CodeUse,
};

/// Admission of mails with a code.
#[derive(Clone)]
pub struct CodeMails {
    limits: Limits,
    mailbox: CodeMailLimits,
    pool: PoolLimits,
    own: OwnMailLimits,
    code_use: CodeUse,
}

impl CodeMails {
    /// Mails of an operation. Its `own` limit applies to a known device, a signed-in guest, an
    /// agent, or all strangers together.
    pub fn new(platform: &Platform, own: Limit) -> Result<Self, ConfigurationError> {
        let own = OwnMailLimits {
            strangers: own,
            with_solved: None,
        };
        Self::held_to(platform, own, CodeUse::Proof)
    }

    /// Mails of recovery, which Cognito itself limits for each user.
    pub fn for_recovery(platform: &Platform, own: Limit) -> Result<Self, ConfigurationError> {
        let own = OwnMailLimits::of_recovery(own);
        Self::held_to(platform, own, CodeUse::Recovery)
    }

    fn held_to(
        platform: &Platform,
        own: OwnMailLimits,
        code_use: CodeUse,
    ) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            limits: Limits::new(platform)?,
            mailbox: environment.code_mails()?,
            pool: environment.pool_limits()?,
            own,
            code_use,
        })
    }

    /// Counts a mail before it is sent.
    pub async fn admit(&self, requester: &Requester<'_>, new_user: NewUser) -> Result<(), Problem> {
        self.count(requester, None).await?;
        self.admit_to_pool(requester, new_user).await
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
        let exchange = requester.exchange();
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
        new_user: NewUser,
    ) -> Result<(), Problem> {
        if requester.is_known() {
            return Ok(());
        }
        let admitted = self.ask_pool(requester, new_user).await;
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
        let budget = requester.code_budget(self.code_use);
        let counting = self
            .limits
            .admit(&self.own.strangers, requester.event(&budget));
        Counted::new(counting.await)
    }

    async fn count_at_mailbox(&self, requester: &Requester<'_>) -> Counted {
        let mailbox = requester.mailbox();
        let (payer, event) = (requester.payer(), requester.event(&mailbox));
        let counting = self
            .limits
            .admit_code_mail(&self.mailbox, &self.own, payer, event);
        Counted::or(counting.await, |refusal| requester.refused(refusal))
    }

    async fn count_known_at_pool(&self, requester: &Requester<'_>) -> Counted {
        if !requester.is_known() {
            return Counted::free();
        }
        Counted::unseen(self.ask_pool(requester, NewUser::Never).await)
    }

    async fn ask_pool(&self, requester: &Requester<'_>, new_user: NewUser) -> Result<(), Problem> {
        let request = PoolRequest {
            payer: requester.payer(),
            new_user,
        };
        let asking =
            self.limits
                .admit_to_pool(&self.pool, request, requester.attempt(), requester.now());
        let refusal = match asking.await? {
            None => {
                if new_user == NewUser::Possible {
                    requester.exchange().count(Metric::NewUsers);
                }
                return Ok(());
            }
            Some(PoolRefusal::Mails {
                retry_after_seconds,
            }) => Refusal {
                retry_after_seconds,
                solved_lately: None,
            },
            Some(PoolRefusal::NewUsers {
                retry_after_seconds,
                times_over,
            }) => {
                requester.exchange().count(Metric::NewUserFloods);
                Refusal {
                    retry_after_seconds,
                    solved_lately: Some(times_over),
                }
            }
        };
        Err(requester.refused(refusal))
    }

    async fn give_back_own(&self, requester: &Requester<'_>) {
        let budget = requester.code_budget(self.code_use);
        let restoring = self
            .limits
            .take_back(&self.own.strangers, requester.event(&budget));
        note_unsent(&restoring.await);
    }

    async fn give_back_to_mailbox(&self, requester: &Requester<'_>) {
        let mailbox = requester.mailbox();
        let (payer, event) = (requester.payer(), requester.event(&mailbox));
        let restoring = self
            .limits
            .take_back_code_mail(&self.mailbox, &self.own, payer, event);
        note_unsent(&restoring.await);
    }

    async fn give_back_to_pool(&self, requester: &Requester<'_>) {
        let given_back = self
            .limits
            .take_back_from_pool(&self.pool, requester.attempt(), requester.now())
            .await;
        note_unsent(&given_back);
    }
}

/// The counts of a mail that may have to be taken back.
struct CountedMail {
    own: bool,
    mailbox: bool,
    pool: bool,
}
