//! The authorizer's door: the events by which API Gateway and `AppSync` ask whether a request to a
//! team's own API may pass, and their answers.
//!
//! | asking API | event | answer |
//! | --- | --- | --- |
//! | HTTP API, payload format 2.0 | `version` 2.0, `routeArn`, `headers` | `isAuthorized`, `context` |
//! | REST and WebSocket API | `methodArn`, and `authorizationToken` or `headers` | a policy |
//! | AppSync | `authorizationToken`, `requestContext.apiId` | `isAuthorized`, `resolverContext` |

use serde_json::{Map, Value, json};

use crate::http_door::bearer_token;

/// How long an API may keep an answer. `AppSync` takes it from the function, the others from their
/// authorizer's settings.
const KEPT_SECONDS: u32 = 30;

/// An API's question about a request.
pub(crate) struct Question {
    asker: Asker,
    /// The access token; empty if the request has none.
    pub(crate) token: String,
}

/// The kind of API that asks.
enum Asker {
    HttpApi,
    /// With the subject of its policy: every method of the API's stage.
    PolicyApi {
        resource: String,
    },
    AppSync,
}

/// The user of an admitted request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The guest's id.
    pub guest_id: String,
    /// The user's sub.
    pub sub: String,
    /// The session.
    pub session_id: String,
}

impl Question {
    /// Reads an event; `None` for one of another kind.
    pub(crate) fn read(event: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        let token = match text("authorizationToken") {
            Some(token) => bearer_token(token),
            None => bearer_token(header(event).unwrap_or_default()),
        };
        let asker = if let Some(arn) = text("methodArn") {
            Asker::PolicyApi {
                resource: every_method(arn)?,
            }
        } else if text("version") == Some("2.0") && text("routeArn").is_some() {
            Asker::HttpApi
        } else if event.get("requestContext")?.get("apiId").is_some()
            && text("authorizationToken").is_some()
        {
            Asker::AppSync
        } else {
            return None;
        };
        Some(Self { asker, token })
    }

    /// The answer in the API's format; `None` denies the request.
    pub(crate) fn answer(&self, passed: Option<&Passed>) -> Value {
        let context = passed.map_or_else(Map::new, Passed::context);
        match &self.asker {
            Asker::HttpApi => json!({ "isAuthorized": passed.is_some(), "context": context }),
            Asker::AppSync => {
                json!({
                    "isAuthorized": passed.is_some(),
                    "resolverContext": context,
                    "ttlOverride": KEPT_SECONDS,
                })
            }
            Asker::PolicyApi { resource } => json!({
                "principalId": passed.map_or("nobody", |passed| passed.guest_id.as_str()),
                "policyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Action": "execute-api:Invoke",
                        "Effect": if passed.is_some() { "Allow" } else { "Deny" },
                        "Resource": resource,
                    }],
                },
                "context": context,
            }),
        }
    }
}

impl Passed {
    /// Only text values, because a REST API accepts no others.
    fn context(&self) -> Map<String, Value> {
        Map::from_iter([
            ("guestId".to_owned(), self.guest_id.as_str().into()),
            ("sub".to_owned(), self.sub.as_str().into()),
            ("sessionId".to_owned(), self.session_id.as_str().into()),
        ])
    }
}

/// The `Authorization` field. HTTP APIs write names in lower case, REST APIs as the client did.
fn header(event: &Map<String, Value>) -> Option<&str> {
    let headers = event.get("headers")?.as_object()?;
    let mut named = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    named.find_map(|(_, value)| value.as_str())
}

/// `arn:…:execute-api:…:<api>/<stage>/*` of a method's ARN. The gateway caches an answer by token
/// for all methods, so a policy about one method would deny the others.
fn every_method(method_arn: &str) -> Option<String> {
    let mut parts = method_arn.splitn(3, '/');
    let (api, stage) = (parts.next()?, parts.next()?);
    parts.next()?;
    let is_api = api.starts_with("arn:") && api.contains(":execute-api:");
    is_api.then(|| format!("{api}/{stage}/*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: &str = "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod/GET/rooms/7";
    const STAGE: &str = "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod/*";

    fn question(event: &Value) -> Option<Question> {
        Question::read(event.as_object().unwrap())
    }

    fn ada() -> Passed {
        Passed {
            guest_id: "GST-2026-7K3QXB".to_owned(),
            sub: "5f1c2a9e".to_owned(),
            session_id: "7d0b8e63".to_owned(),
        }
    }

    #[test]
    fn an_http_api_gets_the_simple_answer() {
        let asked = question(&json!({
            "version": "2.0",
            "type": "REQUEST",
            "routeArn": METHOD,
            "headers": { "authorization": "bearer abc" },
        }))
        .unwrap();
        assert_eq!(asked.token, "abc");
        let context =
            json!({ "guestId": "GST-2026-7K3QXB", "sub": "5f1c2a9e", "sessionId": "7d0b8e63" });
        assert_eq!(
            asked.answer(Some(&ada())),
            json!({ "isAuthorized": true, "context": context })
        );
        assert_eq!(
            asked.answer(None),
            json!({ "isAuthorized": false, "context": {} })
        );
    }

    #[test]
    fn a_rest_api_gets_a_policy_for_its_stage() {
        for event in [
            json!({ "type": "TOKEN", "methodArn": METHOD, "authorizationToken": "Bearer abc" }),
            json!({ "type": "REQUEST", "methodArn": METHOD, "headers": { "AUTHORIZATION": "Bearer abc" } }),
        ] {
            let asked = question(&event).unwrap();
            assert_eq!(asked.token, "abc");
            for (passed, effect) in [(Some(ada()), "Allow"), (None, "Deny")] {
                let answer = asked.answer(passed.as_ref());
                let statement = &answer["policyDocument"]["Statement"][0];
                assert_eq!(statement["Effect"], effect);
                assert_eq!(statement["Resource"], STAGE);
            }
        }
    }

    #[test]
    fn appsync_gets_a_resolver_context() {
        let event =
            json!({ "authorizationToken": "Bearer abc", "requestContext": { "apiId": "x" } });
        let answer = question(&event).unwrap().answer(Some(&ada()));
        assert_eq!(answer["resolverContext"]["guestId"], "GST-2026-7K3QXB");
        assert_eq!(answer["ttlOverride"], 30);
    }

    #[test]
    fn no_token_is_an_empty_one_and_other_events_are_none() {
        let bare = json!({ "version": "2.0", "routeArn": METHOD, "headers": { "authorization": "Basic abc" } });
        assert_eq!(question(&bare).unwrap().token, "");
        let none = json!({ "type": "REQUEST", "methodArn": METHOD });
        assert_eq!(question(&none).unwrap().token, "");
        for event in [
            json!({}),
            json!({ "methodArn": "arn:aws:s3:::bucket/a/b" }),
            json!({ "methodArn": "text" }),
            json!({ "version": "2.0", "routeKey": "GET /me", "requestContext": {} }),
        ] {
            assert!(question(&event).is_none(), "{event}");
        }
    }
}
