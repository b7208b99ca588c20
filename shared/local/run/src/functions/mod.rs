//! The functions: every one of the contract, each with its own environment, HTTP client and
//! platform. They are invoked as Lambda invokes them.

pub(crate) mod aws_calls;
pub(crate) mod in_process;
pub(crate) mod invoke_api;
pub(crate) mod logs;
pub(crate) mod mcp;
pub(crate) mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use auth_api::Contract;
use auth_aws::{ConfigurationError, Environment, Platform};
use auth_lambda::{ClientContext, Function, FunctionError};
use serde_json::value::RawValue;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use self::aws_calls::{AwsCalls, INVOCATION, Invocation};
use crate::world::account::function_name;
use crate::world::clock::WorldClock;
use crate::world::options::EventWatcher;
use crate::world::random;

/// Builds a function on a platform.
pub type Mount = fn(&Platform) -> Result<Function, ConfigurationError>;

/// The mounted functions: one line for each crate under `crates/`. `scripts/new-operation` writes
/// the line, and every start compares the list with the contract.
const MOUNTED: &[(&str, Mount)] = &[
    ("authorization-callback", authorization_callback::function),
    ("authorize-request", authorize_request::function),
    ("change-email", change_email::function),
    ("clear-limits", clear_limits::function),
    ("confirm-password-reset", confirm_password_reset::function),
    ("confirm-registration", confirm_registration::function),
    ("confirm-start-link", confirm_start_link::function),
    ("custom-message", |platform| {
        custom_message::function(platform.environment())
    }),
    ("change-password", change_password::function),
    ("delete-account", delete_account::function),
    ("delete-guest", delete_guest::function),
    ("delete-passkey", delete_passkey::function),
    ("disable-guest", disable_guest::function),
    ("disable-mfa", disable_mfa::function),
    ("enable-guest", enable_guest::function),
    ("end-other-sessions", end_other_sessions::function),
    ("end-session", end_session::function),
    ("export-account", export_account::function),
    ("find-guest", find_guest::function),
    ("get-authenticated-guest", get_authenticated_guest::function),
    ("get-profile", get_profile::function),
    ("get-session-status", get_session_status::function),
    ("get-workload-token", get_workload_token::function),
    ("guest-activity", guest_activity::function),
    ("initiate-otp", initiate_otp::function),
    ("initiate-passkey", initiate_passkey::function),
    ("keep-factors", keep_factors::function),
    ("list-activity", list_activity::function),
    ("list-passkeys", list_passkeys::function),
    ("list-sessions", list_sessions::function),
    ("login-user", login_user::function),
    ("logout-user", logout_user::function),
    ("note-bounce", note_bounce::function),
    ("open-start-link", open_start_link::function),
    ("pre-token-generation", pre_token_generation::function),
    ("refresh-token", refresh_token::function),
    ("register-user", register_user::function),
    ("relink-guest", relink_guest::function),
    ("rename-passkey", rename_passkey::function),
    ("request-password-reset", request_password_reset::function),
    ("request-proof", request_proof::function),
    ("resend-otp", resend_otp::function),
    ("reset-factors", reset_factors::function),
    ("setup-mfa", setup_mfa::function),
    ("setup-passkey", setup_passkey::function),
    ("sign-out-guest", sign_out_guest::function),
    ("start-authorization", start_authorization::function),
    ("sweep-unproved-users", sweep_unproved_users::function),
    ("update-profile", update_profile::function),
    ("verify-email-change", verify_email_change::function),
    ("verify-mfa", verify_mfa::function),
    ("verify-mfa-setup", verify_mfa_setup::function),
    ("verify-otp", verify_otp::function),
    ("verify-passkey", verify_passkey::function),
    ("verify-passkey-setup", verify_passkey_setup::function),
];

/// Every function's name and constructor.
#[must_use]
pub fn mounted() -> &'static [(&'static str, Mount)] {
    MOUNTED
}

/// The version behind the alias that a deployment sends traffic to.
pub(crate) const LIVE_VERSION: &str = "1";

