//! The `pre-token-generation` function's process in Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    auth_lambda::logging::start()?;
    auth_lambda::serve(pre_token_generation::function(auth_lambda::system_clock())).await
}
