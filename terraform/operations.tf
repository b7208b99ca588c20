# From the contract to functions, routes and grants. This is the only file that reads the contract;
# a new operation there ships with it.

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
        tool     = lookup(operation["x-latchkey"], "tool", null)
      } if contains(["get", "put", "post", "delete", "patch"], method)
    }
  ]...)

  # Every function that no route leads to, likewise.
  unrouted = {
    for id, function in local.contract["x-latchkey-functions"] :
    join("-", [for word in regexall("[A-Z]?[^A-Z]+", id) : lower(word)]) => function
  }
  # By their callers. No resource here calls an authorizer: a team attaches it to its own API.
  triggers  = { for name, function in local.unrouted : name => function if contains(local.trigger_kinds, function.kind) }
  schedules = { for name, function in local.unrouted : name => function if function.kind == "schedule" }
  hearers   = { for name, function in local.unrouted : name => function if function.kind == "mail-feedback" }

  trigger_kinds = ["custom-message", "pre-authentication", "pre-token-generation"]

  functions = merge(
    { for name, operation in local.operations : name => { summary = operation.summary, needs = operation.needs } },
    { for name, function in local.unrouted : name => { summary = function.summary, needs = function } },
  )

  # The security schemes of the contract, as API Gateway has authorizers for them. The API's module
  # refuses any other. If a token is optional ({} beside it), the operation checks it: an authorizer
  # would refuse requests without one.
  authorizations = { cognitoJwt = "JWT", iam = "AWS_IAM" }
  optional       = { for name, operation in local.operations : name => length(operation.security) == 2 && length(try(operation.security[1], { some = [] })) == 0 }
  security = {
    for name, operation in local.operations : name => {
      authorization = length(operation.security) == 0 || local.optional[name] ? "NONE" : length(operation.security) > 1 ? "one of several" : lookup(local.authorizations, try(keys(operation.security[0])[0], ""), "unknown")
      scopes        = local.optional[name] ? [] : try(values(operation.security[0])[0], [])
    }
  }

  event_types  = local.contract.components.schemas.GuestEvent.properties.type.enum
  event_wanted = try(coalesce(var.events.types, local.event_types), [])

  # Whether a route is for people who help guests. No agent may call those.
  for_operators = { for name, operation in local.operations : name => startswith(operation.path, "/admin/") }

  # Saved queries over logs are made for each of these. A query takes fifty log groups.
  areas = { for name in keys(local.functions) : name => can(regex("^/(auth|me)(/|$)", local.operations[name].path)) ? "people" : "services" }

  # The operations that agents have as tools.
  tools = { for name, operation in local.operations : name => operation.tool if operation.tool != null }

  # The resources that grants can name: service and actions are the contract's, ARNs and conditions
  # this deployment's.
  contract_resources = local.contract["x-latchkey-resources"]
  resources          = { for name, made in merge(local.made_tables, local.made_resources) : name => merge(made, { service = local.contract_resources[name].service, actions = local.contract_resources[name].actions }) }

  tables = { for name, resource in local.contract_resources : name => resource.table if can(resource.table) }
  made_tables = {
    for name, table in module.tables.tables : name => {
      arns = [table.arn]
      key = {
        arn     = aws_kms_key.this.arn
        via     = "dynamodb.${var.region}.amazonaws.com"
        context = { "aws:dynamodb:tableName" = table.name }
        # A user of a table with its own key needs more than Decrypt (DynamoDB guide, "encryption at
        # rest: usage notes").
        actions = ["Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"]
      }
    }
  }
  made_resources = {
    unproved-index = { arns = module.tables.tables["challenges"].index_arns }
    user-pool      = { arns = [module.user_pool.arn] }
    secrets = {
      arns = [module.secrets.arn]
      key = {
        arn     = aws_kms_key.this.arn
        via     = "secretsmanager.${var.region}.amazonaws.com"
        context = { SecretARN = module.secrets.arn }
        actions = ["Decrypt"]
      }
    }
    # The operations' own sealing. Sealing and opening require the owner's id, a user's or a
    # sign-in's, so a value copied to another's record stays shut.
    sealing-key = {
      arns      = [aws_kms_key.sealing.arn]
      condition = { "ForAnyValue:StringEquals" = { "kms:EncryptionContextKeys" = ["sub", "sign-in"] } }
    }
    # Notices. Without a sender the grant has no ARN, and functions get no MAIL_SENDER.
    mail = {
      arns      = local.mail_arns
      condition = { StringEquals = { "ses:FromAddress" = [coalesce(local.mail_address, "nobody@invalid")] } }
    }
    # The agent's identity, and the people it acts for. AgentCore checks the directory as well as
    # its entries.
    workload-identity = { arns = [local.agentcore.directory_arn, local.agentcore.identity_arn] }
    # Tokens of people, from the vault: of this provider and no other.
    token-vault = local.token_vault
  }

  token_vault = {
    arns = [local.agentcore.directory_arn, local.agentcore.identity_arn, local.agentcore.vault_arn, local.agentcore.provider_arn]
    # AgentCore keeps the provider's client secret in Secrets Manager and reads it with the caller's
    # rights. The six signs are AWS's own.
    also = [{
      actions = ["secretsmanager:GetSecretValue"]
      arns    = [local.agentcore.provider_secret_arn]
    }]
  }

  # Known before it is made, so that functions can get the names and the grants.
  agentcore = {
    workload_name       = local.prefix
    provider_name       = local.prefix
    directory_arn       = "${local.agentcore_arn}:workload-identity-directory/default"
    identity_arn        = "${local.agentcore_arn}:workload-identity-directory/default/workload-identity/${local.prefix}"
    vault_arn           = "${local.agentcore_arn}:token-vault/default"
    provider_arn        = "${local.agentcore_arn}:token-vault/default/oauth2credentialprovider/${local.prefix}"
    provider_secret_arn = "arn:${local.partition}:secretsmanager:${var.region}:${local.account_id}:secret:bedrock-agentcore-identity!default/oauth2/${local.prefix}-??????"
  }
  agentcore_arn = "arn:${local.partition}:bedrock-agentcore:${var.region}:${local.account_id}"

  # AgentCore's return address for a person's browser: this route, and exactly this. At CloudFront's
  # own name too, for consents that began before there was a domain.
  oauth2_callback_url  = local.deployment_url == null ? null : "${local.deployment_url}/api/auth/callback"
  oauth2_callback_urls = distinct(compact([local.oauth2_callback_url, try("${module.edge[0].cloudfront_url}/api/auth/callback", null)]))

  # The pool's own pages from the agentcore module. Known before, so that a consent's page can allow
  # its form to lead there.
  cognito_hosted_url = "https://${local.prefix}-${local.account_id}.auth.${var.region}.amazoncognito.com"

  # The issuer in the pool's tokens: the authorizer, the functions and AgentCore compare with it.
  issuer = var.updated_issuer ? replace(module.user_pool.issuer, "https://cognito-idp.", "https://issuer-cognito-idp.") : module.user_pool.issuer

  # The app clients whose access tokens the JWT routes accept: the authorizer's audience, and the
  # operations' list.
  api_client_ids = concat([module.user_pool.operations_client_id], var.public_client == "api" ? [module.user_pool.public_client_id] : [])

  # The values that Terraform makes and functions ask for by name. A null here means an absent
  # setting, where the contract allows that.
  made_settings = merge({ for name, table in local.tables : table.setting => module.tables.tables[name].name }, {
    ENVIRONMENT                      = var.environment
    COGNITO_USER_POOL_ID             = module.user_pool.id
    COGNITO_ISSUER                   = local.issuer
    COGNITO_CLIENT_ID                = module.user_pool.operations_client_id
    API_CLIENT_IDS                   = join(",", local.api_client_ids)
    PUBLIC_CLIENT                    = var.public_client
    SECRETS_ID                       = module.secrets.name
    ORIGIN_SECRET_SHA256             = module.secrets.origin_secret_sha256
    KMS_KEY_ID                       = aws_kms_key.sealing.arn
    MAIL_SENDER                      = try(var.mail_sender.from_address, null)
    MAIL_REPLY_TO                    = try(var.mail_sender.reply_to_address, null)
    MAIL_CONFIGURATION_SET           = local.mail_configuration_set
    FRONTEND_URL                     = local.frontend_url
    OAUTH2_CALLBACK_URL              = local.oauth2_callback_url
    COGNITO_HOSTED_URL               = local.cognito_hosted_url
    AGENTCORE_WORKLOAD_NAME          = local.agentcore.workload_name
    AGENTCORE_IDENTITY_PROVIDER_NAME = local.agentcore.provider_name
  })
  # Only their names, for conditions of variables: those must not depend on made resources. A
  # precondition compares the two.
  made_setting_names = [for name, setting in local.contract_settings : name if contains(try(setting.madeBy, []), "terraform")]

  # A setting's value: Terraform's, the deployment's, or the contract's default.
  setting_values = merge(
    { for name, setting in local.contract_settings : name => tostring(setting.default) if can(setting.default) },
    var.settings,
  )
  environments = {
    for name, function in local.functions : name => {
      for setting in function.needs.environment : setting =>
      # refused below
      try(contains(local.made_setting_names, setting) ? coalesce(local.made_settings[setting], lookup(local.setting_values, setting, null)) : local.setting_values[setting], "")
    }
  }

  # The contract's bounds: words, or the bounds of a number, or `none` if that is the default.
  setting_bounds = {
    for name, setting in local.contract_settings : name => {
      words  = try(setting.enum, [])
      number = can(setting.minimum)
      least  = try(setting.minimum, 0)
      most   = try(setting.maximum, 0)
      none   = try(tostring(setting.default), "") == "none"
    }
  }

  # The operations' result from the same two settings. The pool comes before the distribution, so a
  # deployment without a name of its own has no passkeys until PASSKEY_RP_ID names one.
  relying_party_id = (
    local.setting_values["PASSKEY_RP_ID"] != "none" ? local.setting_values["PASSKEY_RP_ID"]
    : var.frontend_url != null ? regex("^https://([^/:?#]+)", var.frontend_url)[0]
    : var.domain != null ? var.domain.name : null
  )

  refresh_token_days = tonumber(local.setting_values["REFRESH_TOKEN_DAYS"])
  shortest_password  = local.contract.components.schemas.NewPassword.minLength

  # Names and ARNs that are known before anything is made: the pool must name functions that need to
  # know the pool.
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

