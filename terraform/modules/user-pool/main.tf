# The directory and token issuer. shared/auth-api/user-pool.yaml describes the pool and its clients;
# the local run makes its own from it. Cognito cannot change user name attributes, letter case and
# the schema of an existing pool: an adopted pool has the first two as described, or its plan is to
# replace it.

locals {
  described = yamldecode(templatefile("${path.module}/../../../shared/auth-api/user-pool.yaml", {
    SHORTEST_PASSWORD     = var.shortest_password
    REFRESH_TOKEN_DAYS    = var.refresh_token_days
    REFRESH_GRACE_SECONDS = var.refresh_grace_seconds
  }))
  pool    = local.described.pool
  clients = { for name, client in local.described.clients : name => merge(local.described["every-client"], client) }
}

locals {
  # Further attributes that an adopted pool requires of every user.
  asked_of_users = flatten([for pool in data.aws_cognito_user_pool.adopted : [
    for attribute in pool.schema_attributes : attribute.name if attribute.required && !contains(["email", "sub"], attribute.name)
  ]])
}

# An adopted pool keeps its name: the provider knows no other way to rename a pool than to replace
# it.
data "aws_cognito_user_pool" "adopted" {
  count = var.adopted_pool == null ? 0 : 1

  user_pool_id = var.adopted_pool
}

resource "aws_cognito_user_pool" "this" {
  name                = var.adopted_pool == null ? var.name : data.aws_cognito_user_pool.adopted[0].name
  user_pool_tier      = local.pool.UserPoolTier
  deletion_protection = var.protected || var.adopted_pool != null ? "ACTIVE" : "INACTIVE"

  username_attributes      = local.pool.UsernameAttributes
  auto_verified_attributes = local.pool.AutoVerifiedAttributes
  mfa_configuration        = local.pool.MfaConfiguration

  username_configuration {
    case_sensitive = local.pool.UsernameConfiguration.CaseSensitive
  }

  dynamic "schema" {
    for_each = local.pool.Schema

    content {
      name                     = schema.value.Name
      attribute_data_type      = schema.value.AttributeDataType
      developer_only_attribute = schema.value.DeveloperOnlyAttribute
      required                 = schema.value.Required
      mutable                  = schema.value.Mutable

      string_attribute_constraints {
        min_length = schema.value.StringAttributeConstraints.MinLength
        max_length = schema.value.StringAttributeConstraints.MaxLength
      }
    }
  }

  sign_in_policy {
    allowed_first_auth_factors = local.pool.Policies.SignInPolicy.AllowedFirstAuthFactors
  }

  dynamic "web_authn_configuration" {
    for_each = var.passkeys[*]

    content {
      relying_party_id  = web_authn_configuration.value.relying_party_id
      user_verification = web_authn_configuration.value.user_verification
    }
  }

  password_policy {
    minimum_length                   = local.pool.Policies.PasswordPolicy.MinimumLength
    require_lowercase                = local.pool.Policies.PasswordPolicy.RequireLowercase
    require_numbers                  = local.pool.Policies.PasswordPolicy.RequireNumbers
    require_symbols                  = local.pool.Policies.PasswordPolicy.RequireSymbols
    require_uppercase                = local.pool.Policies.PasswordPolicy.RequireUppercase
    temporary_password_validity_days = local.pool.Policies.PasswordPolicy.TemporaryPasswordValidityDays
  }

  admin_create_user_config {
    allow_admin_create_user_only = local.pool.AdminCreateUserConfig.AllowAdminCreateUserOnly
  }

  account_recovery_setting {
    dynamic "recovery_mechanism" {
      for_each = local.pool.AccountRecoverySetting.RecoveryMechanisms

      content {
        name     = recovery_mechanism.value.Name
        priority = recovery_mechanism.value.Priority
      }
    }
  }

  user_attribute_update_settings {
    attributes_require_verification_before_update = local.pool.UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate
  }

  email_configuration {
    email_sending_account  = var.mail_sender == null ? "COGNITO_DEFAULT" : "DEVELOPER"
    source_arn             = try(var.mail_sender.identity_arn, null)
    from_email_address     = try(var.mail_sender.from_address, null)
    reply_to_email_address = try(var.mail_sender.reply_to_address, null)
    configuration_set      = try(var.mail_sender.configuration_set, null)
  }

  dynamic "lambda_config" {
    for_each = var.wire_triggers ? [var.triggers] : []

    content {
      # Cognito takes a function's words only for mails through SES, and with its own sender refuses
      # every mail that one has worded.
      custom_message     = var.mail_sender == null ? null : lookup(lambda_config.value, "custom-message", null)
      pre_authentication = lookup(lambda_config.value, "pre-authentication", null)

      pre_token_generation_config {
        lambda_arn     = lambda_config.value["pre-token-generation"]
        lambda_version = "V2_0"
      }
    }
  }

  lifecycle {
    # Cognito changes and removes no attribute of a pool, and an adopted one has attributes of its
    # own.
    ignore_changes = [schema]

    # So no plan shows that one of them is required.
    precondition {
      condition     = length(local.asked_of_users) == 0
      error_message = "Every user of the pool ${coalesce(var.adopted_pool, "to adopt")} must have ${join(", ", local.asked_of_users)}, and Latchkey makes users with an address alone. Cognito never changes that, so it needs a new pool: adopted_pool = null."
    }
  }
}

