//! AgentCore beside the pool: its state for an operation, and a person who is really sent through
//! both.

use agentcore_local::{Behaviour, DeniedSession};
use aws_credential_types::Credentials;
use aws_sdk_bedrockagentcore as sdk;
use sdk::config::retry::RetryConfig;
use sdk::config::{BehaviorVersion, Region};
use sdk::error::ProvideErrorMetadata as _;
use sdk::operation::get_resource_oauth2_token::GetResourceOauth2TokenOutput;
use sdk::types::{Oauth2FlowType, UserIdentifier};

use crate::harness::TestWorld;
use crate::harness::consent::Consenting;
use crate::harness::people::ADA;

const USER_ID: &str = "latchkey#ada";
const WORKLOAD: &str = "latchkey-local-agent";
const PROVIDER: &str = "latchkey-local-cognito";

fn sdk_for(world: &TestWorld) -> sdk::Client {
    let config = sdk::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(&world.ready().agentcore)
        .credentials_provider(Credentials::from_keys("AKID", "secret", None))
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    sdk::Client::from_conf(config)
}

async fn workload_token(sdk: &sdk::Client) -> String {
    sdk.get_workload_access_token_for_user_id()
        .workload_name(WORKLOAD)
        .user_id(USER_ID)
        .send()
        .await
        .unwrap()
        .workload_access_token
}

async fn ask(sdk: &sdk::Client, return_url: &str) -> Result<GetResourceOauth2TokenOutput, String> {
    sdk.get_resource_oauth2_token()
        .workload_identity_token(workload_token(sdk).await)
        .resource_credential_provider_name(PROVIDER)
        .set_scopes(Some(
            ["openid", "email", "profile"].map(str::to_owned).to_vec(),
        ))
        .oauth2_flow(Oauth2FlowType::UserFederation)
        .resource_oauth2_return_url(return_url)
        .custom_state("once")
        .send()
        .await
        .map_err(|refusal| refusal.code().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_person_consents_at_the_pools_page_and_the_agent_gets_that_persons_token() {
    let world = TestWorld::start().await;
    let signed_in = world.sign_in(ADA).await;
    let return_url = format!("{}auth/callback", world.ready().page);
    let sdk = sdk_for(&world);

    let begun = ask(&sdk, &return_url).await.unwrap();
    let session = begun.session_uri.unwrap();
    let back = Consenting::new(&world)
        .consent(&begun.authorization_url.unwrap(), ADA)
        .await;
    let parameters: Vec<_> = back.query_pairs().into_owned().collect();
    assert!(
        back.as_str().starts_with(&format!("{return_url}?")),
        "{back}"
    );
    assert!(
        parameters.contains(&("session_id".to_owned(), session.clone())),
        "{back}"
    );
    assert!(
        parameters.contains(&("state".to_owned(), "once".to_owned())),
        "{back}"
    );

    sdk.complete_resource_token_auth()
        .user_identifier(UserIdentifier::UserId(USER_ID.to_owned()))
        .session_uri(session)
        .send()
        .await
        .unwrap();
    let token = ask(&sdk, &return_url).await.unwrap().access_token.unwrap();

    let user_info = reqwest::Client::new()
        .get(format!(
            "{}/latchkey-local/oauth2/userInfo",
            world.ready().cognito
        ))
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    let user_info: serde_json::Value = user_info.json().await.unwrap();
    assert_eq!(user_info["email"], ADA);
    assert_eq!(user_info["sub"], signed_in.user["cognitoSub"]);

    // Its audience is AgentCore's client, so the API itself does not accept it.
    let mut browser = world.browser();
    browser.bearer(&token);
    browser.get("/me").await.expect_status(401);
}

#[tokio::test]
async fn browsers_are_sent_back_to_the_callback_and_nowhere_else() {
    let world = TestWorld::start().await;
    let sdk = sdk_for(&world);
    let page = &world.ready().page;
    for elsewhere in [
        format!("{page}auth/callback/"),
        format!("{page}auth/callback?next=1"),
        format!("{}/auth/callback", world.ready().gateway),
        "https://evil.example/auth/callback".to_owned(),
    ] {
        let refused = ask(&sdk, &elsewhere).await.unwrap_err();
        assert_eq!(refused, "ValidationException", "{elsewhere}");
    }
}

#[tokio::test]
async fn tokens_of_the_pools_people_become_workload_tokens_until_they_end() {
    let world = TestWorld::start().await;
    let signed_in = world.sign_in(ADA).await;
    let sdk = sdk_for(&world);
    let for_jwt = || {
        sdk.get_workload_access_token_for_jwt()
            .workload_name(WORKLOAD)
            .user_token(&signed_in.access_token)
            .send()
    };
    assert!(!for_jwt().await.unwrap().workload_access_token.is_empty());
    world.advance(3_601);
    assert_eq!(
        for_jwt().await.unwrap_err().code(),
        Some("UnauthorizedException")
    );
}

#[tokio::test]
async fn a_reset_forgets_consents_and_switches_and_keeps_who_the_agent_is() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let return_url = format!("{}auth/callback", world.ready().page);
    let sdk = sdk_for(&world);
    let begun = ask(&sdk, &return_url).await.unwrap();
    let denied = Behaviour {
        denied_session: DeniedSession::InProgress,
        ..Behaviour::default()
    };
    world.agentcore().set_behaviour(denied);

    world.reset().unwrap();

    let opened = reqwest::get(begun.authorization_url.unwrap())
        .await
        .unwrap();
    assert_eq!(opened.status(), 400, "the session is forgotten");
    assert_eq!(world.agentcore().behaviour(), Behaviour::default());
    assert!(ask(&sdk, &return_url).await.is_ok());
}
