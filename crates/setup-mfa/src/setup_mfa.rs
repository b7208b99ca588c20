//! The decision: who is calling, the fresh proof, the present authenticator if there is one; then a
//! new secret.

use auth_domain::{AuthenticatorKeys, Problem, Report};
use auth_lambda::{Exchange, Fields};

use crate::{Input, SetUp, SetupMfa, qr_code::QrCode};

impl SetupMfa {
    pub(crate) async fn set_up(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SetUp, Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        if guest.authenticator.is_some() && input.second_factor.is_none() {
            return Err(Fields::needed("code"));
        }
        let proof = &input.proof;
        self.proofs.require(&guest, caller, proof, exchange).await?;
        if let (Some(authenticator), Some(factor)) = (&guest.authenticator, &input.second_factor) {
            self.factors
                .require(&guest, authenticator, factor, exchange)
                .await?;
        }

        let keys = AuthenticatorKeys::generate(&self.randomness);
        let otpauth_uri = keys.secret().otpauth_uri(&self.issuer, &guest.email);
        let qr_code = QrCode::of(&otpauth_uri)
            .map_err(|error| Problem::Internal(Report::new("draw the QR code", error)))?;
        let until = self.clock.now().after(self.lifetime);
        self.authenticators
            .begin(&guest, &caller.sub, &keys, until)
            .await?;
        Ok(SetUp {
            secret: keys.secret().to_base32(),
            otpauth_uri,
            qr_svg: qr_code.svg,
            qr_png: qr_code.png,
            expires_in: self.lifetime.as_secs(),
        })
    }
}
