//! Embeds the package's JavaScript modules, so that the local run can serve them as
//! `text/javascript`. They import one another by these names.

/// Every module that a page needs, by its path in the package. `proof-of-work.js` starts itself as
/// a worker too.
pub const MODULES: &[(&str, &str)] = &[
    ("components.js", include_str!("../components.js")),
    (
        "elements/account-activity.js",
        include_str!("../elements/account-activity.js"),
    ),
    (
        "elements/account-address.js",
        include_str!("../elements/account-address.js"),
    ),
    (
        "elements/account-authenticator.js",
        include_str!("../elements/account-authenticator.js"),
    ),
    (
        "elements/account-data.js",
        include_str!("../elements/account-data.js"),
    ),
    (
        "elements/account-german.js",
        include_str!("../elements/account-german.js"),
    ),
    (
        "elements/account-passkeys.js",
        include_str!("../elements/account-passkeys.js"),
    ),
    (
        "elements/account-password.js",
        include_str!("../elements/account-password.js"),
    ),
    (
        "elements/account-profile.js",
        include_str!("../elements/account-profile.js"),
    ),
    (
        "elements/account-sessions.js",
        include_str!("../elements/account-sessions.js"),
    ),
    (
        "elements/account-texts.js",
        include_str!("../elements/account-texts.js"),
    ),
    (
        "elements/account-ways-out.js",
        include_str!("../elements/account-ways-out.js"),
    ),
    (
        "elements/account.js",
        include_str!("../elements/account.js"),
    ),
    (
        "elements/authenticator-steps.js",
        include_str!("../elements/authenticator-steps.js"),
    ),
    ("elements/base.js", include_str!("../elements/base.js")),
    (
        "elements/consent-result.js",
        include_str!("../elements/consent-result.js"),
    ),
    ("elements/device.js", include_str!("../elements/device.js")),
    ("elements/german.js", include_str!("../elements/german.js")),
    ("elements/parts.js", include_str!("../elements/parts.js")),
    (
        "elements/passkey-steps.js",
        include_str!("../elements/passkey-steps.js"),
    ),
    ("elements/proof.js", include_str!("../elements/proof.js")),
    (
        "elements/sign-in.js",
        include_str!("../elements/sign-in.js"),
    ),
    ("elements/style.js", include_str!("../elements/style.js")),
    ("elements/texts.js", include_str!("../elements/texts.js")),
    ("keeper.js", include_str!("../keeper.js")),
    ("latchkey.js", include_str!("../latchkey.js")),
    ("operations.js", include_str!("../operations.js")),
    ("passkeys.js", include_str!("../passkeys.js")),
    ("proof-of-work.js", include_str!("../proof-of-work.js")),
];