# The operations' client. Its secret is in Terraform's state and in the deployment's secret, and in
# no output.
resource "aws_cognito_user_pool_client" "operations" {
  name         = "${var.name}-operations"
  user_pool_id = aws_cognito_user_pool.this.id

  generate_secret               = local.clients.operations.GenerateSecret
  explicit_auth_flows           = local.clients.operations.ExplicitAuthFlows
  prevent_user_existence_errors = local.clients.operations.PreventUserExistenceErrors
  enable_token_revocation       = local.clients.operations.EnableTokenRevocation
  supported_identity_providers  = local.clients.operations.SupportedIdentityProviders
  read_attributes               = local.clients.operations.ReadAttributes
  write_attributes              = local.clients.operations.WriteAttributes

  enable_propagate_additional_user_context_data = local.clients.operations.EnablePropagateAdditionalUserContextData

  auth_session_validity  = local.clients.operations.AuthSessionValidity
  access_token_validity  = local.clients.operations.AccessTokenValidity
  id_token_validity      = local.clients.operations.IdTokenValidity
  refresh_token_validity = local.clients.operations.RefreshTokenValidity

  token_validity_units {
    access_token  = local.clients.operations.TokenValidityUnits.AccessToken
    id_token      = local.clients.operations.TokenValidityUnits.IdToken
    refresh_token = local.clients.operations.TokenValidityUnits.RefreshToken
  }

  refresh_token_rotation {
    feature                    = local.clients.operations.RefreshTokenRotation.Feature
    retry_grace_period_seconds = local.clients.operations.RefreshTokenRotation.RetryGracePeriodSeconds
  }
}

# The public client, for Amplify. It talks to Cognito itself.
resource "aws_cognito_user_pool_client" "browser" {
  count = var.public_client ? 1 : 0

  name         = "${var.name}-browser"
  user_pool_id = aws_cognito_user_pool.this.id

  generate_secret               = local.clients.public.GenerateSecret
  explicit_auth_flows           = local.clients.public.ExplicitAuthFlows
  prevent_user_existence_errors = local.clients.public.PreventUserExistenceErrors
  enable_token_revocation       = local.clients.public.EnableTokenRevocation
  supported_identity_providers  = local.clients.public.SupportedIdentityProviders
  read_attributes               = local.clients.public.ReadAttributes
  write_attributes              = local.clients.public.WriteAttributes

  auth_session_validity  = local.clients.public.AuthSessionValidity
  access_token_validity  = local.clients.public.AccessTokenValidity
  id_token_validity      = local.clients.public.IdTokenValidity
  refresh_token_validity = local.clients.public.RefreshTokenValidity

  token_validity_units {
    access_token  = local.clients.public.TokenValidityUnits.AccessToken
    id_token      = local.clients.public.TokenValidityUnits.IdToken
    refresh_token = local.clients.public.TokenValidityUnits.RefreshToken
  }

  refresh_token_rotation {
    feature                    = local.clients.public.RefreshTokenRotation.Feature
    retry_grace_period_seconds = local.clients.public.RefreshTokenRotation.RetryGracePeriodSeconds
  }
}

# prevent_destroy takes no variable. This does the same indirectly: a plan that destroys or replaces
# the pool, or the client whose secret the operations hold, must replace this too, and is refused.
resource "terraform_data" "protection" {
  count = var.protected ? 1 : 0

  triggers_replace = [aws_cognito_user_pool.this.id, aws_cognito_user_pool_client.operations.id]

  lifecycle {
    prevent_destroy = true
  }
}
