//! Choice-based sign-in with a code by email.

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType};
use cognito_local::EarlierCodes;

use crate::world::{World, refusal};

const NINA: &str = "nina@example.com";
const WRONG: &str = "CodeMismatchException: Invalid code or auth state for the user.";
const USED: &str =
    "NotAuthorizedException: Invalid session for the user, session can only be used once.";
const EXPIRED: &str = "NotAuthorizedException: Invalid session for the user, session is expired.";

#[tokio::test]
async fn a_code_of_eight_digits_is_mailed_and_signs_in() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let begun = world.begin(NINA).await.unwrap();
    assert_eq!(begun.challenge_name, Some(ChallengeNameType::EmailOtp));
    assert_eq!(begun.available_challenges(), [ChallengeNameType::EmailOtp]);
    let parameters = begun.challenge_parameters().unwrap();
    assert_eq!(parameters.len(), 2);
    assert_eq!(parameters["CODE_DELIVERY_DELIVERY_MEDIUM"], "EMAIL");
    assert_eq!(parameters["CODE_DELIVERY_DESTINATION"], "n***@e***");
    let session = begun.session().unwrap();
    assert!(session.starts_with("AYABe"));
    assert_eq!(session.len(), 1_543);

    let code = world.last_code(NINA);
    assert_eq!(code.len(), 8);
    assert!(code.chars().all(|letter| letter.is_ascii_digit()));
    let answer = world.answer(NINA, session, &code).await.unwrap();
    assert_eq!(answer.challenge_name, None);
    let tokens = answer.authentication_result.unwrap();
    assert_eq!(tokens.expires_in, 3_600);
    assert_eq!(tokens.token_type.as_deref(), Some("Bearer"));
    assert!(
        tokens
            .refresh_token
            .unwrap()
            .starts_with("eyJjdHkiOiJKV1Qi")
    );
}

#[tokio::test]
async fn a_session_survives_wrong_codes_and_not_its_success() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let session = world.begin_session(NINA).await;
    let code = world.last_code(NINA);
    for attempt in 0..6 {
        let wrong = format!(
            "{:08}",
            (code.parse::<u32>().unwrap() + 1 + attempt) % 100_000_000
        );
        assert_eq!(refusal(world.answer(NINA, &session, &wrong).await), WRONG);
    }
    world.answer(NINA, &session, &code).await.unwrap();
    assert_eq!(refusal(world.answer(NINA, &session, &code).await), USED);
}

#[tokio::test]
async fn a_session_ends_with_the_validity_of_its_client() {
    let world = World::with(|plan| plan.client.auth_session_minutes = 5).await;
    world.passwordless_user(NINA).await;
    let session = world.begin_session(NINA).await;
    let late = world.begin_session(NINA).await;
    let codes = world.mails_to(NINA);
    world.clock.advance(299);
    world.answer(NINA, &session, &codes[0].code).await.unwrap();
    world.clock.advance(1);
    assert_eq!(
        refusal(world.answer(NINA, &late, &codes[1].code).await),
        EXPIRED
    );
    world.clock.advance(86_400);
    world.begin_session(NINA).await;
    assert_eq!(
        refusal(world.answer(NINA, &late, &codes[1].code).await),
        EXPIRED
    );
}

#[tokio::test]
async fn each_session_has_its_own_code_until_a_switch_says_otherwise() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let first = world.begin_session(NINA).await;
    let second = world.begin_session(NINA).await;
    let mails = world.mails_to(NINA);
    assert_eq!(
        refusal(world.answer(NINA, &first, &mails[1].code).await),
        WRONG
    );
    world.answer(NINA, &first, &mails[0].code).await.unwrap();
    world.answer(NINA, &second, &mails[1].code).await.unwrap();

    world.cognito.set_earlier_codes(EarlierCodes::Superseded);
    let third = world.begin_session(NINA).await;
    let fourth = world.begin_session(NINA).await;
    let mails = world.mails_to(NINA);
    assert_eq!(
        refusal(world.answer(NINA, &third, &mails[2].code).await),
        WRONG
    );
    world.answer(NINA, &fourth, &mails[3].code).await.unwrap();
}

#[tokio::test]
async fn of_fifty_right_answers_at_once_one_gets_tokens() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let session = world.begin_session(NINA).await;
    let code = world.last_code(NINA);
    let answers = (0..50).map(|_| world.answer(NINA, &session, &code));
    let mut signed_in = 0;
    for answer in join_all(answers).await {
        match answer {
            Ok(_) => signed_in += 1,
            refused @ Err(_) => assert_eq!(refusal(refused), USED),
        }
    }
    assert_eq!(signed_in, 1);
}

