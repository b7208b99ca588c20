//! Another code for the same registration, as long as its address is not proved.

use auth_domain::Problem;
use auth_lambda::{Delivery, Exchange};

use crate::{ConfirmRegistration, Resend};

impl ConfirmRegistration {
    pub(crate) async fn resend(
        &self,
        input: &Resend,
        exchange: &Exchange,
    ) -> Result<Delivery, Problem> {
        let (id, proof) = (
            input.session_token.registration_id(),
            input.proof_of_work.as_ref(),
        );
        let claimed = self.resends.claim(id, proof, exchange).await?;
        let email = &claimed.sign_in.email;
        let permitting = async {
            self.registrations
                .open_at(email, &claimed.id)
                .await
                .map(drop)
        };
        self.resends.mail(&claimed, permitting).await?;
        Ok(Delivery::to(email))
    }
}
