//! The answers of the HTTP door.

use std::time::Duration;

use auth_domain::{Ageing, Attempts, Limit, LimitState, Problem, RefreshRefusal, Report};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, SameSite, SetCookie};
use serde_json::{Value, json};

use crate::{
    harness::{self, REQUEST_ID, deployment, http_event, invocation, raw},
    opened,
};

/// An operation that ends with the given outcome.
struct Ends(End);

type End = fn(&Exchange) -> Result<&'static str, Problem>;

impl Operation for Ends {
    const NAME: &'static str = "ends";
    const ACCESS: Access = Access::Public;

    type Input = ();
    type Output = &'static str;

    fn parse(&self, _fields: &mut Fields) -> Result<(), Problem> {
        Ok(())
    }

    async fn run(&self, (): (), exchange: &Exchange) -> Result<&'static str, Problem> {
        (self.0)(exchange)
    }
}

/// An operation with an empty answer.
struct Silent;

impl Operation for Silent {
    const NAME: &'static str = "silent";
    const ACCESS: Access = Access::Public;
    const STATUS: u16 = 204;

    type Input = ();
    type Output = ();

    fn parse(&self, _fields: &mut Fields) -> Result<(), Problem> {
        Ok(())
    }

    async fn run(&self, (): (), _exchange: &Exchange) -> Result<(), Problem> {
        Ok(())
    }
}

async fn ending(end: End) -> Value {
    let function = Function::operation(Ends(end), deployment());
    harness::invoke(&function, raw(&http_event()), invocation()).await
}

#[tokio::test]
async fn every_problem_has_its_status_code_and_type() {
    let problems: [(End, u64, &str); 16] = [
        (
            |_| Err(Problem::ValidationFailed(Vec::new())),
            400,
            "VALIDATION_FAILED",
        ),
        (|_| Err(Problem::InvalidSession), 400, "INVALID_SESSION"),
        (|_| Err(Problem::AuthRequired), 401, "AUTH_REQUIRED"),
        (
            |_| {
                Err(Problem::InvalidOtp(Attempts {
                    made: 1,
                    remaining: 2,
                }))
            },
            401,
            "INVALID_OTP",
        ),
        (
            |_| Err(Problem::InvalidRefreshToken(RefreshRefusal::Reused)),
            401,
            "INVALID_REFRESH_TOKEN",
        ),
        (|_| Err(Problem::UserMismatch), 403, "USER_MISMATCH"),
        (|_| Err(Problem::NotFound), 404, "NOT_FOUND"),
        (|_| Err(Problem::OtpExpired), 410, "OTP_EXPIRED"),
        (|_| Err(Problem::SessionExpired), 410, "SESSION_EXPIRED"),
        (|_| Err(Problem::PayloadTooLarge), 413, "PAYLOAD_TOO_LARGE"),
        (
            |_| Err(Problem::UnsupportedMediaType),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            |_| {
                let limit = Limit {
                    name: "attempts",
                    quota: 3,
                    window: Duration::from_mins(5),
                    ageing: Ageing::OneByOne,
                };
                Err(Problem::MaxAttemptsExceeded(LimitState {
                    limit,
                    remaining: 0,
                    reset_seconds: 7,
                }))
            },
            429,
            "MAX_ATTEMPTS_EXCEEDED",
        ),
        (
            |_| {
                Err(Problem::RateLimited {
                    retry_after_seconds: 7,
                    challenge: None,
                })
            },
            429,
            "RATE_LIMITED",
        ),
        (
            |_| Err(Problem::EmailDeliveryFailed(Report::of("x"))),
            502,
            "EMAIL_DELIVERY_FAILED",
        ),
        (
            |_| {
                Err(Problem::ServiceUnavailable {
                    retry_after_seconds: 7,
                    report: Report::of("x"),
                })
            },
            503,
            "SERVICE_UNAVAILABLE",
        ),
        (|_| Err(Problem::Internal(Report::of("x"))), 500, "INTERNAL"),
    ];
    for (end, status, code) in problems {
        let answer = ending(end).await;
        let (answered, body) = opened(&answer);
        assert_eq!((answered, &body["code"]), (status, &json!(code)));
        assert_eq!(body["requestId"], REQUEST_ID);
        let slug = code.to_lowercase().replace('_', "-");
        assert_eq!(
            body["type"],
            format!("https://latchkey.dev/problems/{slug}")
        );
        let retry_after = matches!(status, 429 | 503).then(|| json!("7"));
        assert_eq!(
            answer["headers"].get("retry-after"),
            retry_after.as_ref(),
            "{code}"
        );
    }
}

#[tokio::test]
async fn a_problem_tells_what_its_reader_can_use() {
    let (_, wrong) = opened(
        &ending(|_| {
            Err(Problem::InvalidOtp(Attempts {
                made: 1,
                remaining: 2,
            }))
        })
        .await,
    );
    assert_eq!(wrong["attemptsRemaining"], 2);
    let (_, reused) =
        opened(&ending(|_| Err(Problem::InvalidRefreshToken(RefreshRefusal::Reused))).await);
    assert!(reused["cause"].is_string());
}

#[tokio::test]
async fn a_report_stays_with_us() {
    let answer = ending(|_| {
        Err(Problem::Internal(Report::new(
            "read the guest",
            "arn:aws:dynamodb:eu-west-1:000000000000:table/guests",
        )))
    })
    .await;
    let text = answer.to_string();
    assert!(
        !text.contains("arn:aws") && !text.contains("read the guest"),
        "{text}"
    );
}

#[tokio::test]
async fn limits_and_cookies_travel_in_their_own_fields() {
    let answer = ending(|exchange| {
        let limit = |name, quota| Limit {
            name,
            quota,
            window: Duration::from_mins(15),
            ageing: Ageing::OneByOne,
        };
        let state = |limit, remaining| LimitState {
            limit,
            remaining,
            reset_seconds: 60,
        };
        exchange.rate_limit(state(limit("per-email", 5), 4));
        exchange.rate_limit(state(limit("per-ip", 30), 29));
        // The later state of a limit is the one that counts.
        exchange.rate_limit(state(limit("per-email", 5), 3));
        exchange.set_cookie(SetCookie {
            name: "__Host-crumb".to_owned(),
            value: "v".to_owned(),
            max_age_seconds: 60,
            same_site: SameSite::Lax,
        });
        exchange.set_cookie(SetCookie::no_refresh_token());
        Ok("done")
    })
    .await;
    let headers = &answer["headers"];
    assert_eq!(
        headers["ratelimit-policy"],
        r#""per-ip";q=30;w=900, "per-email";q=5;w=900"#
    );
    assert_eq!(
        headers["ratelimit"],
        r#""per-ip";r=29;t=60, "per-email";r=3;t=60"#
    );
    // In `cookies`, because a payload of format 2.0 has one header field a name.
    assert_eq!(headers.get("set-cookie"), None);
    assert_eq!(
        answer["cookies"],
        json!([
            "__Host-crumb=v; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax",
            "__Host-latchkey-refresh=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict",
        ])
    );
}

#[tokio::test]
async fn nothing_to_say_is_204_over_http_and_an_empty_object_directly() {
    let function = Function::operation(Silent, deployment());
    let answer = harness::invoke(&function, raw(&http_event()), invocation()).await;
    assert_eq!(answer["statusCode"], 204);
    assert_eq!(answer.get("body").and_then(Value::as_str), None);
    let answer = harness::invoke(&function, raw(&json!({})), invocation()).await;
    assert_eq!(answer, json!({}));
}
