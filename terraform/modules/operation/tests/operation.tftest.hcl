mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name                     = "latchkey-test-verify-otp"
  description              = "Trade a code for tokens"
  package                  = { bucket = "artifacts", key = "packages/verify-otp-0.zip", sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }
  memory_mb                = 256
  timeout_seconds          = 15
  environment              = { ENVIRONMENT = "test" }
  grants                   = ["guests:GetItem", "guests/index:Query", "guests:UpdateItem", "secrets:GetSecretValue"]
  log_level                = "INFO"
  log_retention_days       = 30
  log_kms_key_arn          = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
  reserved_concurrency     = null
  live_version             = null
  permissions_boundary_arn = null
  test_events              = { direct = "{\"email\":\"ada@example.com\"}" }
  test_event_registry      = "lambda-testevent-schemas"

  resources = {
    guests = {
      service = "dynamodb"
      arns    = ["arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-guests"]
      actions = ["GetItem", "UpdateItem"]
      key = {
        arn     = "arn:aws:kms:eu-west-1:111122223333:key/k"
        via     = "dynamodb.eu-west-1.amazonaws.com"
        context = { "aws:dynamodb:tableName" = "latchkey-test-guests" }
        actions = ["Decrypt", "Encrypt"]
      }
    }
    "guests/index" = {
      service = "dynamodb"
      arns    = ["arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-guests/index/cognito-sub-index"]
      actions = ["Query"]
      key = {
        arn     = "arn:aws:kms:eu-west-1:111122223333:key/k"
        via     = "dynamodb.eu-west-1.amazonaws.com"
        context = { "aws:dynamodb:tableName" = "latchkey-test-guests" }
        actions = ["Decrypt", "Encrypt"]
      }
    }
    secrets = {
      service = "secretsmanager"
      arns    = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:latchkey-test-AbCdEf"]
      actions = ["GetSecretValue"]
      key = {
        arn     = "arn:aws:kms:eu-west-1:111122223333:key/k"
        via     = "secretsmanager.eu-west-1.amazonaws.com"
        context = { SecretARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:latchkey-test-AbCdEf" }
        actions = ["Decrypt"]
      }
    }
    user-pool = {
      service = "cognito-idp"
      arns    = ["arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Latchkey0"]
      actions = ["AdminInitiateAuth"]
    }
  }
}

run "a_role_holds_its_grants_and_no_more" {
  command = apply

  assert {
    condition = jsondecode(aws_iam_role_policy.this.policy).Statement == [
      {
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        Resource = ["arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-guests"]
      },
      {
        Effect   = "Allow"
        Action   = ["dynamodb:Query"]
        Resource = ["arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-guests/index/cognito-sub-index"]
      },
      {
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:latchkey-test-AbCdEf"]
      },
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = ["arn:aws:kms:eu-west-1:111122223333:key/k"]
        Condition = { StringEquals = {
          "kms:ViaService"                  = "secretsmanager.eu-west-1.amazonaws.com"
          "kms:EncryptionContext:SecretARN" = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:latchkey-test-AbCdEf"
        } }
      },
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:Encrypt"]
        Resource = ["arn:aws:kms:eu-west-1:111122223333:key/k"]
        Condition = { StringEquals = {
          "kms:ViaService"                               = "dynamodb.eu-west-1.amazonaws.com"
          "kms:EncryptionContext:aws:dynamodb:tableName" = "latchkey-test-guests"
        } }
      },
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/latchkey-test-some-function:*"]
      },
      {
        Effect   = "Allow"
        Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        Resource = ["*"]
      },
    ]
    error_message = "the policy is not the grants, the keys behind them, a log and traces: ${aws_iam_role_policy.this.policy}"
  }
}

run "what_a_service_reads_as_its_caller_is_granted_once" {
  command = plan

  variables {
    grants = ["token-vault:GetResourceOauth2Token", "token-vault:CompleteResourceTokenAuth"]
    resources = {
      token-vault = {
        service = "bedrock-agentcore"
        arns    = ["arn:aws:bedrock-agentcore:eu-west-1:111122223333:token-vault/default"]
        actions = ["CompleteResourceTokenAuth", "GetResourceOauth2Token"]
        also = [{
          actions = ["secretsmanager:GetSecretValue"]
          arns    = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:bedrock-agentcore-identity!default/oauth2/latchkey-test-??????"]
        }]
      }
    }
  }

  assert {
    condition = jsonencode(concat(local.grant_statements, local.also_statements)) == jsonencode([
      {
        Effect   = "Allow"
        Action   = ["bedrock-agentcore:CompleteResourceTokenAuth", "bedrock-agentcore:GetResourceOauth2Token"]
        Resource = ["arn:aws:bedrock-agentcore:eu-west-1:111122223333:token-vault/default"]
      },
      {
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:bedrock-agentcore-identity!default/oauth2/latchkey-test-??????"]
      },
    ])
    error_message = "a token from the vault takes the provider's secret: ${jsonencode(concat(local.grant_statements, local.also_statements))}"
  }
}

run "a_function_without_grants_logs_and_traces" {
  command = apply

  variables {
    grants = []
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : split(":", statement.Action[0])[0]] == ["logs", "xray"]
    error_message = "no grants, no rights"
  }
}

run "the_function_is_what_ships" {
  command = plan

  assert {
    condition = (
      aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.architectures == tolist(["arm64"])
      && aws_lambda_function.this.handler == "bootstrap" && aws_lambda_function.this.publish
      && aws_lambda_function.this.source_code_hash == var.package.sha256
    )
    error_message = "arm64, provided.al2023, published, and changed by its bytes alone"
  }

  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "Active" && aws_lambda_function.this.logging_config[0].log_format == "JSON" && aws_lambda_function.this.logging_config[0].log_group == aws_cloudwatch_log_group.this.name
    error_message = "traces on, JSON into the log group that was made before it"
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30 && aws_cloudwatch_log_group.this.name == "/aws/lambda/latchkey-test-verify-otp"
    error_message = "logs end"
  }

  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == -1 && aws_lambda_alias.live.name == "live"
    error_message = "nothing is reserved by itself, and callers use the alias"
  }

  assert {
    condition     = aws_schemas_schema.test_events[0].name == "_latchkey-test-verify-otp-schema" && jsondecode(aws_schemas_schema.test_events[0].content).components.examples.direct.value.email == "ada@example.com"
    error_message = "the console finds test events by this name, in this shape"
  }
}

run "an_unknown_resource_is_refused" {
  command = plan

  variables {
    grants = ["passports:GetItem"]
  }

  expect_failures = [var.grants]
}

run "an_unknown_action_is_refused" {
  command = plan

  variables {
    grants = ["guests:Scan"]
  }

  expect_failures = [var.grants]
}

run "a_wildcard_is_refused" {
  command = plan

  variables {
    grants = ["guests:*"]
  }

  expect_failures = [var.grants]
}

run "a_wildcard_in_an_arn_is_refused" {
  command = plan

  variables {
    grants = []
    resources = {
      guests = { service = "dynamodb", arns = ["arn:aws:dynamodb:*:*:table/guests"], actions = ["GetItem"] }
    }
  }

  expect_failures = [var.resources]
}

run "a_time_out_beyond_the_api_s_is_refused" {
  command = plan

  variables {
    timeout_seconds = 60
  }

  expect_failures = [var.timeout_seconds]
}
