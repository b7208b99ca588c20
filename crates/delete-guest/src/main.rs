//! The `delete-guest` function's process in Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), auth_lambda::ProcessError> {
    auth_lambda::logging::start()?;
    let platform = auth_aws::Platform::from_environment(auth_lambda::system_clock())?;
    auth_lambda::serve(delete_guest::function(&platform)?, platform.prepare()).await
}
