//! Embeds the JavaScript modules for browsers, so that the local run can serve them.

/// `latchkey.js`, an ES module without imports; to be served as `text/javascript`.
pub const MODULE: &str = include_str!("../latchkey.js");

/// `latchkey.d.ts`, the module's type declarations.
pub const TYPES: &str = include_str!("../latchkey.d.ts");

/// `proof-of-work.js`, an ES module without imports, which starts itself as a worker too.
pub const PROOF_OF_WORK: &str = include_str!("../proof-of-work.js");
