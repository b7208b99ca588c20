//! The decision: find the caller, check the fresh proof and the present authenticator if there is
//! one; then make a new secret.

use auth_domain::{AuthenticatorKeys, Guest, Problem, Proofs, Report};
use auth_lambda::Exchange;

use crate::{Input, SetUp, SetupMfa, qr_code::QrCode};

impl SetupMfa {
    pub(crate) async fn set_up(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SetUp, Problem> {
        let guest = match input {
            Input::Waiting(session_token) => self.waiting.guest(session_token).await?,
            Input::Caller(proofs) => self.proved(proofs, exchange).await?,
        };
        let keys = AuthenticatorKeys::generate(&self.randomness);
        let otpauth_uri = keys.secret().otpauth_uri(&self.issuer, &guest.email);
        let qr_code = QrCode::of(&otpauth_uri)
            .map_err(|error| Problem::Internal(Report::new("draw the QR code", error)))?;
        let until = self.clock.now().after(self.lifetime);
        self.authenticators.begin(&guest, &keys, until).await?;
        Ok(SetUp {
            secret: keys.secret().to_base32(),
            otpauth_uri,
            qr_svg: qr_code.svg,
            qr_png: qr_code.png,
            expires_in: self.lifetime.as_secs(),
        })
    }

    /// The caller's guest, after the proofs.
    async fn proved(&self, proofs: &Proofs, exchange: &Exchange) -> Result<Guest, Problem> {
        let caller = self.entrance.caller(exchange).await?;
        let guest = self.callers.find(caller).await?;
        self.proofs.require(&guest, proofs, exchange).await?;
        Ok(guest)
    }
}
