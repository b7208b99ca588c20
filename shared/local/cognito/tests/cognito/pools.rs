//! Pools and app clients, over the wire and by the embedding program.

use aws_sdk_cognitoidentityprovider::types::{
    AuthFactorType, ExplicitAuthFlowsType, FeatureType, PreventUserExistenceErrorTypes,
    RefreshTokenRotationType, SignInPolicyType, UserPoolPolicyType, UsernameAttributeType,
};
use cognito_local::{ClientSpec, PoolSpec, Secret};

use crate::world::{World, refusal};

#[tokio::test]
async fn a_pool_is_made_described_and_deleted_over_the_wire() {
    let world = World::new().await;
    let policies = UserPoolPolicyType::builder()
        .sign_in_policy(
            SignInPolicyType::builder()
                .allowed_first_auth_factors(AuthFactorType::EmailOtp)
                .build(),
        )
        .build();
    let pool = world
        .sdk
        .create_user_pool()
        .pool_name("second")
        .policies(policies)
        .username_attributes(UsernameAttributeType::Email)
        .send()
        .await
        .unwrap()
        .user_pool
        .unwrap();
    let pool_id = pool.id().unwrap();
    assert!(pool_id.starts_with("eu-west-1_"));
    assert_eq!(
        pool.arn().unwrap(),
        format!("arn:aws:cognito-idp:eu-west-1:000000000000:userpool/{pool_id}")
    );
    let listed = world
        .sdk
        .list_user_pools()
        .max_results(60)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.user_pools().len(), 2);
    world
        .sdk
        .delete_user_pool()
        .user_pool_id(pool_id)
        .send()
        .await
        .unwrap();
    let gone = format!("ResourceNotFoundException: User pool {pool_id} does not exist.");
    let outcome = world
        .sdk
        .describe_user_pool()
        .user_pool_id(pool_id)
        .send()
        .await;
    assert_eq!(refusal(outcome), gone);
}

#[tokio::test]
async fn a_client_is_made_changed_described_and_deleted_over_the_wire() {
    let world = World::new().await;
    let client = world
        .sdk
        .create_user_pool_client()
        .user_pool_id(&world.pool)
        .client_name("confidential")
        .generate_secret(true)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowUserAuth)
        .send()
        .await
        .unwrap()
        .user_pool_client
        .unwrap();
    assert!(client.client_secret().is_some());
    assert_eq!(client.auth_session_validity, Some(3));
    assert_eq!(
        client.prevent_user_existence_errors,
        Some(PreventUserExistenceErrorTypes::Legacy)
    );
    let id = client.client_id().unwrap();
    let update = |flow: ExplicitAuthFlowsType| {
        world
            .sdk
            .update_user_pool_client()
            .user_pool_id(&world.pool)
            .client_id(id)
            .explicit_auth_flows(flow)
            .refresh_token_rotation(
                RefreshTokenRotationType::builder()
                    .feature(FeatureType::Enabled)
                    .retry_grace_period_seconds(10)
                    .build()
                    .unwrap(),
            )
            .send()
    };
    assert!(
        refusal(update(ExplicitAuthFlowsType::AllowRefreshTokenAuth).await)
            .starts_with("InvalidParameterException: ALLOW_REFRESH_TOKEN_AUTH")
    );
    update(ExplicitAuthFlowsType::AllowUserAuth).await.unwrap();
    let described = world
        .sdk
        .describe_user_pool_client()
        .user_pool_id(&world.pool)
        .client_id(id)
        .send()
        .await
        .unwrap()
        .user_pool_client
        .unwrap();
    assert_eq!(described.client_secret(), client.client_secret());
    assert_eq!(described.client_name(), Some("confidential"));
    assert_eq!(
        described
            .refresh_token_rotation()
            .unwrap()
            .retry_grace_period_seconds,
        Some(10)
    );
    world
        .sdk
        .delete_user_pool_client()
        .user_pool_id(&world.pool)
        .client_id(id)
        .send()
        .await
        .unwrap();
    let outcome = world
        .sdk
        .initiate_auth()
        .client_id(id)
        .auth_flow("USER_AUTH".into())
        .auth_parameters("USERNAME", "a")
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        format!("ResourceNotFoundException: User pool client {id} does not exist.")
    );
}

#[tokio::test]
async fn what_this_stand_in_cannot_do_is_refused_when_it_is_asked_for() {
    let world = World::new().await;
    for (body, message) in [
        (
            serde_json::json!({"PoolName": "p", "LambdaConfig": {"PostConfirmation": "arn:aws:lambda:eu-west-1:000000000000:function:f"}}),
            "cognito-local does not call the trigger PostConfirmation.",
        ),
        (
            serde_json::json!({"PoolName": "p", "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["SMS_OTP"]}}}),
            "cognito-local does not offer the first factor SMS_OTP.",
        ),
    ] {
        let (status, answer) = world.raw("CreateUserPool", &body).await;
        assert_eq!((status, answer["message"].as_str()), (400, Some(message)));
    }
}

#[tokio::test]
async fn ensuring_twice_changes_settings_and_keeps_ids_and_secrets() {
    let world = World::new().await;
    let mut spec = PoolSpec::passwordless("fixed");
    spec.id = Some("eu-west-1_fixed0001".to_owned());
    assert_eq!(
        world.cognito.ensure_pool(spec.clone()).unwrap(),
        "eu-west-1_fixed0001"
    );
    assert_eq!(
        world.cognito.ensure_pool(spec).unwrap(),
        "eu-west-1_fixed0001"
    );
    let mut confidential = ClientSpec::new("confidential");
    confidential.secret = Secret::Generated;
    let first = world
        .cognito
        .ensure_client("eu-west-1_fixed0001", confidential.clone())
        .unwrap();
    confidential.auth_session_minutes = 5;
    let second = world
        .cognito
        .ensure_client("eu-west-1_fixed0001", confidential)
        .unwrap();
    assert!(first == second);
    let mut fixed = ClientSpec::new("fixed");
    fixed.id = Some("operations".to_owned());
    fixed.secret = Secret::Fixed("a_secret_that_is_kept_elsewhere".to_owned());
    let client = world
        .cognito
        .ensure_client("eu-west-1_fixed0001", fixed)
        .unwrap();
    assert_eq!(client.client_id, "operations");
    assert_eq!(
        client.client_secret.as_deref(),
        Some("a_secret_that_is_kept_elsewhere")
    );
    let mut weak = ClientSpec::new("weak");
    weak.secret = Secret::Fixed("short".to_owned());
    assert!(
        world
            .cognito
            .ensure_client("eu-west-1_fixed0001", weak)
            .is_err()
    );
    let mut bad = ClientSpec::new("bad");
    bad.auth_session_minutes = 2;
    assert!(
        world
            .cognito
            .ensure_client("eu-west-1_fixed0001", bad)
            .is_err()
    );
}
