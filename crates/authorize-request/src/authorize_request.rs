//! The decision: check the token, then its session and guest.

use auth_domain::Problem;
use auth_lambda::Passed;

use crate::AuthorizeRequest;

impl AuthorizeRequest {
    /// The user and session of a request. A session without an id could not be ended, so a token
    /// that names none is refused.
    pub(crate) async fn decide(&self, token: &str) -> Result<Passed, Problem> {
        let caller = self.access_tokens.caller(token).await?;
        let session = caller.session.as_ref().ok_or(Problem::AuthRequired)?;
        let guest = self.callers.find(&caller).await?;
        Ok(Passed {
            guest_id: guest.guest_id.as_str().to_owned(),
            sub: caller.sub.as_str().to_owned(),
            session_id: session.as_str().to_owned(),
        })
    }
}
