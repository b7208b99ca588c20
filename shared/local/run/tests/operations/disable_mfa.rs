//! `disable-mfa`: two proofs remove an authenticator.

use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::steps::MANY_STARTS;

#[tokio::test]
async fn removing_takes_both_proofs() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    world.registered(ADA, PASSWORD).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    let right = guest.app.next_code();
    for (proofs, status, problem) in [
        (json!({ "password": PASSWORD }), 400, "VALIDATION_FAILED"),
        (json!({ "code": right }), 400, "VALIDATION_FAILED"),
        (
            json!({ "password": "not the password", "code": right }),
            401,
            "INVALID_CREDENTIALS",
        ),
        (
            json!({ "password": PASSWORD, "code": "404170" }),
            401,
            "INVALID_OTP",
        ),
    ] {
        let refused = guest.session.browser.disable(proofs).await;
        refused.expect_problem(status, problem);
    }
    let proofs = json!({
        "proof": world.mailed_proof(ADA).await,
        "backupCode": guest.backup_codes[4],
    });
    guest
        .session
        .browser
        .disable(proofs)
        .await
        .expect_status(204);
    world.browser().sign_in(ADA).await.expect_status(200);
}
