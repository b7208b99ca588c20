//! The claims and the scope that Latchkey adds to access tokens. One place, because the trigger
//! writes what the operations read.

/// What an access token must be allowed: API Gateway requires it on every route that wants a
/// caller.
pub const SESSION_SCOPE: &str = "latchkey/session";

/// What Cognito puts into every API-flow token, and what would let its holder change factors and
/// attributes behind our back.
pub const COGNITO_ADMIN_SCOPE: &str = "aws.cognito.signin.user.admin";

/// The issue time in milliseconds. `iat` counts whole seconds, and cannot tell a token from before
/// a sign-out from one after it within the same second.
pub const ISSUED_AT_MILLIS: &str = "latchkey_iat_ms";
