//! The list of calls: complete, and in words of the contract.

use std::collections::BTreeSet;

use auth_api::{Calls, Contract};

fn refused(list: &str) -> String {
    Calls::read(list).unwrap_err().to_string()
}

#[test]
fn every_function_has_a_case_and_every_case_a_function() {
    let functions = Contract::embedded().functions().iter();
    let functions: BTreeSet<&str> = functions.map(|one| one.name.as_str()).collect();
    let cases = Calls::embedded().cases();
    let listed: BTreeSet<&str> = cases.iter().map(|case| case.function.as_str()).collect();
    let forgotten: Vec<_> = functions.difference(&listed).collect();
    assert!(
        forgotten.is_empty(),
        "add their cases to calls.yaml: {forgotten:?}"
    );
    let unknown: Vec<_> = listed.difference(&functions).collect();
    assert!(
        unknown.is_empty(),
        "not in openapi.yaml, but in calls.yaml: {unknown:?}"
    );
}

#[test]
fn a_case_says_what_is_called_how_often_and_how_deep() {
    let list = r#"{"verify-otp": {"new": {"calls": ["guests:GetItem", "2 × guests:PutItem"], "depth": 2}, "old": {"calls": []}}}"#;
    let list = Calls::read(list).unwrap();
    let [new, old] = list.cases() else {
        panic!("two cases");
    };
    assert_eq!(
        (new.function.as_str(), new.name.as_str()),
        ("verify-otp", "new")
    );
    assert_eq!((new.depth, old.depth), (Some(2), None));
    let counted: Vec<_> = new.counted().into_iter().collect();
    let expected = [("guests:GetItem", 1), ("guests:PutItem", 2)];
    assert_eq!(
        counted,
        expected.map(|(call, times)| (call.to_owned(), times))
    );
    assert!(old.counted().is_empty());
}

#[test]
fn what_is_no_call_is_refused() {
    for call in [
        "guests",
        "guests:",
        ":GetItem",
        "0 × guests:GetItem",
        "1 × guests:GetItem",
        "2 guests:GetItem",
        "x × guests:GetItem",
    ] {
        let list = format!(r#"{{"verify-otp": {{"new": {{"calls": ["{call}"]}}}}}}"#);
        assert!(refused(&list).contains("is not a call"), "{call}");
    }
    assert!(refused(r#"{"a": {"b": {"call": []}}}"#).contains("unknown field"));
    for depth in [0, 2] {
        let list =
            format!(r#"{{"a": {{"b": {{"calls": ["guests:GetItem"], "depth": {depth}}}}}}}"#);
        assert!(refused(&list).contains("depth"), "{depth}");
    }
}
