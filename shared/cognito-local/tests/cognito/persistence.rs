//! State in a file.

use cognito_local::{Cognito, State};

use crate::world::{PASSWORD, World};

const NINA: &str = "nina@example.com";

#[tokio::test]
async fn everything_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pool.sqlite");
    let open = async || {
        let file = file.clone();
        World::with(move |plan| plan.options.state = State::File(file)).await
    };
    let before = open().await;
    before.user_with_password(NINA).await;
    let tokens = before.sign_in(NINA).await;
    let session = before.begin_session(NINA).await;
    let code = before.last_code(NINA);
    let keys = async |world: &World| {
        let url = format!("{}/{}/.well-known/jwks.json", world.url, world.pool);
        reqwest::get(url).await.unwrap().text().await.unwrap()
    };
    let published = keys(&before).await;
    // Nothing is closed or flushed: the first world is still running, as if it had been stopped in the middle.
    let after = open().await;
    assert_eq!(after.pool, before.pool);
    assert_eq!(after.client.client_id, before.client.client_id);
    assert_eq!(keys(&after).await, published);
    after.answer(NINA, &session, &code).await.unwrap();
    after.password_sign_in(NINA, PASSWORD).await.unwrap();
    after
        .sdk
        .get_tokens_from_refresh_token()
        .client_id(&after.client.client_id)
        .refresh_token(tokens.refresh_token().unwrap())
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn the_file_holds_no_password_token_session_or_code_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pool.sqlite");
    let opened = file.clone();
    let world = World::with(move |plan| plan.options.state = State::File(opened)).await;
    world.user_with_password(NINA).await;
    let tokens = world.sign_in(NINA).await;
    let session = world.begin_session(NINA).await;
    let code = world.last_code(NINA);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend(std::fs::read(folder.path().join("pool.sqlite-wal")).unwrap());
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(holds(NINA), "the search finds what is there");
    for secret in [
        PASSWORD,
        tokens.refresh_token().unwrap(),
        tokens.access_token().unwrap(),
        &session,
        &code,
    ] {
        assert!(!holds(secret));
    }
}

#[test]
fn a_file_that_is_no_database_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(
        &file,
        "not a database at all, but long enough to be read as one",
    )
    .unwrap();
    let mut options = cognito_local::Options::new("http://127.0.0.1:1");
    options.state = State::File(file);
    assert!(Cognito::open(options).is_err());
}
