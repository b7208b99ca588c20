//! One file a function: its promises to its callers, and its cases.

mod authorization_callback;
mod authorize_request;
mod change_email;
mod change_password;
mod clear_limits;
mod confirm_password_reset;
mod confirm_registration;
mod confirm_start_link;
mod custom_message;
mod delete_account;
mod delete_guest;
mod delete_passkey;
mod disable_guest;
mod disable_mfa;
mod enable_guest;
mod end_other_sessions;
mod end_session;
mod export_account;
mod find_guest;
mod get_authenticated_guest;
mod get_profile;
mod get_session_status;
mod get_workload_token;
mod guest_activity;
mod initiate_otp;
mod initiate_passkey;
mod keep_factors;
mod list_activity;
mod list_passkeys;
mod list_sessions;
mod login_user;
pub(crate) mod logout_user;
mod note_bounce;
mod open_start_link;
mod pre_token_generation;
pub(crate) mod refresh_token;
mod register_user;
mod relink_guest;
mod rename_passkey;
mod request_password_reset;
mod request_proof;
mod resend_otp;
mod reset_factors;
mod setup_mfa;
mod setup_passkey;
mod sign_out_guest;
mod start_authorization;
mod sweep_unproved_users;
mod update_profile;
mod verify_email_change;
mod verify_mfa;
mod verify_mfa_setup;
mod verify_otp;
mod verify_passkey;
mod verify_passkey_setup;

use crate::harness::case::Case;

/// Every case of every function. `rules/failing_calls.rs` compares them with `calls.yaml` and the
/// contract.
pub(crate) fn cases() -> Vec<Case> {
    [
        authorization_callback::cases(),
        authorize_request::cases(),
        change_email::cases(),
        change_password::cases(),
        clear_limits::cases(),
        confirm_password_reset::cases(),
        confirm_registration::cases(),
        confirm_start_link::cases(),
        custom_message::cases(),
        delete_account::cases(),
        delete_guest::cases(),
        delete_passkey::cases(),
        disable_guest::cases(),
        disable_mfa::cases(),
        enable_guest::cases(),
        end_other_sessions::cases(),
        end_session::cases(),
        export_account::cases(),
        find_guest::cases(),
        get_authenticated_guest::cases(),
        get_profile::cases(),
        get_session_status::cases(),
        get_workload_token::cases(),
        guest_activity::cases(),
        initiate_otp::cases(),
        initiate_passkey::cases(),
        keep_factors::cases(),
        list_activity::cases(),
        list_passkeys::cases(),
        list_sessions::cases(),
        login_user::cases(),
        logout_user::cases(),
        note_bounce::cases(),
        open_start_link::cases(),
        pre_token_generation::cases(),
        refresh_token::cases(),
        register_user::cases(),
        relink_guest::cases(),
        rename_passkey::cases(),
        request_password_reset::cases(),
        request_proof::cases(),
        resend_otp::cases(),
        reset_factors::cases(),
        setup_mfa::cases(),
        setup_passkey::cases(),
        sign_out_guest::cases(),
        start_authorization::cases(),
        sweep_unproved_users::cases(),
        update_profile::cases(),
        verify_email_change::cases(),
        verify_mfa::cases(),
        verify_mfa_setup::cases(),
        verify_otp::cases(),
        verify_passkey::cases(),
        verify_passkey_setup::cases(),
    ]
    .concat()
}
