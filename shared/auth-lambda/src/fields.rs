//! An operation's input, field by field. A refusal names every invalid field at once.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use auth_domain::{
    ActOnGuest, Activity, ActivityWish, Assertion, Attestation, CredentialId, Email, FieldProblem,
    FreshProof, InvalidCredentialPart, NewPassword, PasswordRule, Problem, Proofs, SecondFactor,
};
use serde_json::{Map, Value};

use crate::strict_json::{self, Malformed};

/// The maximum of a passkey's transports that are read: the specification defines six.
const TRANSPORTS: usize = 8;

/// The fields of an input. Unknown fields are ignored, as the contract promises.
pub struct Fields {
    fields: Map<String, Value>,
    problems: Vec<FieldProblem>,
}

/// A patch's change of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field was absent and stays unchanged.
    Keep,
    /// The field was null and is removed.
    Clear,
    /// It had a value.
    Set(T),
}

/// Reads the text of a JSON object into fields.
pub fn parse_object(text: &str) -> Result<Fields, Problem> {
    strict_json::parse_object(text)
        .map(Fields::new)
        .map_err(|Malformed { code, message }| {
            Problem::ValidationFailed(vec![FieldProblem {
                field: "body".to_owned(),
                code,
                message,
            }])
        })
}

impl Fields {
    /// The fields of an object.
    #[must_use]
    pub fn new(fields: Map<String, Value>) -> Self {
        Self {
            fields,
            problems: Vec::new(),
        }
    }