# Conditions that no variable can check, reported before any change.
resource "terraform_data" "contract" {
  lifecycle {
    precondition {
      condition     = alltrue(flatten([for function in local.functions : [for name in function.needs.environment : contains(local.made_setting_names, name) || can(local.setting_values[name])]]))
      error_message = "Functions read settings that have no value: ${join(", ", distinct(flatten([for function in local.functions : [for name in function.needs.environment : name if !contains(local.made_setting_names, name) && !can(local.setting_values[name])]])))}. Give the contract a default, or set it in var.settings."
    }

    precondition {
      condition     = toset(keys(local.made_settings)) == toset(local.made_setting_names)
      error_message = "made_settings and made_setting_names name different settings."
    }

    precondition {
      condition     = length(local.functions) == length(local.operations) + length(local.unrouted)
      error_message = "Two functions of the contract have the same name."
    }

    precondition {
      condition     = alltrue([for function in local.unrouted : contains(concat(local.trigger_kinds, ["authorizer", "mail-feedback", "schedule"]), function.kind)])
      error_message = "The contract has functions of a kind that no deployment knows: ${join(", ", [for name, function in local.unrouted : "${name} (${function.kind})" if !contains(concat(local.trigger_kinds, ["authorizer", "mail-feedback", "schedule"]), function.kind)])}."
    }

    precondition {
      condition     = length(setsubtract(local.event_wanted, local.event_types)) == 0
      error_message = "No events are of these types: ${join(", ", setsubtract(local.event_wanted, local.event_types))}. The contract's GuestEvent has ${join(", ", local.event_types)}."
    }

    precondition {
      condition     = toset(keys(local.resources)) == toset(keys(local.contract_resources))
      error_message = "The contract's resources and those of made_tables and made_resources in operations.tf are different ones."
    }
  }
}
