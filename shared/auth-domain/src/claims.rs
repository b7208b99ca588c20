//! The claims and the scope that Latchkey adds to access tokens. One place, because the trigger
//! writes what the operations read.

/// The scope that API Gateway requires on every route with a caller.
pub const SESSION_SCOPE: &str = "latchkey/session";

/// The scope that Cognito puts into every API-flow token. It would let the holder change factors
/// and attributes without Latchkey.
pub const COGNITO_ADMIN_SCOPE: &str = "aws.cognito.signin.user.admin";

/// What the operations' client says to the trigger, as client metadata, where the scope above has
/// to stay. Any client may say it; the trigger believes the operations' own. Nothing that a caller
/// sends gets into client metadata.
pub const PURPOSE: &str = "latchkeyPurpose";

/// The one purpose: a fresh proof by which a passkey is registered or removed.
pub const PASSKEYS: &str = "passkeys";

/// The issue time in milliseconds. `iat` counts whole seconds, and cannot tell a token from before
/// a sign-out from one after it within the same second.
pub const ISSUED_AT_MILLIS: &str = "latchkey_iat_ms";
