//! The operations: the served ones, those that AWS requires signed, and the code of each.

mod admin_users;
mod client_secrets;
mod completion;
mod domains;
mod email_code;
mod empty_lists;
mod import_jobs;
mod own_account;
mod passkey_challenge;
mod passkeys;
mod password_proof;
mod pools;
mod recovery;
mod respond_to_challenge;
mod second_factor;
mod second_factor_answer;
mod sign_in;
mod sign_out;
mod sign_up;
mod software_token;
mod user_list;

use std::sync::Arc;

use local_kit::Fault;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::session::Door;

/// Operations that AWS leaves unsigned: the caller has another proof, or none yet. All others
/// require `SigV4`.
const UNSIGNED: [&str; 25] = [
    "AssociateSoftwareToken",
    "ChangePassword",
    "CompleteWebAuthnRegistration",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "DeleteUser",
    "DeleteUserAttributes",
    "DeleteWebAuthnCredential",
    "ForgotPassword",
    "GetTokensFromRefreshToken",
    "GetUser",
    "GetUserAttributeVerificationCode",
    "GetUserAuthFactors",
    "GlobalSignOut",
    "InitiateAuth",
    "ListWebAuthnCredentials",
    "ResendConfirmationCode",
    "RespondToAuthChallenge",
    "RevokeToken",
    "SetUserMFAPreference",
    "SignUp",
    "StartWebAuthnRegistration",
    "UpdateUserAttributes",
    "VerifySoftwareToken",
    "VerifyUserAttribute",
];

pub(crate) fn needs_signature(operation: &str) -> bool {
    !UNSIGNED.contains(&operation)
}

