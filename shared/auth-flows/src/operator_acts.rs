//! Acts of operators: recorded before they begin, and again when they end.
//!
//! Cognito's calls fit in no transaction with DynamoDB's. So an act without its first record never
//! happens. An act without its second was interrupted: the operator has no answer, and repeats it.

use auth_aws::{AuditLog, ConfigurationError, Guests, Numbered, Platform};
use auth_domain::{
    ActOnGuest, ActReason, ActSubject, Clock, Guest, OperatorAct, OperatorEvent, Problem,
};
use auth_lambda::{Exchange, code};

/// Records the acts of operators.
#[derive(Clone)]
pub struct OperatorActs {
    audit: AuditLog,
    guests: Guests,
    clock: Clock,
}

impl OperatorActs {
    /// Acts recorded in the table that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            audit: AuditLog::new(platform)?,
            guests: Guests::new(platform)?,
            clock: platform.clock(),
        })
    }

    /// Records an act on a guest who has a user, and performs it. `NotFound` for any other id.
    pub async fn on_guest<T, F>(
        &self,
        act: OperatorAct,
        on: ActOnGuest,
        exchange: &Exchange,
        acting: impl FnOnce(Guest) -> F,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let guest = match self.guests.numbered(&on.guest_id).await? {
            Some(Numbered::Guest(guest)) => Some(*guest),
            Some(Numbered::Waiting(_)) | None => None,
        };
        self.on(guest, act, on, exchange, acting).await
    }

    /// The same, where the guest may be one whose deletion has begun.
    pub async fn on_guest_or_leaving<T, F>(
        &self,
        act: OperatorAct,
        on: ActOnGuest,
        exchange: &Exchange,
        acting: impl FnOnce(Guest) -> F,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let guest = self.guests.numbered_or_leaving(&on.guest_id).await?;
        self.on(guest, act, on, exchange, acting).await
    }

    async fn on<T, F>(
        &self,
        guest: Option<Guest>,
        act: OperatorAct,
        on: ActOnGuest,
        exchange: &Exchange,
        acting: impl FnOnce(Guest) -> F,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let ActOnGuest { guest_id, reason } = on;
        let acting = async {
            match guest {
                Some(guest) => acting(guest).await,
                None => Err(Problem::NotFound),
            }
        };
        let subject = ActSubject::Guest(guest_id);
        self.record(act, subject, reason, exchange, acting).await
    }

    /// Records an act and performs it. Its answer leaves only after its outcome is recorded.
    pub async fn record<T>(
        &self,
        act: OperatorAct,
        subject: ActSubject,
        reason: Option<ActReason>,
        exchange: &Exchange,
        acting: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let event = OperatorEvent {
            act,
            subject,
            principal: exchange.operator()?.clone(),
            reason,
            request_id: exchange.request_id().to_owned(),
            at: self.clock.now(),
        };
        self.audit.begin(&event).await?;
        let acted = acting.await;
        let outcome = acted.as_ref().map_or_else(code, |_| "OK");
        let concluded = self.audit.conclude(&event, outcome, self.clock.now());
        match (acted, concluded.await) {
            (Ok(_), Err(problem)) => Err(problem),
            (Err(problem), Err(_)) => {
                tracing::warn!("an act's failure was not recorded");
                Err(problem)
            }
            (acted, Ok(())) => acted,
        }
    }
}
