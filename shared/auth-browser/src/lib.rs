//! Embeds the JavaScript module for browsers, so that the local run can serve it.

/// `latchkey.js`, an ES module without imports; to be served as `text/javascript`.
pub const MODULE: &str = include_str!("../latchkey.js");

/// `latchkey.d.ts`, the module's type declarations.
pub const TYPES: &str = include_str!("../latchkey.d.ts");
