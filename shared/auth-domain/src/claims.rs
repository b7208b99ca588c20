//! The claims of tokens, and the claims and the scope that Latchkey adds to access tokens. They
//! share one file, because the trigger writes them and the operations read them.

use data_encoding::BASE64URL_NOPAD;

/// The scope that API Gateway requires on every route with a caller.
pub const SESSION_SCOPE: &str = "latchkey/session";

/// The scope that Cognito puts into every API-flow token. Its holder could change factors and
/// attributes without Latchkey.
pub const COGNITO_ADMIN_SCOPE: &str = "aws.cognito.signin.user.admin";

/// The key in client metadata that asks the trigger to keep the scope above. Any client can send
/// it; the trigger accepts it only from the operations' own client. Client metadata never contains
/// input of a caller.
pub const PURPOSE: &str = "latchkeyPurpose";

/// The one purpose: a fresh proof by which a passkey is registered or removed.
pub const PASSKEYS: &str = "passkeys";

/// The issue time in milliseconds, in the tokens of a sign-in. `iat` counts whole seconds, and
/// cannot tell a token from before a sign-out from one after it within the same second. A refreshed
/// token lacks the claim: its own issue time does not say when its session began.
pub const ISSUED_AT_MILLIS: &str = "latchkey_iat_ms";

/// The claims of a JWT as JSON, if it has any. They are not verified here.
#[must_use]
pub fn stated_by(token: &str) -> Option<Vec<u8>> {
    let payload = token.split('.').nth(1)?;
    BASE64URL_NOPAD.decode(payload.as_bytes()).ok()
}
