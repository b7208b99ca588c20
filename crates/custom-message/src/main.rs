//! The `custom-message` function's process in Lambda. It makes no AWS calls, so it has no client.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), auth_lambda::ProcessError> {
    auth_lambda::logging::start()?;
    let environment = auth_aws::Environment::from_process();
    auth_lambda::serve(
        custom_message::function(&environment)?,
        std::future::ready(()),
    )
    .await
}