/// Checks the body against AWS's model, then runs the operation.
pub(crate) async fn run(
    service: &Arc<Service>,
    operation: &str,
    mut body: Value,
) -> Result<Value, Refusal> {
    model::check(operation, &body)?;
    drop_nulls(&mut body);
    match operation {
        "AddUserPoolClientSecret" => client_secrets::add(service, &read(body)?),
        "AdminConfirmSignUp" => admin_users::confirm_sign_up(service, &read(body)?),
        "AdminCreateUser" => admin_users::create(service, &read(body)?).await,
        "AdminDeleteUser" => admin_users::delete(service, &read(body)?),
        "AdminDeleteUserAttributes" => admin_users::delete_attributes(service, &read(body)?),
        "AdminDisableUser" => admin_users::disable(service, &read(body)?),
        "AdminEnableUser" => admin_users::enable(service, &read(body)?),
        "AdminGetUser" => admin_users::get(service, &read(body)?),
        "AdminGetUserAuthFactors" => admin_users::auth_factors(service, &read(body)?),
        "AdminInitiateAuth" => sign_in::initiate(service, Door::Admin, &read(body)?).await,
        "AdminListGroupsForUser" | "ListGroups" => {
            empty_lists::list(service, "Groups", &read(body)?)
        }
        "AdminResetUserPassword" => admin_users::reset_password(service, &read(body)?).await,
        "AdminRespondToAuthChallenge" => {
            respond_to_challenge::respond(service, Door::Admin, &read(body)?).await
        }
        "AdminSetUserMFAPreference" => software_token::admin_set_preference(service, &read(body)?),
        "AdminSetUserPassword" => admin_users::set_password(service, &read(body)?).await,
        "AdminUpdateUserAttributes" => admin_users::update_attributes(service, &read(body)?),
        "AdminUserGlobalSignOut" => sign_out::admin_everywhere(service, &read(body)?),
        "AssociateSoftwareToken" => software_token::associate(service, &read(body)?),
        "ChangePassword" => own_account::change_password(service, &read(body)?).await,
        "CompleteWebAuthnRegistration" => passkeys::complete(service, &read(body)?),
        "ConfirmForgotPassword" => recovery::confirm(service, &read(body)?).await,
        "ConfirmSignUp" => sign_up::confirm(service, &read(body)?),
        "CreateUserImportJob" => import_jobs::create(service, &read(body)?),
        "CreateUserPool" => pools::create(service, &read(body)?),
        "CreateUserPoolDomain" => domains::create(service, &read(body)?),
        "CreateUserPoolClient" => pools::create_client(service, read(body)?),
        "DeleteUser" => own_account::delete(service, &read(body)?),
        "DeleteUserAttributes" => own_account::delete_attributes(service, &read(body)?),
        "DeleteUserPool" => pools::delete(service, &read(body)?),
        "DeleteUserPoolClientSecret" => client_secrets::delete(service, &read(body)?),
        "DeleteUserPoolDomain" => domains::delete(service, &read(body)?),
        "DeleteUserPoolClient" => pools::delete_client(service, &read(body)?),
        "DeleteWebAuthnCredential" => passkeys::delete(service, &read(body)?),
        "DescribeUserImportJob" => import_jobs::describe(service, &read(body)?),
        "DescribeUserPool" => pools::describe(service, &read(body)?),
        "DescribeUserPoolDomain" => domains::describe(service, &read(body)?),
        "DescribeUserPoolClient" => pools::describe_client(service, &read(body)?),
        "ForgotPassword" => recovery::forgot(service, &read(body)?).await,
        "GetCSVHeader" => import_jobs::csv_header(service, &read(body)?),
        "GetTokensFromRefreshToken" => sign_in::tokens_from_refresh(service, &read(body)?).await,
        "GetUser" => own_account::get(service, &read(body)?),
        "GetUserAttributeVerificationCode" => own_account::send_code(service, &read(body)?).await,
        "GetUserAuthFactors" => own_account::auth_factors(service, &read(body)?),
        "GetUserPoolMfaConfig" => pools::mfa_config(service, &read(body)?),
        "GlobalSignOut" => sign_out::everywhere(service, &read(body)?),
        "InitiateAuth" => sign_in::initiate(service, Door::Public, &read(body)?).await,
        "ListIdentityProviders" => empty_lists::list(service, "Providers", &read(body)?),
        "ListResourceServers" => empty_lists::list(service, "ResourceServers", &read(body)?),
        "ListUserImportJobs" => import_jobs::list(service, &read(body)?),
        "ListUserPoolClientSecrets" => client_secrets::list(service, &read(body)?),
        "ListUserPoolClients" => pools::list_clients(service, &read(body)?),
        "ListUserPools" => pools::list(service, &read(body)?),
        "ListUsers" => user_list::list(service, &read(body)?),
        "ListWebAuthnCredentials" => passkeys::list(service, &read(body)?),
        "ResendConfirmationCode" => sign_up::resend(service, &read(body)?).await,
        "RespondToAuthChallenge" => {
            respond_to_challenge::respond(service, Door::Public, &read(body)?).await
        }
        "RevokeToken" => sign_out::revoke(service, &read(body)?),
        "SetUserMFAPreference" => software_token::set_preference(service, &read(body)?),
        "SetUserPoolMfaConfig" => pools::set_mfa_config(service, &read(body)?),
        "SignUp" => sign_up::sign_up(service, &read(body)?).await,
        "StartUserImportJob" => import_jobs::start(service, &read(body)?),
        "StartWebAuthnRegistration" => passkeys::start(service, &read(body)?),
        "StopUserImportJob" => import_jobs::stop(service, &read(body)?),
        "UpdateUserAttributes" => own_account::update_attributes(service, &read(body)?).await,
        "UpdateUserPool" => pools::update(service, read(body)?),
        "UpdateUserPoolClient" => pools::update_client(service, read(body)?),
        "VerifySoftwareToken" => software_token::verify(service, &read(body)?),
        "VerifyUserAttribute" => own_account::verify_email(service, &read(body)?),
        _ => Err(Fault::unknown_operation().into()),
    }
}

/// The model has accepted the body, so only its open points can still fail here.
fn read<T: DeserializeOwned>(body: Value) -> Result<T, Refusal> {
    serde_json::from_value(body)
        .map_err(|_| Refusal::new(Exception::Serialization, "Unexpected field type"))
}

/// In this protocol, a null member is an absent one.
fn drop_nulls(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, member| !member.is_null());
        object.values_mut().for_each(drop_nulls);
    } else if let Some(list) = value.as_array_mut() {
        list.iter_mut().for_each(drop_nulls);
    }
}
