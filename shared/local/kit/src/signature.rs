//! The form of a signature. A stand-in has no credentials, so it cannot verify one.

use axum::http::{HeaderMap, header};

use crate::fault::{Fault, FaultKind};

/// The required scope of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The service's signing name.
    pub service: &'a str,
    /// The Region that the stand-in plays.
    pub region: &'a str,
}

impl Scope<'_> {
    /// Asks for a `SigV4` header that has all its parts and is scoped to this service and Region.
    pub(crate) fn check(self, headers: &HeaderMap) -> Result<(), Fault> {
        let incomplete = || {
            Fault::new(
                FaultKind::IncompleteSignature,
                "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters.",
            )
        };
        let parameters = headers
            .get(header::AUTHORIZATION)
            .ok_or_else(|| {
                Fault::new(
                    FaultKind::MissingAuthenticationToken,
                    "Missing Authentication Token",
                )
            })?
            .to_str()
            .ok()
            .and_then(|value| value.strip_prefix("AWS4-HMAC-SHA256 "))
            .ok_or_else(incomplete)?;
        let parameter = |name: &str| {
            parameters
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                .filter(|value| !value.is_empty())
                .ok_or_else(incomplete)
        };
        parameter("SignedHeaders")?;
        parameter("Signature")?;
        let wrong = |right: String| {
            let message = format!("Credential should be scoped to {right}.");
            Err(Fault::new(FaultKind::InvalidSignature, message))
        };
        let parts: Vec<&str> = parameter("Credential")?.rsplitn(5, '/').collect();
        match parts[..] {
            ["aws4_request", service, ..] if service != self.service => {
                wrong(format!("correct service: '{}'", self.service))
            }
            ["aws4_request", _, region, ..] if region != self.region => {
                wrong("a valid region".to_owned())
            }
            ["aws4_request", _service, _region, _date, _access_key] => Ok(()),
            _ => Err(incomplete()),
        }
    }
}
