//! The decision: who is calling, the fresh proof, the present authenticator if there is one; then a
//! new secret.

use auth_domain::{AuthenticatorKeys, FreshProof, Guest, Problem, Report, SecondFactor};
use auth_lambda::{Exchange, Fields};

use crate::{Input, SetUp, SetupMfa, qr_code::QrCode};

impl SetupMfa {
    pub(crate) async fn set_up(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SetUp, Problem> {
        let guest = match input {
            Input::Waiting(session_token) => self.waiting.guest(session_token).await?,
            Input::Caller {
                proof,
                second_factor,
            } => self.proved(proof, second_factor.as_ref(), exchange).await?,
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
    async fn proved(
        &self,
        proof: &FreshProof,
        second_factor: Option<&SecondFactor>,
        exchange: &Exchange,
    ) -> Result<Guest, Problem> {
        let caller = self.entrance.caller(exchange).await?;
        let guest = self.callers.find(caller).await?;
        if guest.authenticator.is_some() && second_factor.is_none() {
            return Err(Fields::needed("code"));
        }
        self.proofs.require(&guest, caller, proof, exchange).await?;
        if let (Some(authenticator), Some(factor)) = (&guest.authenticator, second_factor) {
            self.factors
                .require(&guest, authenticator, factor, exchange)
                .await?;
        }
        Ok(guest)
    }
}