/// Why the functions cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum FunctionsError {
    /// The contract has a function that is not mounted.
    #[error(
        "the contract lists {0}, and nothing is mounted for it: add its line to MOUNTED in shared/local/run/src/functions/mod.rs"
    )]
    NotMounted(String),
    /// A mounted function is not in the contract.
    #[error(
        "{0} is mounted, and the contract does not list it: add it to shared/auth-api/openapi.yaml or take its line out of MOUNTED"
    )]
    NotListed(&'static str),
    /// A function refuses its configuration.
    #[error("{name} does not start")]
    Configuration {
        /// The function.
        name: &'static str,
        /// The variable and its error.
        source: ConfigurationError,
    },
}

/// Every function's start options.
pub(crate) struct Surroundings {
    /// Values by the names that the contract gives them.
    pub(crate) values: BTreeMap<String, String>,
    /// Region, credentials and endpoints, under AWS's names.
    pub(crate) aws: BTreeMap<String, String>,
    pub(crate) calls: Arc<AwsCalls>,
    pub(crate) clock: WorldClock,
    pub(crate) log: Dispatch,
    pub(crate) watcher: Option<EventWatcher>,
}

/// The functions. Each starts at its first invocation, as in Lambda.
pub(crate) struct Functions {
    mounted: BTreeMap<&'static str, Mounted>,
    started: Mutex<BTreeMap<&'static str, Function>>,
    surroundings: Surroundings,
}

#[derive(Clone, Copy)]
struct Mounted {
    name: &'static str,
    mount: Mount,
    listed: &'static auth_api::Function,
}

/// An invocation that has ended.
pub(crate) struct Invoked {
    pub(crate) request_id: String,
    pub(crate) outcome: Result<Box<RawValue>, FunctionError>,
    /// The AWS calls that it made.
    pub(crate) aws_calls: u32,
}

impl Invoked {
    /// The answer or the error.
    pub(crate) fn text(&self) -> &str {
        match &self.outcome {
            Ok(output) => output.get(),
            Err(error) => &error.message,
        }
    }
}

impl Functions {
    /// Mounts every function that the contract lists.
    pub(crate) fn new(surroundings: Surroundings) -> Result<Self, FunctionsError> {
        let mut mounted = BTreeMap::new();
        for listed in Contract::embedded().functions() {
            let (name, mount) = *MOUNTED
                .iter()
                .find(|(mounted, _)| *mounted == listed.name)
                .ok_or_else(|| FunctionsError::NotMounted(listed.name.clone()))?;
            mounted.insert(
                name,
                Mounted {
                    name,
                    mount,
                    listed,
                },
            );
        }
        if let Some((name, _)) = MOUNTED.iter().find(|(name, _)| !mounted.contains_key(name)) {
            return Err(FunctionsError::NotListed(name));
        }
        Ok(Self {
            mounted,
            started: Mutex::default(),
            surroundings,
        })
    }

    /// Fails if a function would not start with its settings.
    pub(crate) fn check(&self) -> Result<(), FunctionsError> {
        for mounted in self.mounted.values() {
            self.surroundings.start(*mounted)?;
        }
        Ok(())
    }

