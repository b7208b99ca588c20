//! Answers to unknown names.

use aws_sdk_cognitoidentityprovider::types::ChallengeNameType;
use cognito_local::UnknownUser;

use crate::world::{World, refusal};

const NOBODY: &str = "zoe@nowhere.example";
const NINA: &str = "nina@example.com";

#[tokio::test]
async fn a_hidden_unknown_user_gets_a_challenge_of_the_same_form_and_no_mail() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let known = world.begin(NINA).await.unwrap();
    let unknown = world.begin(NOBODY).await.unwrap();
    assert_eq!(unknown.challenge_name, known.challenge_name);
    assert_eq!(unknown.available_challenges(), known.available_challenges());
    let session = unknown.session.as_deref().unwrap();
    assert_eq!(session.len(), known.session.as_deref().unwrap().len());
    assert_eq!(
        unknown.challenge_parameters().unwrap()["CODE_DELIVERY_DESTINATION"],
        "z***@n***"
    );
    assert!(world.mails_to(NOBODY).is_empty());
    assert_eq!(
        refusal(world.answer(NOBODY, session, "12345678").await),
        "CodeMismatchException: Invalid code or auth state for the user."
    );
    world.clock.advance(180);
    assert_eq!(
        refusal(world.answer(NOBODY, session, "12345678").await),
        "NotAuthorizedException: Invalid session for the user, session is expired."
    );
}

#[tokio::test]
async fn a_user_made_after_the_simulated_challenge_does_not_get_in_by_it() {
    let world = World::new().await;
    let session = world.begin_session(NOBODY).await;
    world.passwordless_user(NOBODY).await;
    for code in ["00000000", "12345678"] {
        assert_eq!(
            refusal(world.answer(NOBODY, &session, code).await),
            "CodeMismatchException: Invalid code or auth state for the user."
        );
    }
}

#[tokio::test]
async fn the_other_recorded_answers_can_be_switched_to() {
    let world = World::new().await;
    let all = [
        ChallengeNameType::PasswordSrp,
        ChallengeNameType::Password,
        ChallengeNameType::EmailOtp,
    ];
    world.cognito.set_unknown_user(UnknownUser::AllFactors);
    let begun = world.begin(NOBODY).await.unwrap();
    assert_eq!(begun.challenge_name, Some(ChallengeNameType::EmailOtp));
    assert_eq!(begun.available_challenges(), all);

    world
        .cognito
        .set_unknown_user(UnknownUser::Varying { seed: 7 });
    let mut seen = Vec::new();
    for _ in 0..30 {
        let begun = world.begin(NOBODY).await.unwrap();
        let kind = (
            begun.challenge_name.unwrap(),
            begun.available_challenges.unwrap().len(),
        );
        if !seen.contains(&kind) {
            seen.push(kind);
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(world.mails.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_client_that_hides_nothing_says_that_the_user_does_not_exist() {
    let world = World::with(|plan| plan.client.hide_unknown_users = false).await;
    let missing = "UserNotFoundException: User does not exist.";
    assert_eq!(refusal(world.begin(NOBODY).await), missing);
    assert_eq!(
        refusal(world.password_sign_in(NOBODY, "Wrong-Pass-1").await),
        missing
    );
    let forgot = world
        .sdk
        .forgot_password()
        .client_id(&world.client.client_id)
        .username(NOBODY)
        .send()
        .await;
    assert_eq!(refusal(forgot), missing);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_one_answer() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    let incorrect = "NotAuthorizedException: Incorrect username or password.";
    assert_eq!(
        refusal(world.password_sign_in(NINA, "Wrong-Pass-1").await),
        incorrect
    );
    assert_eq!(
        refusal(world.password_sign_in(NOBODY, "Wrong-Pass-1").await),
        incorrect
    );
}

#[tokio::test]
async fn recovery_treats_unknown_names_as_known_ones() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    for name in [NINA, NOBODY] {
        let confirm = |code: &str| {
            world
                .sdk
                .confirm_forgot_password()
                .client_id(&world.client.client_id)
                .username(name)
                .confirmation_code(code)
                .password("Another-Horse-8")
                .send()
        };
        assert_eq!(
            refusal(confirm("000000").await),
            "ExpiredCodeException: Invalid code provided, please request a code again."
        );
        let details = world
            .sdk
            .forgot_password()
            .client_id(&world.client.client_id)
            .username(name)
            .send()
            .await
            .unwrap()
            .code_delivery_details
            .unwrap();
        assert_eq!(details.attribute_name.as_deref(), Some("email"));
        assert_eq!(
            refusal(confirm("wrong").await),
            "CodeMismatchException: Invalid verification code provided, please try again."
        );
    }
    assert!(world.mails_to(NOBODY).is_empty());
}

#[tokio::test]
async fn admin_operations_always_say_that_a_user_does_not_exist() {
    let world = World::new().await;
    let outcome = world
        .sdk
        .admin_get_user()
        .user_pool_id(&world.pool)
        .username(NOBODY)
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        "UserNotFoundException: User does not exist."
    );
}
