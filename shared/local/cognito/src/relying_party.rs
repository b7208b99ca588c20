//! Ids of relying parties: the domain names of passkeys.

use webauthn_rp::request::{AsciiDomain, RpId};

use crate::refusal::Refusal;

/// Whether a text can be the id of a relying party: a domain name.
pub(crate) fn is_relying_party(text: &str) -> bool {
    let host = url::Host::parse(text);
    host.is_ok_and(|host| matches!(host, url::Host::Domain(name) if name == text))
        && rp_id(text).is_ok()
}

/// A relying party's id, as the library that verifies takes it.
pub(crate) fn rp_id(relying_party: &str) -> Result<RpId, Refusal> {
    AsciiDomain::try_from(relying_party.to_owned())
        .map(RpId::Domain)
        .map_err(|_| Refusal::invalid("The relying party id is not a domain name."))
}