    /// The names of all functions.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.mounted.keys().copied()
    }

    /// The names of the functions that have started.
    pub(crate) fn started(&self) -> BTreeSet<&'static str> {
        self.locked().keys().copied().collect()
    }

    /// Ends the functions that `stays` does not name. Their next invocation starts them anew.
    pub(crate) fn end(&self, stays: impl Fn(&str) -> bool) {
        self.locked().retain(|name, _| stays(name));
    }

    /// A function, which starts now if it has not.
    fn warm(&self, mounted: Mounted) -> Result<Function, FunctionsError> {
        let mut started = self.locked();
        if let Some(function) = started.get(mounted.name) {
            return Ok(function.clone());
        }
        let function = self.surroundings.start(mounted)?;
        started.insert(mounted.name, function.clone());
        Ok(function)
    }

    /// A start that panics leaves no trace, so a poisoned lock is still valid.
    fn locked(&self) -> MutexGuard<'_, BTreeMap<&'static str, Function>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Invokes a function, and waits for its end or its time-out. `None` if there is no such
    /// function.
    ///
    /// As in Lambda, an invocation runs to its end even if its caller hangs up. A panic or a
    /// time-out is an error of that invocation alone.
    pub(crate) async fn invoke(
        &self,
        name: &str,
        event: Box<RawValue>,
        client_context: ClientContext,
    ) -> Option<Invoked> {
        let mounted = *self.mounted.get(name)?;
        let Surroundings {
            watcher,
            clock,
            log,
            ..
        } = &self.surroundings;
        if let Some(watcher) = watcher {
            watcher(name, &event);
        }
        let invocation = Arc::new(Invocation {
            request_id: random::uuid(),
            calls: AtomicU32::new(0),
        });
        let described = auth_lambda::Invocation {
            request_id: invocation.request_id.clone(),
            trace_id: Some(trace_id(clock.now().as_seconds())),
            client_context,
        };
        let function = self.warm(mounted);
        let run = async move {
            match function {
                Ok(function) => function.invoke(event, described).await,
                Err(error) => Err(FunctionError {
                    error_type: "Runtime.ExitError".to_owned(),
                    message: error
                        .source()
                        .map_or_else(|| error.to_string(), ToString::to_string),
                }),
            }
        };
        let task =
            tokio::spawn(INVOCATION.scope(invocation.clone(), run.with_subscriber(log.clone())));
        let stop = task.abort_handle();
        let timeout = Duration::from_secs(mounted.listed.timeout_seconds.into());
        let outcome = match tokio::time::timeout(timeout, task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_panic)) => Err(FunctionError {
                error_type: "Runtime.ExitError".to_owned(),
                message: format!(
                    "RequestId: {} Error: Runtime exited with error",
                    invocation.request_id
                ),
            }),
            Err(_elapsed) => {
                stop.abort();
                Err(FunctionError {
                    error_type: "Sandbox.Timedout".to_owned(),
                    message: format!(
                        "RequestId: {} Error: Task timed out after {:.2} seconds",
                        invocation.request_id,
                        timeout.as_secs_f64()
                    ),
                })
            }
        };
        if let Err(error) = &outcome {
            tracing::error!(
                function = name,
                error_type = error.error_type,
                "an invocation failed"
            );
        }
        Some(Invoked {
            request_id: invocation.request_id.clone(),
            outcome,
            aws_calls: invocation.calls.load(Ordering::Relaxed),
        })
    }
}

impl Surroundings {
    fn start(&self, mounted: Mounted) -> Result<Function, FunctionsError> {
        let Mounted {
            name,
            mount,
            listed,
        } = mounted;
        Platform::new(
            self.environment(&function_name(name), listed),
            self.calls.client_of(name),
            self.clock.for_operations(),
            random::for_operations(),
        )
        .and_then(|platform| mount(&platform))
        .map_err(|source| FunctionsError::Configuration { name, source })
    }

    /// Exactly the variables that the contract lists for the function, and those of Lambda itself.
    fn environment(&self, full_name: &str, wanted: &auth_api::Function) -> Environment {
        let listed = wanted
            .environment
            .iter()
            .filter_map(|name| Some((name.clone(), self.values.get(name)?.clone())));
        let aws = self
            .aws
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()));
        let lambda = [
            ("AWS_LAMBDA_FUNCTION_NAME", full_name.to_owned()),
            (
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                wanted.memory_mb.to_string(),
            ),
            ("AWS_LAMBDA_FUNCTION_VERSION", LIVE_VERSION.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        Environment::from_pairs(listed.chain(aws).chain(lambda))
    }
}

/// A new X-Ray trace id, which is not recorded.
pub(crate) fn trace_id(seconds: i64) -> String {
    let random = u128::from_be_bytes(random::bytes()) >> 32;
    let parent = u64::from_be_bytes(random::bytes());
    format!("Root=1-{seconds:08x}-{random:024x};Parent={parent:016x};Sampled=0")
}
