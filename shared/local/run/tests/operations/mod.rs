//! One file an operation or trigger: what it promises to whoever calls it.

mod authorization_callback;
mod confirm_password_reset;
mod confirm_registration;
mod confirm_start_link;
mod disable_mfa;
mod get_authenticated_guest;
mod get_session_status;
mod get_workload_token;
mod initiate_otp;
mod login_user;
mod logout_user;
mod open_start_link;
mod pre_token_generation;
mod refresh_token;
mod register_user;
mod request_password_reset;
mod resend_otp;
mod setup_mfa;
mod start_authorization;
mod update_profile;
mod verify_mfa;
mod verify_mfa_setup;
mod verify_otp;
