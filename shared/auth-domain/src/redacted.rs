//! The only `Debug` of secrets and personal data: the name of their type.

/// Gives a newtype a `Debug` that prints only the name of its type.
macro_rules! redacted_debug {
    ($($type:ident),+ $(,)?) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(concat!(stringify!($type), "(…)"))
            }
        }
    )+};
}

pub(crate) use redacted_debug;
