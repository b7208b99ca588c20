//! The functions' settings: every default is the contract's. A function does not start with a value
//! that Cognito would not keep, or that would lock all people out.

use std::time::Duration;

use auth_api::Contract;
use auth_aws::Environment;
use serde_json::json;

use crate::harness::TestWorld;

/// The contract's defaults, with one of them replaced.
fn environment(name: &str, value: &str) -> Environment {
    let defaults = Contract::embedded().settings().iter();
    let defaults = defaults.filter_map(|setting| {
        let default = setting.default.clone()?;
        Some((setting.name.clone(), default))
    });
    Environment::from_pairs(defaults.chain([(name.to_owned(), value.to_owned())]))
}

#[test]
fn settings_that_would_lock_everybody_out_or_promise_what_cognito_does_not_keep_stop_the_start() {
    for (name, value) in [
        ("OTP_ATTEMPTS", "0"),
        ("OTP_ATTEMPTS", "101"),
        ("OTP_LIFETIME_SECONDS", "0"),
        ("OTP_LIFETIME_SECONDS", "301"),
        ("OTP_RESEND_SECONDS", "0"),
    ] {
        let refused = environment(name, value).sign_in_rules().unwrap_err();
        assert!(refused.to_string().contains(name), "{refused}");
    }
    for (name, value) in [
        ("LOGIN_FAILURES_PER_EMAIL", "0"),
        ("LOGIN_FAILURES_PER_EMAIL", "6"),
        ("LOGIN_QUIET_SECONDS", "899"),
    ] {
        let refused = environment(name, value).login_failures().unwrap_err();
        assert!(refused.to_string().contains(name), "{refused}");
    }
    for (name, value) in [
        ("CODE_MAILS_PER_HOUR", "21"),
        ("CODE_MAILS_PER_DAY_STRANGERS", "0"),
        ("CODE_MAILS_PER_DAY", "201"),
        ("SOLVED_MAILS_PER_HOUR", "21"),
    ] {
        let refused = environment(name, value).code_mails().unwrap_err();
        assert!(refused.to_string().contains(name), "{refused}");
    }
    let none = environment("SOLVED_TRIES_PER_HOUR", "0").code_tries();
    assert!(none.is_ok());
    let too_few = environment("OTP_FAILURES_PER_EMAIL", "2").code_tries();
    assert!(too_few.is_err());
    let too_few = environment("ATTEMPTS_PER_NETWORK", "9").attempts_per_network("login-network");
    assert!(too_few.is_err());
    let none = environment("MFA_ATTEMPTS", "0").second_factor_rules();
    assert!(none.is_err());
    let none = environment("OTP_STARTS_PER_MINUTE", "0").pool_limits();
    assert!(none.is_err());
    let none = environment("DEVICE_COOKIE_DAYS", "0").device_cookie_lifetime();
    assert!(none.is_err());
    let too_long = environment("REFRESH_TOKEN_DAYS", "3651").refresh_token_lifetime();
    assert!(too_long.is_err());
    let shortest = environment("OTP_LIFETIME_SECONDS", "1").sign_in_rules();
    assert_eq!(shortest.unwrap().lifetime, Duration::from_secs(1));
}

/// A value that only a function can judge stops the run before its ready line. In a world that
/// nobody has checked, the function fails as in Lambda.
#[tokio::test]
async fn a_setting_that_a_function_refuses_stops_the_start() {
    let world = TestWorld::with_settings(&[("TOTP_ISSUER", "Latchkey: dev")]).await;
    let refused = world.check_settings().unwrap_err().to_string();
    assert_eq!(refused, "setup-mfa does not start");
    let answer = world.invoke("setup-mfa", &json!({})).await;
    assert_eq!(answer["errorType"], "Runtime.ExitError");
    assert!(answer.text("errorMessage").contains("TOTP_ISSUER"));
    assert!(TestWorld::start().await.check_settings().is_ok());
}

/// The code contains no defaults.
#[test]
fn a_setting_that_is_missing_stops_the_start_by_name() {
    let missing = Environment::from_pairs([]).sign_in_rules().unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the environment variable OTP_LIFETIME_SECONDS is missing or empty"
    );
}
