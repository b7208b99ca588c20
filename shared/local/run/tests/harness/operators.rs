//! Operators, whom IAM admits, and the audit table's records of them.

use serde_json::{Value, json};

use crate::harness::backstage::{Item, items};
use crate::harness::people::ADA;
use crate::harness::stage::Stage;
use crate::harness::{Answer, Browser, SignedIn, TestWorld};

impl TestWorld {
    /// An operator's client, which signs its requests.
    pub(crate) fn operator(&self) -> Browser<'_> {
        let mut operator = self.browser();
        operator.signs = true;
        operator
    }
}

/// Everything in the audit table, in order.
pub(crate) async fn recorded(world: &TestWorld) -> Vec<Item> {
    let mut items = items(world, &world.ready().tables["audit"]).await;
    items.sort_by_key(|item| item["event"].to_string());
    items
}

/// The path of an act on a guest.
pub(crate) fn path_of(user: &Value, act: &str) -> String {
    let guest_id = user["guestId"].as_str().expect("a guest");
    format!("/admin/guests/{guest_id}/{act}")
}

/// Fails unless the newest act is this one, recorded before and after, with its reason.
pub(crate) async fn assert_recorded(world: &TestWorld, guest: &SignedIn<'_>, act: &str) {
    let acts = recorded(world).await;
    let [.., begun, ended] = acts.as_slice() else {
        panic!("no act in {acts:?}");
    };
    for item in [begun, ended] {
        assert_eq!(item["act"], act);
        assert_eq!(item["guestId"], guest.user["guestId"]);
        assert_eq!(item["reason"], REASON);
    }
    assert!(!begun.contains_key("outcome"));
    assert_eq!(ended["outcome"], "OK");
}

/// Why operators act.
pub(crate) const REASON: &str = "Ticket 4711";

/// The body of an act.
pub(crate) fn with_reason() -> Value {
    json!({ "reason": REASON })
}

/// Seconds of a reset's delay where none is configured.
pub(crate) const RESET_DELAY_SECONDS: u64 = 24 * 3600;

/// An operator asks for the reset of a guest's second factors.
pub(crate) async fn ask_for_reset(world: &TestWorld, user: &Value) -> Answer {
    let path = path_of(user, "reset-factors");
    let asked = world.operator().post(&path, with_reason()).await;
    asked.expect_status(202);
    asked
}

/// An operator is about to act on ADA, who is signed in.
pub(crate) async fn act_on_ada<'world>(world: &'world TestWorld, act: &str) -> Stage<'world> {
    let guest = world.sign_in(ADA).await;
    Stage::agent(world, &path_of(&guest.user, act), with_reason())
}
