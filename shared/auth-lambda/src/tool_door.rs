//! The agent's door: a plain map of arguments in, `snake_case` out, failures as ordinary results.

use auth_domain::{FieldProblem, Problem};
use serde_json::{Map, Value, json, value::RawValue};

use crate::{
    ClientContext, Exchange, Fields, Invocation, ProblemDetails, code,
    door::{Door, Opened},
    exchange::Sender,
    parse_object,
    problem_details::recovery,
};

/// A tool's name, and its arguments with the fields that they set.
pub(crate) type Named = (&'static str, &'static [(&'static str, &'static str)]);

/// Reads the event, a map of arguments, if the client context names the operation's tool.
pub(crate) fn open(event: &RawValue, tool: Option<Named>, invocation: &Invocation) -> Opened {
    let context = &invocation.client_context;
    let sender = Sender {
        conversation: context
            .session()
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        gateway: Some(context.gateway().to_owned()),
        ..Sender::default()
    };
    let exchange = Exchange::new(invocation.request_id.clone(), Door::Tool, None, sender);
    let fields = match tool {
        _ if *context == ClientContext::Unreadable => Err(unreadable_context()),
        Some((name, arguments)) if context.tool_name() == Some(name) => {
            parse_object(event.get()).map(|given| fields(given, arguments))
        }
        Some(_) | None => Err(Problem::NotFound),
    };
    (exchange, fields)
}

/// The operation's input: the tool's arguments under the names that the operation knows.
fn fields(mut arguments: Fields, names: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::new(Map::new());
    for (argument, field) in names {
        if let Some(value) = arguments.take(argument) {
            fields.set(field, value);
        }
    }
    fields
}

/// The problem of a call whose client context does not name a tool.
fn unreadable_context() -> Problem {
    Problem::ValidationFailed(vec![FieldProblem {
        field: "clientContext".to_owned(),
        code: "malformed",
        message: "must be JSON that names the tool by a string".to_owned(),
    }])
}

/// A tool's result. It is a success, unless the result itself reports a missing consent. Members
/// without a value are omitted, because the schemas of tools have no null.
pub(crate) fn success(mut result: Map<String, Value>) -> Value {
    result.retain(|_, value| !value.is_null());
    result.entry("success").or_insert_with(|| true.into());
    Value::Object(result)
}

/// A tool's failure, broken arguments under the names that the tool's caller knows.
pub(crate) fn failure(problem: &Problem, names: &[(&str, &str)], request_id: &str) -> Value {
    let message = ProblemDetails::new(problem, request_id).into_detail();
    let mut failure = json!({ "success": false, "error_code": code(problem), "message": message, "recovery": recovery(problem), "request_id": request_id });
    let Some(members) = failure.as_object_mut() else {
        return failure;
    };
    if let Problem::ValidationFailed(broken) = problem {
        let argument = |field: &str| {
            let known = names.iter().find(|(_, known)| *known == field);
            known.map_or(field.to_owned(), |(argument, _)| (*argument).to_owned())
        };
        let errors = broken.iter().map(|one| {
            json!({ "argument": argument(&one.field), "code": one.code, "message": one.message })
        });
        members.insert("errors".to_owned(), errors.collect());
    }
    if let Problem::InvalidOtp(attempts) = problem {
        members.insert("attempts".to_owned(), attempts.made.into());
        members.insert("attempts_remaining".to_owned(), attempts.remaining.into());
    }
    if let Problem::ConsentRequired(request) = problem {
        members.insert("authorization_url".to_owned(), request.url.clone().into());
        members.insert("session_id".to_owned(), request.id.as_str().into());
        members.insert(
            "expires_at".to_owned(),
            request.expires_at.to_string().into(),
        );
    }
    failure
}
