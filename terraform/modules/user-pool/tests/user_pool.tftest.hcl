mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name                  = "latchkey-test"
  triggers              = { pre-token-generation = "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-pre-token-generation:live" }
  wire_triggers         = true
  shortest_password     = 12
  passkeys              = { relying_party_id = "app.example.com", user_verification = "preferred" }
  refresh_token_days    = 30
  refresh_grace_seconds = 60
  mail_sender           = null
  public_client         = false
  protected             = false

  requests_per_5_minutes = null
}

run "the_pool_is_what_the_design_needs" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool.this.user_pool_tier == "ESSENTIALS" && toset(aws_cognito_user_pool.this.sign_in_policy[0].allowed_first_auth_factors) == toset(["PASSWORD", "EMAIL_OTP", "WEB_AUTHN"])
    error_message = "email codes need Essentials and both first factors"
  }

  assert {
    condition     = aws_cognito_user_pool.this.web_authn_configuration[0].relying_party_id == "app.example.com" && aws_cognito_user_pool.this.mfa_configuration == "OFF"
    error_message = "Cognito takes passkeys as first factor with its own MFA off, and for one domain name"
  }

  assert {
    condition     = aws_cognito_user_pool.this.username_attributes == toset(["email"]) && !aws_cognito_user_pool.this.username_configuration[0].case_sensitive
    error_message = "the address is the user name, whatever its letter case; this can never be changed"
  }

  assert {
    condition     = aws_cognito_user_pool.this.mfa_configuration == "OFF"
    error_message = "Cognito's own MFA takes codes away from those who have it"
  }

  assert {
    condition     = aws_cognito_user_pool.this.lambda_config[0].pre_token_generation_config[0].lambda_version == "V2_0"
    error_message = "only version 2 can change access tokens"
  }

  assert {
    condition     = aws_cognito_user_pool.this.admin_create_user_config[0].allow_admin_create_user_only && aws_cognito_user_pool.this.password_policy[0].minimum_length == 12
    error_message = "nobody signs up at Cognito's endpoint, and passwords have twelve characters"
  }
}

run "words_of_ones_own_need_a_sender_of_ones_own" {
  command = plan

  variables {
    triggers = {
      custom-message       = "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-custom-message:live"
      pre-token-generation = "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-pre-token-generation:live"
    }
  }

  assert {
    condition     = aws_cognito_user_pool.this.lambda_config[0].custom_message == null
    error_message = "with Cognito's own sender the trigger would stop every mail"
  }
}

run "the_client_rotates_and_tells_nothing" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool_client.operations.generate_secret && aws_cognito_user_pool_client.operations.explicit_auth_flows == toset(["ALLOW_USER_AUTH"])
    error_message = "the client has a secret and one flow; ALLOW_REFRESH_TOKEN_AUTH would undo rotation"
  }

  assert {
    condition     = aws_cognito_user_pool_client.operations.refresh_token_rotation[0].feature == "ENABLED" && aws_cognito_user_pool_client.operations.refresh_token_rotation[0].retry_grace_period_seconds == 60
    error_message = "refresh tokens rotate, with a grace period"
  }

  assert {
    condition     = aws_cognito_user_pool_client.operations.prevent_user_existence_errors == "ENABLED" && aws_cognito_user_pool_client.operations.enable_token_revocation
    error_message = "unknown addresses look like known ones, and tokens can be revoked"
  }

  assert {
    condition = (
      aws_cognito_user_pool_client.operations.auth_session_validity == 5
      && aws_cognito_user_pool_client.operations.access_token_validity == 60
      && aws_cognito_user_pool_client.operations.token_validity_units[0].access_token == "minutes"
      && aws_cognito_user_pool_client.operations.refresh_token_validity == 30
      && aws_cognito_user_pool_client.operations.token_validity_units[0].refresh_token == "days"
    )
    error_message = "five minutes to sign in, an hour for a token, thirty days for a session"
  }

  assert {
    condition     = length(aws_cognito_user_pool_client.browser) == 0 && output.public_client_id == null
    error_message = "the public client is off unless it is asked for"
  }
}

run "the_public_client_rotates_too" {
  command = plan

  variables {
    public_client = true
  }

  assert {
    condition     = !aws_cognito_user_pool_client.browser[0].generate_secret && !contains(aws_cognito_user_pool_client.browser[0].explicit_auth_flows, "ALLOW_REFRESH_TOKEN_AUTH") && aws_cognito_user_pool_client.browser[0].refresh_token_rotation[0].feature == "ENABLED"
    error_message = "a public client has no secret, and its refresh tokens rotate"
  }

  assert {
    condition     = aws_cognito_user_pool_client.browser[0].explicit_auth_flows == toset(["ALLOW_USER_AUTH", "ALLOW_USER_SRP_AUTH"]) && aws_cognito_user_pool_client.browser[0].refresh_token_rotation[0].retry_grace_period_seconds == 60
    error_message = "Amplify signs in by SRP or by choice, and its refreshes have the same grace"
  }
}

run "a_pool_can_wait_for_its_functions" {
  command = plan

  variables {
    wire_triggers = false
  }

  assert {
    condition     = length(aws_cognito_user_pool.this.lambda_config) == 0
    error_message = "the pool names no function that is not there"
  }
}

