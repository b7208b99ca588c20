//! The AWS calls of every function, by case, as `calls.yaml` lists them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::in_order::in_order;

/// The separator between a call's count and its name.
const TIMES: &str = " × ";

/// Every case of every function, in the file's order.
#[derive(Debug)]
pub struct Calls {
    cases: Vec<Case>,
}

/// One way through a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The function, in kebab-case.
    pub function: String,
    /// The case, such as "known guest".
    pub name: String,
    /// Its calls, in the order of their start.
    pub calls: Vec<Call>,
    /// How many of the calls wait for one another; `None` if not counted.
    pub depth: Option<usize>,
}

impl Case {
    /// How often each call is made, by `<resource>:<Action>`.
    #[must_use]
    pub fn counted(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for call in &self.calls {
            *counted.entry(call.name.clone()).or_default() += call.times;
        }
        counted
    }
}

/// A call, and how often in a row it is made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Call {
    /// `<resource>:<Action>`, with a resource of the contract.
    pub name: String,
    /// At least one.
    pub times: usize,
}

/// The text is not `<resource>:<Action>`, or its count is invalid.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a call: want <resource>:<Action>, or 3 × <resource>:<Action>")]
pub struct MalformedCall(String);

impl TryFrom<String> for Call {
    type Error = MalformedCall;

    fn try_from(text: String) -> Result<Self, MalformedCall> {
        let (times, name) = match text.split_once(TIMES) {
            Some((times, name)) => (times.parse().ok().filter(|times| *times > 1), name),
            None => (Some(1), text.as_str()),
        };
        let well_formed = name
            .split_once(':')
            .is_some_and(|(resource, action)| !resource.is_empty() && !action.is_empty())
            && !name.contains(char::is_whitespace);
        match times {
            Some(times) if well_formed => Ok(Self {
                name: name.to_owned(),
                times,
            }),
            Some(_) | None => Err(MalformedCall(text)),
        }
    }
}

impl Calls {
    /// Reads the list from JSON.
    pub fn read(json: &str) -> Result<Self, serde_json::Error> {
        let List(functions) = serde_json::from_str(json)?;
        let cases = functions.into_iter().flat_map(|(function, Cases(cases))| {
            cases.into_iter().map(move |(name, item)| Case {
                function: function.clone(),
                name,
                calls: item.calls,
                depth: item.depth,
            })
        });
        Ok(Self {
            cases: cases.collect(),
        })
    }

    /// Every case, in the file's order.
    #[must_use]
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }
}

struct List(Vec<(String, Cases)>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        in_order(deserializer).map(Self)
    }
}

struct Cases(Vec<(String, CaseItem)>);

impl<'de> Deserialize<'de> for Cases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        in_order(deserializer).map(Self)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "UncheckedCase")]
struct CaseItem {
    calls: Vec<Call>,
    depth: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedCase {
    calls: Vec<Call>,
    depth: Option<usize>,
}

impl TryFrom<UncheckedCase> for CaseItem {
    type Error = &'static str;

    fn try_from(case: UncheckedCase) -> Result<Self, &'static str> {
        let calls: usize = case.calls.iter().map(|call| call.times).sum();
        if case.depth.is_some_and(|depth| depth == 0 || depth > calls) {
            return Err("the depth is at least one, and at most the number of calls");
        }
        Ok(Self {
            calls: case.calls,
            depth: case.depth,
        })
    }
}
