//! Registrations that wait for their code, and their way to a guest.

use auth_aws::{
    Address, ConfigurationError, FirstProofs, Guests, PasswordProof, Passwords, PendingPasswords,
    Platform, ProvedGuest, ProvedRegistration, locale_of,
};
use auth_domain::{Email, Guest, PendingRegistration, Problem, SessionToken, SignInId};
use auth_lambda::Metric;

use crate::ProvedCode;

/// Begun registrations.
#[derive(Clone)]
pub struct Registrations {
    guests: Guests,
    first_proofs: FirstProofs,
    passwords: Passwords,
    pending_passwords: PendingPasswords,
}

impl Registrations {
    /// Registrations with the pool and the tables that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            guests: Guests::new(platform)?,
            first_proofs: FirstProofs::new(platform)?,
            passwords: Passwords::new(platform)?,
            pending_passwords: PendingPasswords::new(platform)?,
        })
    }

    /// The item of an address whose registration `id` is open: the address is unproved, or this
    /// registration proved it and then failed half-way.
    pub async fn open_at(&self, email: &Email, id: &SignInId) -> Result<Option<Address>, Problem> {
        let address = self.guests.at(email).await?;
        if let Some(Address::Claimed(claim)) = &address
            && self.guests.registered_by(id, &claim.sub).await?.is_none()
        {
            return Err(Problem::InvalidSession);
        }
        Ok(address)
    }

    /// Makes the guest, by the one write that decides between this and every other proof of the
    /// address. Only then it sets the password and signs in. So of two concurrent confirmations,
    /// only one sets its password.
    pub async fn settle(
        &self,
        token: &SessionToken,
        proved: &ProvedCode<'_>,
        registration: &PendingRegistration,
        address: Option<Address>,
    ) -> Result<(Guest, PasswordProof), Problem> {
        let (email, exchange) = (&proved.sign_in.email, proved.requester.exchange());
        let password = self
            .pending_passwords
            .open(&registration.password, token)
            .await?;
        let locale = locale_of(&proved.tokens.id_token);
        let registering = ProvedRegistration {
            sub: &proved.sub,
            email,
            locale: locale.as_ref(),
            id: &token.registration_id(),
            registration,
        };
        let now = proved.requester.now();
        let making = self
            .guests
            .register(&registering, address, &self.first_proofs, now);
        let ProvedGuest { guest, is_new } = making.await?.ok_or(Problem::InvalidSession)?;
        if is_new {
            exchange.count(Metric::GuestsCreated);
        }
        self.passwords.set(&proved.sub, &password).await?;
        let passwords = self.passwords.for_request(exchange.context());
        let signed_in = passwords.sign_in(email, password.spelling()).await;
        let proof = signed_in.map_err(|undecided| undecided.problem)?;
        Ok((guest, proof))
    }
}
