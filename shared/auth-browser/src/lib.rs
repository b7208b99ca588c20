//! Embeds the package's JavaScript modules, so that the local run can serve them as
//! `text/javascript`. They import one another by these names.

/// `latchkey.js`: the client.
pub const LATCHKEY: &str = include_str!("../latchkey.js");

/// `keeper.js`: the session, which `latchkey.js` imports.
pub const KEEPER: &str = include_str!("../keeper.js");

/// `operations.js`: the table of operations, which `latchkey.js` imports.
pub const OPERATIONS: &str = include_str!("../operations.js");

/// `proof-of-work.js`, which starts itself as a worker too.
pub const PROOF_OF_WORK: &str = include_str!("../proof-of-work.js");
