//! Users in the pool, usually by sub: access tokens do not contain the address.

use auth_domain::{Caller, Email, Problem, Report, Subject, UserSub};
use aws_sdk_cognitoidentityprovider::types::AttributeType;

use crate::{
    ConfigurationError, Platform,
    boxed::Boxed as _,
    failure::{Failure, failure},
    user_pool::{UserPool, sub_among},
};

/// The users of the pool.
#[derive(Clone)]
pub struct Users {
    pool: UserPool,
}

/// Whether Cognito lets a user sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserState {
    /// The user may sign in.
    Enabled,
    /// An operator has disabled the user.
    Disabled,
    /// The user no longer exists in the pool.
    Gone,
}

/// The outcome of a change of a user's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressSet {
    /// Cognito took it. It may have moved from another user without a word.
    Set,
    /// Another user has the address.
    Taken,
    /// The pool has no such user any more.
    Gone,
}

impl Users {
    /// The users of the pool that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            pool: UserPool::new(platform)?,
        })
    }

    /// Removes a user. A missing one counts as removed.
    pub async fn remove(&self, sub: &UserSub) -> Result<(), Problem> {
        let removed = self
            .pool
            .client
            .admin_delete_user()
            .user_pool_id(&self.pool.pool_id)
            .username(sub.as_str())
            .send()
            .boxed()
            .await
            .map_err(failure("remove the user"));
        match removed {
            Ok(_) => Ok(()),
            Err(failure) if failure.code() == Some("UserNotFoundException") => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Whether a user may sign in.
    pub async fn state(&self, sub: &UserSub) -> Result<UserState, Problem> {
        Ok(match self.pool.find(sub.as_str()).await? {
            Some(user) if user.enabled() => UserState::Enabled,
            Some(_) => UserState::Disabled,
            None => UserState::Gone,
        })
    }

    /// Disables a user's sign-ins, and revokes the issued tokens. `NotFound` if the user does not
    /// exist.
    pub async fn disable(&self, sub: &UserSub) -> Result<(), Problem> {
        let disabled = self
            .pool
            .client
            .admin_disable_user()
            .user_pool_id(&self.pool.pool_id)
            .username(sub.as_str())
            .send()
            .boxed()
            .await;
        found(disabled.map_err(failure("disable the user")))
    }

    /// Enables a user's sign-ins again. `NotFound` if the user does not exist.
    pub async fn enable(&self, sub: &UserSub) -> Result<(), Problem> {
        let enabled = self
            .pool
            .client
            .admin_enable_user()
            .user_pool_id(&self.pool.pool_id)
            .username(sub.as_str())
            .send()
            .boxed()
            .await;
        found(enabled.map_err(failure("enable the user")))
    }

    /// The address that a user has proved, if there is one.
    pub async fn address_of(&self, sub: &UserSub) -> Result<Option<Email>, Problem> {
        let Some(user) = self.pool.find(sub.as_str()).await? else {
            return Ok(None);
        };
        let attribute = |name: &str| {
            let mut attributes = user.user_attributes().iter();
            attributes
                .find(|attribute| attribute.name() == name)?
                .value()
        };
        if attribute("email_verified") != Some("true") {
            return Ok(None);
        }
        Ok(attribute("email").and_then(|email| Email::parse(email).ok()))
    }

    /// The user of an address, if there is one.
    pub async fn holder(&self, email: &Email) -> Result<Option<UserSub>, Problem> {
        let Some(user) = self.pool.find(email.as_str()).await? else {
            return Ok(None);
        };
        sub_among(user.user_attributes())
            .map(Some)
            .ok_or_else(|| Problem::Internal(Report::of("Cognito has a user without a sub")))
    }

    /// Gives a user another address, as one that is proved. Both attributes go in one call: without
    /// the second one Cognito takes the address for unproved.
    pub async fn set_address(&self, sub: &UserSub, email: &Email) -> Result<AddressSet, Problem> {
        let attribute = |name: &str, value: &str| {
            let attribute = AttributeType::builder().name(name).value(value).build();
            attribute.map_err(|error| Problem::Internal(Report::new("describe the address", error)))
        };
        let set = self
            .pool
            .client
            .admin_update_user_attributes()
            .user_pool_id(&self.pool.pool_id)
            .username(sub.as_str())
            .user_attributes(attribute("email", email.as_str())?)
            .user_attributes(attribute("email_verified", "true")?)
            .send()
            .await
            .map_err(failure("change the user's address"));
        match set {
            Ok(_) => Ok(AddressSet::Set),
            Err(failure) => match failure.code() {
                Some("AliasExistsException") => Ok(AddressSet::Taken),
                Some("UserNotFoundException") => Ok(AddressSet::Gone),
                Some(_) | None => Err(failure.into()),
            },
        }
    }

    /// Whether the user of a provider's token is the person that an authorization is for.
    pub async fn is_meant(&self, subject: &Subject, person: &Caller) -> Result<bool, Problem> {
        match subject {
            Subject::Guest { sub, .. } => Ok(person.sub == *sub),
            Subject::Claimed(email) => {
                let address = self.address_of(&person.sub).await?;
                Ok(address.as_ref() == Some(email))
            }
            Subject::Anybody => Ok(true),
        }
    }

    /// Revokes every refresh token of a user. Access tokens live on by their signature: the guest's
    /// `signedOutAt` ends those.
    pub async fn sign_out(&self, sub: &UserSub) -> Result<(), Problem> {
        self.sign_out_named(sub.as_str()).await
    }

    /// The same for the user of an address, whose sub is not known.
    pub async fn sign_out_at(&self, email: &Email) -> Result<(), Problem> {
        self.sign_out_named(email.as_str()).await
    }

    async fn sign_out_named(&self, username: &str) -> Result<(), Problem> {
        let signed_out = self
            .pool
            .client
            .admin_user_global_sign_out()
            .user_pool_id(&self.pool.pool_id)
            .username(username)
            .send()
            .boxed()
            .await;
        match signed_out.map_err(failure("sign the user out")) {
            Ok(_) => Ok(()),
            Err(failure) if failure.code() == Some("UserNotFoundException") => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }
}

fn found<T>(changed: Result<T, Failure>) -> Result<(), Problem> {
    match changed {
        Ok(_) => Ok(()),
        Err(failure) if failure.code() == Some("UserNotFoundException") => Err(Problem::NotFound),
        Err(failure) => Err(failure.into()),
    }
}