    /// A required field, as text that parses. `None` only if [`Fields::finish`] will refuse.
    pub fn required<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let value = self.optional(name);
        let named = self.problems.iter().any(|problem| problem.field == name);
        if value.is_none() && !named {
            self.problem(name, "required", "must be given".to_owned());
        }
        value
    }

    /// A field that may be absent or null, as text that parses.
    pub fn optional<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        match self.fields.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => match text.parse() {
                Ok(value) => Some(value),
                Err(error) => {
                    self.problem(name, "invalid", T::Err::to_string(&error));
                    None
                }
            },
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                self.problem(name, "type", "must be a string".to_owned());
                None
            }
        }
    }

    /// A field that may be absent or null, as a whole number within bounds. A query has it as text.
    pub fn whole_number(&mut self, name: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let number = match self.fields.get(name) {
            None | Some(Value::Null) => return None,
            Some(Value::Number(number)) => number
                .as_u64()
                .and_then(|number| u32::try_from(number).ok()),
            Some(Value::String(text)) => text.parse().ok(),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
        };
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            let (least, most) = (bounds.start(), bounds.end());
            let message = format!("must be a whole number from {least} to {most}");
            self.problem(name, "invalid", message);
        }
        number
    }

    /// The guest that an operator acts on, by `guestId`, and the reason, by `reason`. `None` only
    /// if [`Fields::finish`] will refuse.
    pub fn act_on_guest(&mut self) -> Option<ActOnGuest> {
        let (guest_id, reason) = (self.required("guestId"), self.optional("reason"));
        Some(ActOnGuest {
            guest_id: guest_id?,
            reason,
        })
    }

    /// A page of activity, by `before` and `limit`.
    pub fn activity_wish(&mut self) -> ActivityWish {
        let limit = self.whole_number("limit", Activity::PAGE);
        ActivityWish {
            before: self.optional("before"),
            limit: limit.unwrap_or(Activity::USUAL_PAGE),
        }
    }

    /// A field that may be absent or null, as a list of at most `most` texts that parse.
    pub fn list<T>(&mut self, name: &str, most: usize) -> Option<Vec<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        let value = self.fields.get(name).filter(|value| !value.is_null())?;
        let texts = value.as_array().map(|several| {
            let texts = several.iter().map(Value::as_str);
            texts.collect::<Option<Vec<&str>>>()
        });
        let parsed = match texts {
            None | Some(None) => Err(("type", "must be a list of strings".to_owned())),
            Some(Some(texts)) if texts.len() > most => {
                Err(("invalid", format!("must have at most {most} entries")))
            }
            Some(Some(texts)) => texts
                .into_iter()
                .map(|text| text.parse().map_err(|error| T::Err::to_string(&error)))
                .collect::<Result<Vec<T>, String>>()
                .map_err(|message| ("invalid", message)),
        };
        match parsed {
            Ok(list) => Some(list),
            Err((code, message)) => {
                self.problem(name, code, message);
                None
            }
        }
    }

    /// A required new password for `email`. The refusal names every rule that it breaks.
    pub fn new_password(&mut self, name: &str, email: Option<&Email>) -> Option<NewPassword> {
        let text: String = self.required(name)?;
        match NewPassword::parse(&text, email) {
            Ok(password) => Some(password),
            Err(broken) => {
                self.problems.extend(broken_rules(name, &broken));
                None
            }
        }
    }

    /// The problem of a new password that breaks rules, found after its owner became known.
    #[must_use]
    pub fn broken_password(name: &str, broken: &[PasswordRule]) -> Problem {
        Problem::ValidationFailed(broken_rules(name, broken).collect())
    }

    /// A field of a patch: absent, null and a value have three different meanings.
    pub fn patch<T>(&mut self, name: &str) -> Patch<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        if self.fields.contains_key(name) {
            self.optional(name).map_or(Patch::Clear, Patch::Set)
        } else {
            Patch::Keep
        }
    }

    /// An optional object within the input. `parse` reads its fields. Their problems are named with
    /// the object's name as a prefix, as in `proof.code`.
    pub fn nested<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        match self.fields.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::Object(object)) => {
                let mut nested = Self::new(object.clone());
                let value = parse(&mut nested);
                for problem in nested.problems {
                    self.problem(
                        &format!("{name}.{}", problem.field),
                        problem.code,
                        problem.message,
                    );
                }
                value
            }
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                self.problem(name, "type", "must be an object".to_owned());
                None
            }
        }
    }

    /// Whether a field was given, valid or not.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    /// The proofs for a sensitive change: a fresh proof, and the second factor if one is given, by
    /// `mfaCode` or `backupCode`. `None` only if [`Fields::finish`] will refuse.
    pub fn proofs(&mut self) -> Option<Proofs> {
        self.proofs_with("mfaCode")
    }

    /// The same with the authenticator's code under the name `code`.
    pub fn proofs_with_code(&mut self) -> Option<Proofs> {
        self.proofs_with("code")
    }

    fn proofs_with(&mut self, name: &str) -> Option<Proofs> {
        let proof = self.fresh_proof();
        let code = self.optional(name).map(SecondFactor::Code);
        let backup_code = self.optional("backupCode").map(SecondFactor::BackupCode);
        self.at_most_one_of(&[name, "backupCode"]);
        Some(Proofs {
            proof: proof?,
            second_factor: code.or(backup_code),
        })
    }

    /// A fresh proof of the caller: `password`, or `proof` with the `sessionToken` of
    /// `requestProof` and either the mailed `code` or the passkey's `credential`. `None` only if
    /// [`Fields::finish`] will refuse.
    fn fresh_proof(&mut self) -> Option<FreshProof> {
        let password = self.optional("password").map(FreshProof::Password);
        let asked_for = self.nested("proof", |proof| {
            let session_token = proof.required("sessionToken");
            let code = proof.optional("code");
            let assertion = proof.optional_assertion("credential");
            proof.one_of(&["code", "credential"]);
            let session_token = session_token?;
            match (code, assertion) {
                (Some(code), _) => Some(FreshProof::MailedCode {
                    session_token,
                    code,
                }),
                (None, assertion) => Some(FreshProof::Passkey {
                    session_token,
                    assertion: Box::new(assertion?),
                }),
            }
        });
        self.one_of(&["password", "proof"]);
        password.or(asked_for)
    }

    /// An optional second factor: `code` or `backupCode`. Use [`Fields::one_of`] to require exactly
    /// one of them.
    pub fn second_factor(&mut self) -> Option<SecondFactor> {
        let code = self.optional("code").map(SecondFactor::Code);
        let backup_code = self.optional("backupCode").map(SecondFactor::BackupCode);
        code.or(backup_code)
    }

    /// A new passkey in a browser's form. `None` only if [`Fields::finish`] will refuse.
    pub fn attestation(&mut self, name: &str) -> Option<Attestation> {
        self.credential(name, |credential| {
            let id: Option<CredentialId> = credential.required("id");
            let attachment: Option<String> = credential.optional("authenticatorAttachment");
            let parts = credential.credential("response", |response| {
                let client_data: Option<String> = response.required("clientDataJSON");
                let object: Option<String> = response.required("attestationObject");
                let transports: Option<Vec<String>> = response.list("transports", TRANSPORTS);
                Some((client_data?, object?, transports.unwrap_or_default()))
            });
            let (id, (client_data, object, transports)) = (id?, parts?);
            let attachment = attachment.as_deref();
            let parsed = Attestation::parse(id, &client_data, &object, attachment, &transports);
            credential.part(parsed)
        })
    }

    /// A use of a passkey in a browser's form. `None` only if [`Fields::finish`] will refuse.
    pub fn assertion(&mut self, name: &str) -> Option<Assertion> {
        self.demand(name);
        self.optional_assertion(name)
    }

    fn optional_assertion(&mut self, name: &str) -> Option<Assertion> {
        self.nested(name, |credential| {
            let id: Option<CredentialId> = credential.required("id");
            let parts = credential.credential("response", |response| {
                let client_data: Option<String> = response.required("clientDataJSON");
                let data: Option<String> = response.required("authenticatorData");
                let signature: Option<String> = response.required("signature");
                let handle: Option<String> = response.optional("userHandle");
                Some((client_data?, data?, signature?, handle))
            });
            let (id, (client_data, data, signature, handle)) = (id?, parts?);
            let parsed = Assertion::parse(id, &client_data, &data, &signature, handle.as_deref());
            credential.part(parsed)
        })
    }

    /// An object that must be there.
    fn credential<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        self.demand(name);
        self.nested(name, parse)
    }

    fn demand(&mut self, name: &str) {
        if !self.has(name) {
            self.problem(name, "required", "must be given".to_owned());
        }
    }

    fn part<T>(&mut self, parsed: Result<T, InvalidCredentialPart>) -> Option<T> {
        match parsed {
            Ok(part) => Some(part),
            Err(error) => {
                self.problem("response", "invalid", error.to_string());
                None
            }
        }
    }

    /// Refuses an input that has several of these fields, each right by itself: the last one is
    /// named.
    pub fn at_most_one_of(&mut self, names: &[&str]) {
        if names.iter().any(|name| self.has(name)) {
            self.one_of(names);
        }
    }

    /// Refuses an input without exactly one of these fields. The problem names the first field if
    /// none is given, and the last one if several valid ones are.
    pub fn one_of(&mut self, names: &[&str]) {
        let given: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| self.has(name))
            .collect();
        match (names, given.as_slice()) {
            ([first, others @ ..], []) => {
                let message = format!("must be given, or {}", others.join(" or "));
                self.problem(first, "required", message);
            }
            (_, [first, .., last]) if self.problems.is_empty() => {
                let message = format!("must not be given beside {first}");
                self.problem(last, "exclusive", message);
            }
            (_, _) => {}
        }
    }

    /// A switch. Its default is off.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.fields.get(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => *value,
            Some(Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                self.problem(name, "type", "must be true or false".to_owned());
                false
            }
        }
    }

    /// Names a field as broken by a rule that its own type cannot know.
    pub fn problem(&mut self, field: &str, code: &'static str, message: String) {
        self.problems.push(FieldProblem {
            field: field.to_owned(),
            code,
            message,
        });
    }

    /// The problem of a field that this guest or this sign-in requires. A schema cannot express
    /// that.
    #[must_use]
    pub fn needed(name: &str) -> Problem {
        Problem::ValidationFailed(vec![FieldProblem {
            field: name.to_owned(),
            code: "needed",
            message: "is needed here".to_owned(),
        }])
    }

    /// The problem of a missing field that the way of calling requires.
    #[must_use]
    pub fn missing(name: &str) -> Problem {
        Problem::ValidationFailed(vec![FieldProblem {
            field: name.to_owned(),
            code: "required",
            message: "must be given".to_owned(),
        }])
    }

    /// Refuses the input if any field was broken.
    pub fn finish(&mut self) -> Result<(), Problem> {
        let problems = std::mem::take(&mut self.problems);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Problem::ValidationFailed(problems))
        }
    }

    /// Like [`Fields::finish`], with the value that only a clean parse produced.
    pub fn finish_with<T>(&mut self, value: Option<T>) -> Result<T, Problem> {
        self.finish()?;
        value.ok_or_else(|| Problem::ValidationFailed(Vec::new()))
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    /// A field's raw text, whether the operation has that field or not.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name)
    }
}

fn broken_rules(name: &str, broken: &[PasswordRule]) -> impl Iterator<Item = FieldProblem> {
    broken.iter().map(|rule| FieldProblem {
        field: name.to_owned(),
        code: rule.code(),
        message: rule.to_string(),
    })
}
