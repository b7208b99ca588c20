# From the contract to functions, routes and grants. The only file that reads it; an operation that is added there ships with it.

locals {
  contract          = yamldecode(file("${path.module}/../shared/auth-api/openapi.yaml"))
  contract_settings = local.contract["x-latchkey-settings"]

  # Every operation by its name, which is its operationId in kebab-case.
  operations = merge([
    for path, item in local.contract.paths : {
      for method, operation in item :
      join("-", [for word in regexall("[A-Z]?[^A-Z]+", operation.operationId) : lower(word)]) => {
        summary  = operation.summary
        method   = upper(method)
        path     = path
        security = lookup(operation, "security", lookup(local.contract, "security", []))
        needs    = operation["x-latchkey"]
      } if contains(["get", "put", "post", "delete", "patch"], method)
    }
  ]...)

  # Every function that Cognito calls, likewise.
  triggers = {
    for id, trigger in local.contract["x-latchkey-triggers"] :
    join("-", [for word in regexall("[A-Z]?[^A-Z]+", id) : lower(word)]) => {
      summary = trigger.summary
      kind    = trigger.kind
      needs   = trigger
    }
  }

  functions = merge(
    { for name, operation in local.operations : name => { summary = operation.summary, needs = operation.needs } },
    { for name, trigger in local.triggers : name => { summary = trigger.summary, needs = trigger.needs } },
  )

  # The security schemes of the contract, as API Gateway has authorizers for them. Anything else is refused by the API's module.
  authorizations = { cognitoJwt = "JWT", iam = "AWS_IAM" }
  security = {
    for name, operation in local.operations : name => {
      authorization = length(operation.security) == 0 ? "NONE" : length(operation.security) > 1 ? "one of several" : lookup(local.authorizations, try(keys(operation.security[0])[0], ""), "unknown")
      scopes        = try(values(operation.security[0])[0], [])
    }
  }

  # What grants can name, and what may be granted there. Nothing that reads a whole table or the whole pool.
  item_actions = ["BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"]
  table_resources = {
    for name, table in module.tables.tables : name => {
      service = "dynamodb"
      arns    = [table.arn]
      actions = local.item_actions
      key = {
        arn     = aws_kms_key.this.arn
        via     = "dynamodb.${var.region}.amazonaws.com"
        context = { "aws:dynamodb:tableName" = table.name }
      }
    }
  }
  index_resources = {
    for name, table in module.tables.tables : "${name}/index" => {
      service = "dynamodb"
      arns    = table.index_arns
      actions = ["Query"]
      key     = local.table_resources[name].key
    } if length(table.index_arns) > 0
  }
  resources = merge(local.table_resources, local.index_resources, {
    user-pool = {
      service = "cognito-idp"
      arns    = [module.user_pool.arn]
      actions = [
        "AdminConfirmSignUp", "AdminCreateUser", "AdminDeleteUser", "AdminDisableUser", "AdminEnableUser", "AdminGetUser", "AdminInitiateAuth",
        "AdminResetUserPassword", "AdminRespondToAuthChallenge", "AdminSetUserPassword", "AdminUpdateUserAttributes",
        "AdminUserGlobalSignOut",
      ]
      key = null
    }
    secrets = {
      service = "secretsmanager"
      arns    = [module.secrets.arn]
      actions = ["GetSecretValue"]
      key = {
        arn     = aws_kms_key.this.arn
        via     = "secretsmanager.${var.region}.amazonaws.com"
        context = { SecretARN = module.secrets.arn }
      }
    }
    # What operations seal by themselves, each under an encryption context of its own.
    sealing-key = {
      service = "kms"
      arns    = [aws_kms_key.this.arn]
      actions = ["Decrypt", "Encrypt"]
      key     = null
    }
    }, var.mail_sender == null ? {} : {
    mail = {
      service = "ses"
      arns    = [var.mail_sender.identity_arn]
      actions = ["SendEmail"]
      key     = null
    }
  })

  # What Terraform makes and functions ask for by name.
  made_settings = {
    ENVIRONMENT                    = var.environment
    COGNITO_USER_POOL_ID           = module.user_pool.id
    COGNITO_CLIENT_ID              = module.user_pool.operations_client_id
    GUESTS_TABLE_NAME              = module.tables.tables["guests"].name
    CHALLENGES_TABLE_NAME          = module.tables.tables["challenges"].name
    DYNAMODB_OAUTH2_SESSIONS_TABLE = module.tables.tables["sessions"].name
    SECRETS_ID                     = module.secrets.name
    KMS_KEY_ID                     = aws_kms_key.this.arn
    FRONTEND_URL                   = local.frontend_url
  }
  made_setting_names = [
    "ENVIRONMENT", "COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID", "GUESTS_TABLE_NAME", "CHALLENGES_TABLE_NAME",
    "DYNAMODB_OAUTH2_SESSIONS_TABLE", "SECRETS_ID", "KMS_KEY_ID", "FRONTEND_URL",
  ]

  # A setting's value: what Terraform made, what the deployment says, or the contract's default.
  setting_values = merge(
    { for name, setting in local.contract_settings : name => tostring(setting.default) if can(setting.default) },
    var.settings,
  )
  environments = {
    for name, function in local.functions : name => {
      for setting in function.needs.environment : setting =>
      contains(local.made_setting_names, setting) ? local.made_settings[setting] : lookup(local.setting_values, setting, "") # refused below
    }
  }

  refresh_token_days = tonumber(local.setting_values["REFRESH_TOKEN_DAYS"])

  # Names and ARNs that are known before anything is made: the pool must name functions that need to know the pool.
  function_names = { for name in keys(local.functions) : name => "${local.prefix}-${name}" }
  trigger_arns = {
    for name, trigger in local.triggers :
    trigger.kind => "arn:${local.partition}:lambda:${var.region}:${local.account_id}:function:${local.function_names[name]}:live"
  }

  test_events = {
    for name in keys(local.functions) : name => {
      for event in fileset("${path.module}/../crates/${name}/events", "*.json") :
      trimsuffix(event, ".json") => file("${path.module}/../crates/${name}/events/${event}")
    }
  }
}

# What no variable's condition can see, said before anything is changed.
resource "terraform_data" "contract" {
  lifecycle {
    precondition {
      condition     = alltrue(flatten([for function in local.functions : [for name in function.needs.environment : contains(local.made_setting_names, name) || can(local.setting_values[name])]]))
      error_message = "Functions read settings that have no value: ${join(", ", distinct(flatten([for function in local.functions : [for name in function.needs.environment : name if !contains(local.made_setting_names, name) && !can(local.setting_values[name])]])))}. Give the contract a default, or set it in var.settings."
    }

    precondition {
      condition     = length(local.functions) == length(local.operations) + length(local.triggers)
      error_message = "An operation and a trigger of the contract have the same name."
    }
  }
}
