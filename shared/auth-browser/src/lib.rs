//! Embeds the package's JavaScript modules, so that the local run can serve them as
//! `text/javascript`. They import one another by these names.

/// Every module that a page needs, by its path in the package. `proof-of-work.js` starts itself as
/// a worker too. The build script follows the imports.
pub const MODULES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/modules.rs"));
