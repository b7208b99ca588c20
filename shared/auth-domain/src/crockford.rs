//! Crockford's base32, the alphabet of ids and codes for people.

/// It has no I, L, O or U, so people can read a code aloud, print it and write it by hand.
pub(crate) const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
