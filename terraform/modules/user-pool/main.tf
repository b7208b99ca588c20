# The directory and token issuer. Whatever cannot be changed without a new pool (user name attributes, letter case, the schema) is
# written here as a constant, and not as a variable.

resource "aws_cognito_user_pool" "this" {
  name                = var.name
  user_pool_tier      = "ESSENTIALS" # email codes and changed access tokens need it
  deletion_protection = var.protected ? "ACTIVE" : "INACTIVE"

  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]

  # Latchkey's own authenticator guards both ways in. Cognito's would take EMAIL_OTP away from whoever has one, and from all when ON.
  mfa_configuration = "OFF"

  username_configuration {
    case_sensitive = false
  }

  schema {
    name                     = "email"
    attribute_data_type      = "String"
    developer_only_attribute = false
    required                 = true
    mutable                  = true

    # Cognito's own bounds. Without them every plan shows a change.
    string_attribute_constraints {
      min_length = "0"
      max_length = "2048"
    }
  }

  sign_in_policy {
    allowed_first_auth_factors = ["PASSWORD", "EMAIL_OTP"]
  }

  # The domain checks passwords; this agrees with it, and leaves composition alone (NIST SP 800-63B-4 section 3.1.1.2).
  password_policy {
    minimum_length                   = var.shortest_password
    require_lowercase                = false
    require_numbers                  = false
    require_symbols                  = false
    require_uppercase                = false
    temporary_password_validity_days = 1
  }

  # Users are made by operations, through the Admin API, and by nobody at Cognito's own endpoint.
  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  # A new address counts once it is proved; until then the old one does.
  user_attribute_update_settings {
    attributes_require_verification_before_update = ["email"]
  }

  email_configuration {
    email_sending_account  = var.mail_sender == null ? "COGNITO_DEFAULT" : "DEVELOPER"
    source_arn             = try(var.mail_sender.identity_arn, null)
    from_email_address     = try(var.mail_sender.from_address, null)
    reply_to_email_address = try(var.mail_sender.reply_to_address, null)
    configuration_set      = try(var.mail_sender.configuration_set, null)
  }

  lambda_config {
    pre_authentication = lookup(var.triggers, "PreAuthentication", null)

    pre_token_generation_config {
      lambda_arn     = var.triggers["PreTokenGenerationV2"]
      lambda_version = "V2_0"
    }
  }
}

locals {
  # What both clients have in common.
  tokens = {
    access_minutes  = 60
    id_minutes      = 60
    sign_in_minutes = 5
    # Time for two tabs that refresh at once, and for an answer that got lost. The local run has the same.
    rotation_grace_seconds = 10
  }
  # An app client must be able to write what the pool requires.
  readable = ["email", "email_verified", "name"]
  writable = ["email", "name"]
}

# The operations' client. Its secret is in Terraform's state and in the deployment's secret, and in no output.
resource "aws_cognito_user_pool_client" "operations" {
  name         = "${var.name}-operations"
  user_pool_id = aws_cognito_user_pool.this.id

  generate_secret = true
  # USER_AUTH covers codes and passwords. ALLOW_REFRESH_TOKEN_AUTH must stay out: with it, refresh tokens would not rotate.
  explicit_auth_flows           = ["ALLOW_USER_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true
  supported_identity_providers  = ["COGNITO"]
  read_attributes               = local.readable
  write_attributes              = local.writable

  auth_session_validity  = local.tokens.sign_in_minutes
  access_token_validity  = local.tokens.access_minutes
  id_token_validity      = local.tokens.id_minutes
  refresh_token_validity = var.refresh_token_days

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }

  refresh_token_rotation {
    feature                    = "ENABLED"
    retry_grace_period_seconds = local.tokens.rotation_grace_seconds
  }
}

# The browsers' client, for Amplify. Off by default: whoever holds its id may talk to Cognito itself.
resource "aws_cognito_user_pool_client" "browser" {
  count = var.public_client ? 1 : 0

  name         = "${var.name}-browser"
  user_pool_id = aws_cognito_user_pool.this.id

  generate_secret               = false
  explicit_auth_flows           = ["ALLOW_USER_AUTH", "ALLOW_USER_SRP_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true
  supported_identity_providers  = ["COGNITO"]
  read_attributes               = local.readable
  write_attributes              = local.writable

  auth_session_validity  = local.tokens.sign_in_minutes
  access_token_validity  = local.tokens.access_minutes
  id_token_validity      = local.tokens.id_minutes
  refresh_token_validity = var.refresh_token_days

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }

  refresh_token_rotation {
    feature                    = "ENABLED"
    retry_grace_period_seconds = local.tokens.rotation_grace_seconds
  }
}

# prevent_destroy takes no variable. This does the same by a detour: a plan that destroys or replaces the pool, or the client whose
# secret the operations hold, must replace this too, and is refused.
resource "terraform_data" "protection" {
  count = var.protected ? 1 : 0

  triggers_replace = [aws_cognito_user_pool.this.id, aws_cognito_user_pool_client.operations.id]

  lifecycle {
    prevent_destroy = true
  }
}