run "a_pool_that_nobody_talks_to_has_no_web_acl" {
  command = plan

  assert {
    condition     = length(aws_wafv2_web_acl.this) == 0 && length(aws_wafv2_web_acl_association.this) == 0
    error_message = "functions need no web ACL in front of them"
  }
}

run "a_pool_that_people_talk_to_has_a_web_acl" {
  command = apply

  variables {
    requests_per_5_minutes = 500
  }

  assert {
    condition     = aws_wafv2_web_acl.this[0].scope == "REGIONAL" && aws_wafv2_web_acl_association.this[0].resource_arn == aws_cognito_user_pool.this.arn && aws_wafv2_web_acl_association.this[0].web_acl_arn == aws_wafv2_web_acl.this[0].arn
    error_message = "the web ACL stands before the pool"
  }

  assert {
    condition = one([
      for rule in aws_wafv2_web_acl.this[0].rule : rule.statement[0].rate_based_statement[0] if rule.name == "pool-rate"
    ]).limit == 500
    error_message = "an address of the network may send so many requests and no more"
  }

  # Refreshes and recoveries of everybody come from functions, and tokens of everybody's consents
  # from AgentCore.
  assert {
    condition = toset(flatten([
      for rule in aws_wafv2_web_acl.this[0].rule : [
        for excepted in rule.statement[0].rate_based_statement[0].scope_down_statement[0].not_statement[0].statement[0].or_statement[0].statement : excepted.byte_match_statement[0].search_string
      ] if rule.name == "pool-rate"
    ])) == toset([aws_cognito_user_pool_client.operations.id, "/oauth2/token"])
    error_message = "the operations' client and AgentCore are not counted by address"
  }
}

run "a_sender_of_one_s_own" {
  command = plan

  variables {
    mail_sender = {
      identity_arn = "arn:aws:ses:eu-west-1:111122223333:identity/example.com"
      from_address = "no-reply@example.com"
    }
    triggers = {
      custom-message       = "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-custom-message:live"
      pre-token-generation = "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-pre-token-generation:live"
    }
    protected = true
  }

  assert {
    condition     = aws_cognito_user_pool.this.lambda_config[0].custom_message == var.triggers["custom-message"]
    error_message = "mails through SES have the words of the team"
  }

  assert {
    condition     = aws_cognito_user_pool.this.email_configuration[0].email_sending_account == "DEVELOPER" && aws_cognito_user_pool.this.email_configuration[0].from_email_address == "no-reply@example.com"
    error_message = "with a sender, mails go through SES"
  }

  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "ACTIVE" && length(terraform_data.protection) == 1
    error_message = "a protected pool refuses deletion, in AWS and in plans"
  }
}

run "an_adopted_pool_keeps_its_name_and_cannot_be_deleted" {
  command = plan

  variables {
    adopted_pool = "eu-west-1_Theirs"
  }

  override_data {
    target = data.aws_cognito_user_pool.adopted[0]
    values = { name = "Their people" }
  }

  assert {
    condition     = aws_cognito_user_pool.this.name == "Their people" && aws_cognito_user_pool_client.operations.name == "latchkey-test-operations"
    error_message = "another name would replace the pool; the operations' client is the deployment's"
  }

  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "ACTIVE"
    error_message = "people were there before the deployment, so no environment may delete them"
  }
}

run "a_pool_that_asks_more_of_users_than_an_address_is_not_adopted" {
  command = plan

  variables {
    adopted_pool = "eu-west-1_Theirs"
  }

  override_data {
    target = data.aws_cognito_user_pool.adopted[0]
    values = {
      name = "Their people"
      schema_attributes = [
        { name = "sub", required = true, attribute_data_type = "String", mutable = false, developer_only_attribute = false, number_attribute_constraints = [], string_attribute_constraints = [] },
        { name = "email", required = true, attribute_data_type = "String", mutable = true, developer_only_attribute = false, number_attribute_constraints = [], string_attribute_constraints = [] },
        { name = "family_name", required = true, attribute_data_type = "String", mutable = true, developer_only_attribute = false, number_attribute_constraints = [], string_attribute_constraints = [] },
      ]
    }
  }

  expect_failures = [aws_cognito_user_pool.this]
}

run "a_pool_without_its_trigger_is_refused" {
  command = plan

  variables {
    triggers = {}
  }

  expect_failures = [var.triggers]
}

run "an_unknown_trigger_is_refused" {
  command = plan

  variables {
    triggers = {
      pre-token-generation = "arn:aws:lambda:eu-west-1:111122223333:function:a:live"
      PostAuthentication   = "arn:aws:lambda:eu-west-1:111122223333:function:b:live"
    }
  }

  expect_failures = [var.triggers]
}

run "a_grace_that_cognito_does_not_take_is_refused" {
  command = plan

  variables {
    refresh_grace_seconds = 61
  }

  expect_failures = [var.refresh_grace_seconds]
}

run "a_short_password_is_refused" {
  command = plan

  variables {
    shortest_password = 6
  }

  expect_failures = [var.shortest_password]
}
