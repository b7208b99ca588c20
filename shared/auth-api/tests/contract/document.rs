//! The document: its parts agree with each other, and forbidden content is refused.

use std::{cell::RefCell, collections::BTreeSet};

use auth_api::{
    Bounds, Contract, DOCUMENT, FunctionKind, Grant, Security, SettingKind, ToolSchemaKind,
    TriggerKind, UserPool,
};
use jsonschema::Registry;
use serde_json::{Value, json};

use crate::changed;

/// Every object in a value, with its place.
fn objects<'v>(value: &'v Value, place: &str, visit: &mut impl FnMut(&str, &'v Value)) {
    match value {
        Value::Object(fields) => {
            visit(place, value);
            for (key, field) in fields {
                let key = key.replace('~', "~0").replace('/', "~1");
                objects(field, &format!("{place}/{key}"), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                objects(item, &format!("{place}/{index}"), visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn refused(document: &str) -> String {
    let error = Contract::read(document).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string);
    format!("{error}: {}", source.unwrap_or_default())
}

fn initiate(document: &mut Value) -> &mut Value {
    &mut document["paths"]["/auth/otp/initiate"]["post"]
}

#[test]
fn one_name_follows_from_the_operation_id() {
    let contract = Contract::embedded();
    for function in contract.functions() {
        let words = function.name.split('-').enumerate();
        let camel_case: String = words
            .map(|(place, word)| {
                let first = word.get(..1).unwrap();
                let first = if place == 0 {
                    first.to_owned()
                } else {
                    first.to_ascii_uppercase()
                };
                first + &word[1..]
            })
            .collect();
        assert_eq!(camel_case, function.operation_id);
        for either in [&function.operation_id, &function.name] {
            assert_eq!(contract.function(either).unwrap().name, function.name);
        }
    }
    let setup = contract.function("verifyMfaSetup").unwrap();
    assert_eq!(setup.name, "verify-mfa-setup");
}

#[test]
fn the_functions_of_routes_come_first_and_are_the_operations() {
    let contract = Contract::embedded();
    let routed = contract.functions().iter();
    let routed = routed.take_while(|one| one.kind == FunctionKind::Route);
    let operations = contract.operations().iter();
    assert!(
        routed
            .map(|one| (&one.operation_id, &one.name, &one.summary))
            .eq(operations.map(|one| (&one.operation_id, &one.name, &one.summary)))
    );
    let mut others = contract
        .functions()
        .iter()
        .skip(contract.operations().len());
    assert!(others.all(|one| one.kind != FunctionKind::Route));
    let trigger = contract.function("pre-token-generation").unwrap();
    assert_eq!(
        trigger.kind,
        FunctionKind::Trigger(TriggerKind::PreTokenGeneration)
    );
    assert!(contract.operation(&trigger.name).is_none());
}

#[test]
fn a_function_of_any_kind_is_read() {
    for (kind, every, read) in [
        (
            "custom-message",
            Value::Null,
            FunctionKind::Trigger(TriggerKind::CustomMessage),
        ),
        (
            "schedule",
            json!(60),
            FunctionKind::Schedule { every_minutes: 60 },
        ),
        ("authorizer", Value::Null, FunctionKind::Authorizer),
        ("mail-feedback", Value::Null, FunctionKind::MailFeedback),
    ] {
        let document = changed(|document| {
            let mut function = document["x-latchkey-functions"]["preTokenGeneration"].clone();
            function["kind"] = kind.into();
            function["everyMinutes"] = every.clone();
            let functions = document["x-latchkey-functions"].as_object_mut().unwrap();
            functions.retain(|_, function| function["kind"] != kind);
            functions.insert("another".into(), function);
        });
        let contract = Contract::read(&document).unwrap();
        assert_eq!(contract.function("another").unwrap().kind, read);
    }
}

#[test]
fn jwt_routes_want_the_scope_that_only_our_sign_ins_give_and_agents_and_operators_sign() {
    for operation in Contract::embedded().operations() {
        let (path, id) = (operation.path.as_str(), &operation.operation_id);
        match &operation.security {
            Security::Jwt { scopes } => assert_eq!(*scopes, ["latchkey/session"], "{id}"),
            Security::OptionalJwt => {}
            Security::Iam | Security::Public => assert!(!path.starts_with("/me"), "{id}"),
        }
        let signed = path.starts_with("/agent/") || path.starts_with("/admin/");
        assert_eq!(operation.security == Security::Iam, signed, "{id}");
    }
}

#[test]
fn a_token_that_may_be_left_out_is_for_the_operation_to_look_at() {
    for (security, read) in [
        (json!([{ "cognitoJwt": ["a"] }, {}]), Security::OptionalJwt),
        (json!([]), Security::Public),
    ] {
        let document = changed(|document| initiate(document)["security"] = security.clone());
        let contract = Contract::read(&document).unwrap();
        let operation = contract.operation("initiateOtp").unwrap();
        assert_eq!(operation.security, read, "{security}");
    }
}

#[test]
fn grants_read_back_as_they_were_written() {
    let verify = Contract::embedded().function("verifyOtp").unwrap();
    let written = &Contract::embedded().as_json()["paths"]["/auth/otp/verify"]["post"]["x-latchkey"]
        ["grants"];
    let read: Vec<String> = verify.grants.iter().map(Grant::to_string).collect();
    assert_eq!(json!(read), *written);
    let of_the_guests: Vec<&str> = verify
        .grants
        .iter()
        .filter(|grant| grant.resource() == "guests")
        .map(Grant::action)
        .collect();
    assert_eq!(of_the_guests, ["GetItem", "PutItem", "UpdateItem"]);
}

#[test]
fn everything_that_a_function_can_use_has_a_name() {
    for grant in [
        "sessions:GetItem",
        "workload-identity:GetWorkloadAccessTokenForUserId",
        "token-vault:GetResourceOauth2Token",
    ] {
        let document =
            changed(|document| initiate(document)["x-latchkey"]["grants"] = json!([grant]));
        let contract = Contract::read(&document).unwrap();
        let grants = &contract.function("initiateOtp").unwrap().grants;
        assert_eq!(grants[0].to_string(), grant);
    }
}

#[test]
fn malformed_and_repeated_grants_are_refused() {
    for grant in [
        "guests",
        "guests:",
        "guests:getItem",
        "guests:*",
        "GetItem",
        "guests:Get Item",
        "*:GetItem",
    ] {
        let document =
            changed(|document| initiate(document)["x-latchkey"]["grants"][0] = grant.into());
        assert!(refused(&document).contains("is not a grant"), "{grant}");
    }
    for grant in [
        "guest:GetItem",
        "guests:Scan",
        "guests:TransactWriteItems",
        "mail:GetItem",
    ] {
        let document =
            changed(|document| initiate(document)["x-latchkey"]["grants"][0] = grant.into());
        let reason = format!("{grant} is not an action of x-latchkey-resources");
        assert!(refused(&document).contains(&reason), "{grant}");
    }
    for function in Contract::embedded().functions() {
        let distinct: BTreeSet<&Grant> = function.grants.iter().collect();
        assert_eq!(distinct.len(), function.grants.len(), "{}", function.name);
    }
}

#[test]
fn keys_that_are_not_known_are_refused() {
    let unknown = [
        changed(|document| document["x-latchkey-function"] = json!({})),
        changed(|document| {
            document["x-latchkey-functions"]["preTokenGeneration"]["vpc"] = true.into();
        }),
        changed(|document| document["x-latchkey-resources"]["mail"]["arn"] = "*".into()),
        changed(|document| {
            document["x-latchkey-resources"]["guests"]["table"]["sortKey"] = "sk".into();
        }),
        changed(|document| document["x-latchkey-settings"]["LOG_LEVEL"]["secret"] = true.into()),
        changed(|document| initiate(document)["x-latchkeys"] = json!({})),
        changed(|document| initiate(document)["x-latchkey"]["memoryMB"] = 512.into()),
        changed(|document| initiate(document)["x-latchkey"]["throttle"]["rate"] = 1.into()),
        changed(|document| {
            initiate(document)["x-latchkey"]["tool"]["inputSchema"]["additionalProperties"] =
                false.into();
        }),
        changed(|document| {
            initiate(document)["x-latchkey"]["tool"]["inputSchema"]["properties"]["email"]["format"] =
                "email".into();
        }),
        changed(|document| document["paths"]["/me"]["head"] = json!({})),
    ];
    for document in unknown {
        assert!(refused(&document).contains("unknown field"));
    }
}

#[test]
fn contradictions_of_operations_are_refused() {
    let contradictions = [
        (
            changed(|document| {
                initiate(document)["x-latchkey"]["environment"][0] = "NOT_LISTED".into();
            }),
            "NOT_LISTED is not in x-latchkey-settings",
        ),
        (
            changed(|document| initiate(document)["operationId"] = "verifyOtp".into()),
            "the name is taken",
        ),
        (
            changed(|document| initiate(document)["operationId"] = "InitiateOtp".into()),
            "camelCase",
        ),
        (
            changed(|document| initiate(document)["security"] = json!([{ "cognitoJwt": [] }])),
            "security is",
        ),
        (
            changed(|document| {
                initiate(document)["security"] = json!([{ "cognitoJwt": ["a"] }, { "iam": [] }]);
            }),
            "security is",
        ),
        (
            changed(|document| initiate(document)["security"] = json!([{}])),
            "security is",
        ),
        (
            changed(|document| {
                initiate(document)["x-latchkey"]["tool"]["name"] = "verify_cognito_otp".into();
            }),
            "the same tool",
        ),
        (
            changed(|document| {
                let mut operation = document["paths"]["/me"]["get"].clone();
                for (id, path) in [("one", "/a/{b}"), ("two", "/a/{c}")] {
                    operation["operationId"] = id.into();
                    document["paths"][path] = json!({ "get": operation.clone() });
                }
            }),
            "the same route",
        ),
        (
            changed(|document| {
                let mut operation = document["paths"]["/me"]["get"].clone();
                operation["operationId"] = "one".into();
                document["paths"]["/a/b-{c}"] = json!({ "get": operation });
            }),
            "one whole {parameter}",
        ),
    ];
    for (document, reason) in contradictions {
        let message = refused(&document);
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn contradictions_of_settings_functions_and_resources_are_refused() {
    let contradictions = [
        (
            changed(|document| {
                document["x-latchkey-settings"]["OTP_ATTEMPTS"]["default"] = "three".into();
            }),
            "the default is not of its type",
        ),
        (
            changed(|document| {
                document["x-latchkey-settings"]["OTP_ATTEMPTS"]["default"] = 101.into();
            }),
            "OTP_ATTEMPTS: the default must be a whole number from 1 to 100",
        ),
        (
            changed(|document| {
                document["x-latchkey-settings"]["LOG_LEVEL"]["default"] = "loud".into();
            }),
            "LOG_LEVEL: the default must be one of error",
        ),
        (
            changed(|document| {
                let setting = document["x-latchkey-settings"]["OTP_ATTEMPTS"].as_object_mut();
                setting.unwrap().remove("maximum");
            }),
            "a number has a minimum and a maximum",
        ),
        (
            changed(|document| {
                let setting = document["x-latchkey-settings"]["FRONTEND_URL"].as_object_mut();
                setting.unwrap().remove("madeBy");
            }),
            "without a default, somebody must make it",
        ),
        (
            changed(|document| {
                document["x-latchkey-functions"]["preTokenGeneration"]["everyMinutes"] = 5.into();
            }),
            "a schedule has everyMinutes of at least 1",
        ),
        (
            changed(|document| {
                document["x-latchkey-functions"]["preTokenGeneration"]["kind"] = "schedule".into();
            }),
            "a schedule has everyMinutes of at least 1",
        ),
        (
            changed(|document| {
                let functions = &mut document["x-latchkey-functions"];
                functions["another"] = functions["preTokenGeneration"].clone();
            }),
            "another function is the same trigger",
        ),
        (
            changed(|document| {
                document["x-latchkey-resources"]["guests"]["table"]["setting"] = "TABLE".into();
            }),
            "TABLE is not in x-latchkey-settings",
        ),
    ];
    for (document, reason) in contradictions {
        let message = refused(&document);
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn extensions_stand_only_where_a_reader_looks_for_them() {
    objects(Contract::embedded().as_json(), "", &mut |place, object| {
        for key in object
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| key.starts_with("x-"))
        {
            let known = match key.as_str() {
                "x-latchkey-unrouted"
                | "x-latchkey-cors"
                | "x-latchkey-functions"
                | "x-latchkey-resources"
                | "x-latchkey-settings" => place.is_empty(),
                "x-latchkey" => place.starts_with("/paths/") && place.matches('/').count() == 3,
                "x-latchkey-beyond-schemas" => place.ends_with("/FieldError/properties/code"),
                "x-latchkey-required-with" => {
                    place.starts_with("/components/headers/") && place.matches('/').count() == 3
                }
                _ => false,
            };
            assert!(known, "{place}: {key}");
        }
    });
}

#[test]
fn every_reference_leads_somewhere() {
    let document = Contract::embedded().as_json();
    let mut references = 0;
    objects(document, "", &mut |place, object| {
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            references += 1;
            let target = reference
                .strip_prefix('#')
                .expect("references stay in the document");
            assert!(document.pointer(target).is_some(), "{place}: {reference}");
        }
    });
    assert!(references > 100);
}

#[test]
fn every_component_is_used() {
    let document = Contract::embedded().as_json();
    // A bus delivers events: no operation answers with one.
    let mut used = BTreeSet::from(["#/components/schemas/GuestEvent"]);
    objects(document, "", &mut |_, object| {
        used.extend(object.get("$ref").and_then(Value::as_str));
    });
    for kind in ["headers", "parameters", "responses", "schemas"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(used.contains(reference.as_str()), "{reference}");
        }
    }
}

#[test]
fn every_example_is_one_of_its_schema() {
    let document = Contract::embedded().as_json();
    let registry = Registry::new()
        .add("https://latchkey.dev/openapi", document.clone())
        .unwrap()
        .prepare()
        .unwrap();
    let mut examples = 0;
    objects(document, "", &mut |place, object| {
        let mut values: Vec<&Value> = Vec::new();
        if object.get("schema").is_some() {
            values.extend(object.get("example"));
            let named = object.get("examples").and_then(Value::as_object);
            values.extend(
                named
                    .into_iter()
                    .flat_map(|named| named.values().map(|one| &one["value"])),
            );
            assert!(
                !values.is_empty() || place.contains("/parameters/"),
                "{place} has no example"
            );
        }
        if values.is_empty() {
            return;
        }
        let reference = format!("https://latchkey.dev/openapi#{place}/schema")
            .replace('{', "%7B")
            .replace('}', "%7D");
        let schema = jsonschema::draft202012::options()
            .with_registry(&registry)
            .should_validate_formats(true)
            .build(&json!({ "$ref": reference, "unevaluatedProperties": false }))
            .unwrap();
        for value in values {
            examples += 1;
            let errors: Vec<String> = schema
                .iter_errors(value)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{place}: {errors:?}");
        }
    });
    assert!(examples > 40);
}

#[test]
fn a_problem_says_one_thing_in_three_ways() {
    let document = Contract::embedded().as_json();
    let problems = document["components"]["schemas"].as_object().unwrap();
    let mut count = 0;
    for (name, schema) in problems
        .iter()
        .filter(|(name, _)| name.len() > "Problem".len() && name.ends_with("Problem"))
    {
        count += 1;
        let fields = &schema["allOf"][1]["properties"];
        let code = fields["code"]["const"].as_str().unwrap();
        let kind = code.to_lowercase().replace('_', "-");
        assert_eq!(
            fields["type"]["const"],
            format!("https://latchkey.dev/problems/{kind}")
        );
        assert_eq!(
            name.to_lowercase(),
            format!("{}problem", kind.replace('-', ""))
        );
        assert!(fields["status"]["const"].is_u64());
    }
    assert!(count > 20);
}

#[test]
fn problems_stand_under_their_own_status() {
    let document = Contract::embedded().as_json();
    objects(document, "", &mut |place, object| {
        let Some(value) = object
            .get("value")
            .filter(|value| value.get("code").is_some())
        else {
            return;
        };
        if let Some(status) = place
            .strip_prefix("/paths/")
            .and_then(|rest| rest.split("/responses/").nth(1))
            .and_then(|rest| rest.split('/').next())
        {
            assert_eq!(value["status"].to_string(), status, "{place}");
        }
    });
    for operation in Contract::embedded().operations() {
        let item = &document["paths"][&operation.path][operation.method.as_str().to_lowercase()];
        for (status, response) in item["responses"].as_object().unwrap() {
            let response = match response["$ref"].as_str() {
                Some(reference) => document.pointer(&reference[1..]).unwrap(),
                None => response,
            };
            let examples = response["content"]["application/problem+json"]["examples"].as_object();
            for example in examples.into_iter().flat_map(|examples| examples.values()) {
                assert_eq!(
                    example["value"]["status"].to_string(),
                    *status,
                    "{}",
                    operation.name
                );
            }
        }
    }
}

#[test]
fn a_body_brings_its_errors_with_it() {
    let document = Contract::embedded().as_json();
    for operation in Contract::embedded().operations() {
        let item = &document["paths"][&operation.path][operation.method.as_str().to_lowercase()];
        let responses = item["responses"].as_object().unwrap();
        let mut wanted = vec!["429", "500", "503"];
        if item.get("requestBody").is_some() {
            wanted.extend(["400", "413", "415"]);
        }
        match operation.security {
            Security::Public => {}
            Security::OptionalJwt => wanted.push("401"),
            Security::Jwt { .. } => wanted.extend(["401", "403"]),
            Security::Iam => wanted.push("403"),
        }
        for status in wanted {
            assert!(
                responses.contains_key(status),
                "{} {status}",
                operation.name
            );
        }
    }
}

#[test]
fn every_setting_is_read_by_someone_and_says_what_it_counts() {
    let contract = Contract::embedded();
    let mut read = BTreeSet::new();
    for environment in contract.functions().iter().map(|one| &one.environment) {
        assert!(environment.iter().any(|name| name == "LOG_LEVEL"));
        let distinct: BTreeSet<&String> = environment.iter().collect();
        assert_eq!(distinct.len(), environment.len());
        read.extend(distinct);
    }
    // The descriptions of the user pool and its clients.
    let made = RefCell::new(BTreeSet::from(["PUBLIC_CLIENT".to_owned()]));
    UserPool::described(|name| {
        made.borrow_mut().insert(name.to_owned());
        Some(30)
    })
    .unwrap();
    for setting in contract.settings() {
        let is_read = read.contains(&setting.name) || made.borrow().contains(&setting.name);
        assert!(is_read, "{}", setting.name);
        let counts = setting.kind == SettingKind::Integer;
        assert_eq!(setting.unit.is_some(), counts, "{}", setting.name);
        let is_bound = matches!(setting.bounds, Bounds::Between(..));
        assert_eq!(is_bound, counts, "{}", setting.name);
        assert!(!counts || setting.default.is_some(), "{}", setting.name);
    }
    let lifetime = contract
        .settings()
        .iter()
        .find(|setting| setting.name == "OTP_LIFETIME_SECONDS");
    assert_eq!(lifetime.unwrap().default.as_deref(), Some("300"));
}

#[test]
fn a_value_is_taken_within_the_bounds_alone() {
    let setting = |name: &str| {
        let mut settings = Contract::embedded().settings().iter();
        settings.find(|setting| setting.name == name).unwrap()
    };
    let attempts = setting("OTP_ATTEMPTS");
    for value in ["1", "3", "100"] {
        assert_eq!(attempts.check(value), Ok(()), "{value}");
    }
    for value in [
        "0",
        "101",
        "-1",
        "+3",
        " 3",
        "3.0",
        "",
        "none",
        "99999999999999999999",
    ] {
        assert!(attempts.check(value).is_err(), "{value}");
    }
    assert_eq!(setting("LOG_LEVEL").check("warn"), Ok(()));
    assert!(setting("LOG_LEVEL").check("WARN").is_err());
    assert!(setting("FRONTEND_URL").check("none").is_err());
    for value in ["none", "Latchkey <no-reply@example.com>"] {
        assert_eq!(setting("MAIL_SENDER").check(value), Ok(()), "{value}");
    }
    let optional = changed(|document| {
        document["x-latchkey-settings"]["OTP_ATTEMPTS"]["default"] = "none".into();
    });
    let optional = Contract::read(&optional).unwrap();
    let attempts = optional
        .settings()
        .iter()
        .find(|setting| setting.name == "OTP_ATTEMPTS")
        .unwrap();
    assert_eq!(attempts.check("none"), Ok(()));
    let refused = attempts.check("many").unwrap_err().to_string();
    assert_eq!(refused, "must be a whole number from 1 to 100, or none");
}

#[test]
fn tools_have_the_names_and_fields_that_agents_call() {
    let tools: Vec<_> = Contract::embedded()
        .operations()
        .iter()
        .filter_map(|operation| operation.tool.as_ref())
        .map(|tool| {
            for schema in [&tool.input_schema, &tool.output_schema] {
                assert_eq!(schema.kind, ToolSchemaKind::Object);
                for name in &schema.required {
                    assert!(schema.properties.contains_key(name));
                }
            }
            for failure in ["error_code", "message", "recovery"] {
                assert!(tool.output_schema.properties.contains_key(failure));
            }
            (tool.name.as_str(), tool.input_schema.required.join(" "))
        })
        .collect();
    assert_eq!(
        tools,
        [
            ("initiate_cognito_login", "email".to_owned()),
            (
                "verify_cognito_otp",
                "email otp_code session_token".to_owned()
            ),
            ("get_authenticated_guest", String::new()),
        ]
    );
    let verify = Contract::embedded().operation("verifyOtp").unwrap();
    let written =
        &Contract::embedded().as_json()["paths"]["/auth/otp/verify"]["post"]["x-latchkey"]["tool"];
    assert_eq!(
        serde_json::to_value(verify.tool.as_ref().unwrap()).unwrap(),
        *written
    );
}

#[test]
fn the_text_keeps_the_order_that_it_was_written_in() {
    let position = |text: &str| DOCUMENT.find(text).unwrap();
    assert!(position("\"openapi\"") < position("\"info\""));
    assert!(position("\"/auth/otp/initiate\"") < position("\"/auth/logout\""));
    assert_eq!(Contract::embedded().json(), DOCUMENT);
}

/// Terraform makes maps of these lists.
#[test]
fn no_function_lists_a_setting_or_a_grant_twice() {
    for function in Contract::embedded().functions() {
        let mut listed: Vec<String> = function.environment.clone();
        listed.extend(function.grants.iter().map(ToString::to_string));
        let all = listed.len();
        listed.sort();
        listed.dedup();
        assert_eq!(listed.len(), all, "{}", function.name);
    }
}