/// Runs futures side by side.
pub(crate) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for (future, output) in pinned.iter_mut().zip(&mut outputs) {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        if waiting {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

#[tokio::test]
async fn somebody_elses_session_and_a_made_up_one_are_refused() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    world.passwordless_user("omar@example.com").await;
    let session = world.begin_session(NINA).await;
    let code = world.last_code(NINA);
    let invalid = "NotAuthorizedException: Invalid session for the user.";
    assert_eq!(
        refusal(world.answer("omar@example.com", &session, &code).await),
        invalid
    );
    assert_eq!(
        refusal(world.answer("nobody@example.com", &session, &code).await),
        invalid
    );
    assert_eq!(
        refusal(world.answer(NINA, &"A".repeat(1_543), &code).await),
        invalid
    );
    let mut forged = session.clone();
    forged.replace_range(900..901, if &forged[900..901] == "x" { "y" } else { "x" });
    assert_eq!(refusal(world.answer(NINA, &forged, &code).await), invalid);
    world.answer(NINA, &session, &code).await.unwrap();
}

#[tokio::test]
async fn the_admin_and_the_public_form_do_not_mix() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let session = world.begin_session(NINA).await;
    let answer = world
        .sdk
        .respond_to_auth_challenge()
        .client_id(&world.client.client_id)
        .challenge_name(ChallengeNameType::EmailOtp)
        .session(&session)
        .challenge_responses("USERNAME", NINA)
        .challenge_responses("EMAIL_OTP_CODE", world.last_code(NINA))
        .send()
        .await;
    assert_eq!(
        refusal(answer),
        "NotAuthorizedException: Invalid session for the user."
    );
}

#[tokio::test]
async fn the_public_form_signs_in_too_and_the_sub_works_as_a_name() {
    let world = World::new().await;
    let user = world.passwordless_user(NINA).await.user.unwrap();
    let sub = user.username.unwrap();
    let begun = world
        .sdk
        .initiate_auth()
        .client_id(&world.client.client_id)
        .auth_flow(AuthFlowType::UserAuth)
        .auth_parameters("USERNAME", "Nina@Example.com")
        .send()
        .await
        .unwrap();
    assert_eq!(
        begun.challenge_name,
        Some(ChallengeNameType::EmailOtp),
        "the one factor needs no choice"
    );
    world
        .sdk
        .respond_to_auth_challenge()
        .client_id(&world.client.client_id)
        .challenge_name(ChallengeNameType::EmailOtp)
        .session(begun.session.unwrap())
        .challenge_responses("USERNAME", sub)
        .challenge_responses("EMAIL_OTP_CODE", world.last_code(NINA))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn who_has_a_password_too_chooses() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    let begun = world
        .sdk
        .initiate_auth()
        .client_id(&world.client.client_id)
        .auth_flow(AuthFlowType::UserAuth)
        .auth_parameters("USERNAME", NINA)
        .send()
        .await
        .unwrap();
    assert_eq!(
        begun.challenge_name,
        Some(ChallengeNameType::SelectChallenge)
    );
    assert_eq!(
        begun.available_challenges(),
        [
            ChallengeNameType::PasswordSrp,
            ChallengeNameType::Password,
            ChallengeNameType::EmailOtp
        ]
    );
    let choose = |session: String, answer: &str| {
        world
            .sdk
            .respond_to_auth_challenge()
            .client_id(&world.client.client_id)
            .challenge_name(ChallengeNameType::SelectChallenge)
            .session(session)
            .challenge_responses("USERNAME", NINA)
            .challenge_responses("ANSWER", answer)
            .send()
    };
    let session = begun.session.unwrap();
    assert_eq!(
        refusal(choose(session.clone(), "SMS_OTP").await),
        "InvalidParameterException: SMS_OTP is not one of the available challenges"
    );
    let challenged = choose(session.clone(), "EMAIL_OTP").await.unwrap();
    assert_eq!(challenged.challenge_name, Some(ChallengeNameType::EmailOtp));
    assert_eq!(
        challenged.challenge_parameters().unwrap()["CODE_DELIVERY_DESTINATION"],
        "n***@e***"
    );
    assert_eq!(refusal(choose(session, "EMAIL_OTP").await), USED);
    assert_eq!(world.mails_to(NINA).len(), 1);
    world
        .sdk
        .respond_to_auth_challenge()
        .client_id(&world.client.client_id)
        .challenge_name(ChallengeNameType::EmailOtp)
        .session(challenged.session.unwrap())
        .challenge_responses("USERNAME", NINA)
        .challenge_responses("EMAIL_OTP_CODE", world.last_code(NINA))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_disabled_user_gets_no_code_and_a_code_in_hand_is_worth_nothing() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let session = world.begin_session(NINA).await;
    world
        .sdk
        .admin_disable_user()
        .user_pool_id(&world.pool)
        .username(NINA)
        .send()
        .await
        .unwrap();
    let disabled = "NotAuthorizedException: User is disabled.";
    let code = world.last_code(NINA);
    assert_eq!(refusal(world.answer(NINA, &session, &code).await), disabled);
    assert_eq!(refusal(world.begin(NINA).await), disabled);
    assert_eq!(world.mails_to(NINA).len(), 1);
    world
        .sdk
        .admin_enable_user()
        .user_pool_id(&world.pool)
        .username(NINA)
        .send()
        .await
        .unwrap();
    world.answer(NINA, &session, &code).await.unwrap();
}

#[tokio::test]
async fn a_code_verifies_the_address() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    world
        .sdk
        .admin_update_user_attributes()
        .user_pool_id(&world.pool)
        .username(NINA)
        .user_attributes(crate::world::attribute("email_verified", "false"))
        .send()
        .await
        .unwrap();
    world.sign_in(NINA).await;
    let user = world
        .sdk
        .admin_get_user()
        .user_pool_id(&world.pool)
        .username(NINA)
        .send()
        .await
        .unwrap();
    let verified = user
        .user_attributes()
        .iter()
        .find(|attribute| attribute.name() == "email_verified")
        .unwrap();
    assert_eq!(verified.value(), Some("true"));
}
