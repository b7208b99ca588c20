//! Crockford's base32, in which ids and codes for people are written.

/// No I, L, O, U, so that what is written in it survives telephone, paper and handwriting.
pub(crate) const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
