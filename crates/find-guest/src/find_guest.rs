//! The decision: find the guest, and select the fields for the operator.

use auth_aws::{Numbered, UserState};
use auth_domain::{
    ActSubject, Guest, KeyRing, OperatorAct, Problem, Purpose, UserSession, WaitingGuest,
};
use auth_lambda::Exchange;
use tokio::try_join;

use crate::{
    FindGuest, Input,
    found::{Found, FoundFactors, Status},
};

impl FindGuest {
    /// Finds a guest, and records that an operator has looked.
    pub(crate) async fn find(&self, input: Input, exchange: &Exchange) -> Result<Found, Problem> {
        let (secrets, guest) = try_join!(self.secrets.get(), self.named(&input))?;
        let keys = secrets.keys();
        let subject = subject(&input, guest.as_ref(), keys);
        let looking = async {
            match guest {
                Some(Numbered::Guest(guest)) => self.look(guest, keys).await,
                Some(Numbered::Waiting(guest)) => self.look_at_waiting(guest, keys).await,
                None => Err(Problem::NotFound),
            }
        };
        let act = OperatorAct::Find;
        self.acts
            .record(act, subject, None, exchange, looking)
            .await
    }

    async fn named(&self, input: &Input) -> Result<Option<Numbered>, Problem> {
        match input {
            Input::Email(email) => self.guests.numbered_at(email).await,
            Input::GuestId(guest_id) => self.guests.numbered(guest_id).await,
            Input::Sub(sub) => self.guests.numbered_of(sub).await,
        }
    }

    async fn look(&self, guest: Box<Guest>, keys: &KeyRing) -> Result<Found, Problem> {
        let (sub, now) = (&guest.cognito_sub, self.clock.now());
        let (state, undeliverable, sessions, limits) = try_join!(
            self.users.state(sub),
            self.guests.mail_refusal(&guest.email),
            self.sessions.list(sub, now),
            self.limits.states(&guest.email, Some(sub), keys, now)
        )?;
        Ok(Found {
            status: match state {
                UserState::Enabled => Status::Active,
                UserState::Disabled => Status::Disabled,
                UserState::Gone => Status::UserMissing,
            },
            factors: FoundFactors::of(&guest),
            undeliverable,
            sessions: UserSession::going_on(sessions, &guest),
            limits: limits.into_iter().map(Into::into).collect(),
            user: Numbered::Guest(guest),
        })
    }

    async fn look_at_waiting(&self, guest: WaitingGuest, keys: &KeyRing) -> Result<Found, Problem> {
        let now = self.clock.now();
        let (undeliverable, limits) = try_join!(
            self.guests.mail_refusal(&guest.email),
            self.limits.states(&guest.email, None, keys, now)
        )?;
        Ok(Found {
            status: Status::Waiting,
            factors: FoundFactors::default(),
            undeliverable,
            sessions: Vec::new(),
            limits: limits.into_iter().map(Into::into).collect(),
            user: Numbered::Waiting(guest),
        })
    }
}

/// The subject of the recorded act: the guest, or the requested id, user or address.
fn subject(input: &Input, guest: Option<&Numbered>, keys: &KeyRing) -> ActSubject {
    match (guest, input) {
        (Some(guest), _) => ActSubject::Guest(guest.guest_id().clone()),
        (None, Input::GuestId(guest_id)) => ActSubject::Guest(guest_id.clone()),
        (None, Input::Sub(sub)) => ActSubject::User(sub.clone()),
        (None, Input::Email(email)) => {
            ActSubject::of_address(keys.tag(Purpose::Address, &[email.as_str()]))
        }
    }
}
