# Latchkey in one account and region. Phase 1 makes everything above the line "functions"; phase 3,
# which gets the manifest of the built zips, makes the rest. README.md explains why this is one
# configuration, and how to deploy it the first time.

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

# CloudFront's web ACL, its log and its certificate.
provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"

  default_tags {
    tags = local.tags
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  prefix     = "latchkey-${var.environment}"
  tags       = { application = "latchkey", environment = var.environment, managed-by = "terraform" }
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  test_event_registry = "lambda-testevent-schemas" # the console looks for this name
  makes_test_events   = var.console_test_events == "create" && !contains(var.found_in_account, "test-events")
  access_log_group    = "/aws/vendedlogs/apigateway/${local.prefix}"

  with_functions = var.packages != null
  api_domain     = var.domain == null ? null : { name = "api.${var.domain.name}", zone_id = var.domain.zone_id }
  deployment_url = one(module.edge[*].url)
  frontend_url   = var.frontend_url != null ? var.frontend_url : local.deployment_url

  # The daily limit of Cognito's own sender, for the whole account.
  mails_per_day = var.mail_sender == null ? 50 : var.mail_sender.mails_per_day
  # The bare address: SES compares it without the name before it.
  mail_address           = var.mail_sender == null ? null : regex("[^<>\\s]+@[^<>\\s]+", var.mail_sender.from_address)
  mail_identity_arn      = var.mail_sender == null ? null : var.mail_sender.identity_arn != null ? var.mail_sender.identity_arn : module.mail[0].identity_arn
  mail_configuration_set = var.mail_sender == null ? null : var.mail_sender.configuration_set != null ? var.mail_sender.configuration_set : one(module.mail[*].configuration_set)
  mail_arns = compact([
    local.mail_identity_arn,
    local.mail_configuration_set == null ? null : "arn:${local.partition}:ses:${var.region}:${local.account_id}:configuration-set/${local.mail_configuration_set}",
  ])
}

# One key for tables, secret, zips, logs and alarms, so that a role's right to data is separate from
# its right to decrypt.
resource "aws_kms_key" "this" {
  description             = "${local.prefix}: data at rest"
  enable_key_rotation     = true
  deletion_window_in_days = var.protected ? 30 : 7

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RolesOfThisAccountAsTheirPoliciesSay"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "LogsOfThisDeployment"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:Describe*", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = [
              "arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:/aws/lambda/${local.prefix}-*",
              "arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:${local.access_log_group}",
            ]
          }
        }
      },
      {
        Sid       = "AlarmsToTheirTopic"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
      {
        Sid       = "BouncesToTheirTopic"
        Effect    = "Allow"
        Principal = { Service = "ses.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${local.prefix}"
  target_key_id = aws_kms_key.this.key_id
}

# The key for the operations' own sealing: authenticators' secrets, tokens between two factors. It
# is separate, so that a reader of the table cannot open them, and CloudTrail records each opening.
resource "aws_kms_key" "sealing" {
  description             = "${local.prefix}: what operations seal for one user each"
  enable_key_rotation     = true
  deletion_window_in_days = var.protected ? 30 : 7

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RolesOfThisAccountAsTheirPoliciesSay"
      Effect    = "Allow"
      Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "sealing" {
  name          = "alias/${local.prefix}-sealing"
  target_key_id = aws_kms_key.sealing.key_id
}

# Its loss would lock out all people who have an authenticator.
resource "terraform_data" "sealing_key_stays" {
  count = var.protected ? 1 : 0

  triggers_replace = aws_kms_key.sealing.id

  lifecycle {
    prevent_destroy = true
  }
}

module "mail" {
  source = "./modules/mail"
  count  = try(var.mail_sender.zone_id, null) == null ? 0 : 1

  name             = local.prefix
  region           = var.region
  partition        = local.partition
  account_id       = local.account_id
  kms_key_arn      = aws_kms_key.this.arn
  domain           = split("@", local.mail_address)[1]
  zone_id          = var.mail_sender.zone_id
  dmarc            = var.mail_sender.dmarc == "" ? null : var.mail_sender.dmarc
  bounce_addresses = var.mail_sender.bounce_addresses
}

# Once the pool is in the state, this does nothing.
import {
  for_each = toset(var.adopted_pool[*])

  to = module.user_pool.aws_cognito_user_pool.this
  id = each.value
}

module "user_pool" {
  source = "./modules/user-pool"

  name         = local.prefix
  adopted_pool = var.adopted_pool
  triggers     = local.trigger_arns
  # People sign in at an adopted pool while the functions are not there yet.
  wire_triggers     = var.wire_triggers && (var.adopted_pool == null || local.with_functions)
  shortest_password = local.shortest_password
  passkeys = local.relying_party_id == null ? null : {
    relying_party_id  = local.relying_party_id
    user_verification = local.setting_values["PASSKEY_USER_VERIFICATION"]
  }
  refresh_token_days    = local.refresh_token_days
  refresh_grace_seconds = tonumber(local.setting_values["REFRESH_GRACE_SECONDS"])
  mail_sender = var.mail_sender == null ? null : {
    identity_arn      = local.mail_identity_arn
    from_address      = var.mail_sender.from_address
    reply_to_address  = var.mail_sender.reply_to_address
    configuration_set = local.mail_configuration_set
  }
  public_client = var.public_client != "off"
  # Without agents and a public client, only functions reach the pool.
  requests_per_5_minutes = var.agents || var.public_client != "off" ? var.auth_requests_per_5_minutes : null
  protected              = var.protected
}

check "triggers" {
  assert {
    condition     = var.wire_triggers
    error_message = "The pool calls no trigger: no JWT route takes its tokens, and guests who have an authenticator are not refused past Latchkey. Apply again with wire_triggers = true once the functions are there."
  }
}

check "mail_quota" {
  assert {
    condition     = var.mail_sender != null
    error_message = "Mails go through Cognito's own sender: FIFTY A DAY for the whole account, and then nobody can sign in by code. They have Cognito's words, in English. Verify an SES identity and set mail_sender before people use this."
  }
}

check "own_name" {
  assert {
    condition     = !var.protected || var.domain != null
    error_message = "Without a domain, people learn CloudFront's name for this, which changes with the distribution and takes TLS 1.0. Set domain before people use this."
  }
}

module "tables" {
  source = "./modules/tables"

  prefix      = local.prefix
  tables      = local.tables
  kms_key_arn = aws_kms_key.this.arn
  protected   = var.protected
}

module "secrets" {
  source = "./modules/secrets"

  name                 = local.prefix
  kms_key_arn          = aws_kms_key.this.arn
  client_secret        = module.user_pool.operations_client_secret
  origin_secret_in_use = var.origin_secret_in_use
  protected            = var.protected
}

module "deploy_role" {
  source = "./modules/deploy-role"
  count  = var.github == null ? 0 : 1

  prefix           = local.prefix
  environment      = var.environment
  partition        = local.partition
  region           = var.region
  account_id       = local.account_id
  agents           = var.agents
  zone_ids         = distinct(compact([try(var.domain.zone_id, null), try(var.mail_sender.zone_id, null)]))
  github           = merge(var.github, { create_provider = var.github.create_provider && !contains(var.found_in_account, "github") })
  state_key        = "latchkey/${var.environment}.tfstate"
  access_log_group = local.access_log_group

  resources = {
    user_pool_arn        = module.user_pool.arn
    tables               = [for name, table in module.tables.tables : { arn = table.arn, actions = local.contract_resources[name].actions }]
    secret_arn           = module.secrets.arn
    origin_secret_arns   = module.secrets.origin_arns
    key_arn              = aws_kms_key.this.arn
    sealing_key_arn      = aws_kms_key.sealing.arn
    agentcore_arns       = local.token_vault.arns
    agentcore_secret_arn = local.agentcore.provider_secret_arn
  }
  # The API by its one output: the rest of its module waits for functions, which wait for this one's
  # boundary.
  api_arn   = try(module.http_api[0].arn, null)
  edge_arns = flatten(module.edge[*].arns)
}

# ---- functions: from here on, everything needs the manifest ----

resource "aws_schemas_registry" "test_events" {
  count = local.with_functions && local.makes_test_events ? 1 : 0

  name        = local.test_event_registry
  description = "Shareable test events of Lambda functions"
}

module "function" {
  source   = "./modules/operation"
  for_each = { for name, function in local.functions : name => function if local.with_functions }

  name        = local.function_names[each.key]
  description = each.value.summary
  package = {
    bucket = aws_s3_bucket.artifacts.bucket
    key    = var.packages[each.key].key
    sha256 = var.packages[each.key].sha256
  }
  memory_mb                = each.value.needs.memoryMb
  timeout_seconds          = each.value.needs.timeoutSeconds
  is_scheduled             = contains(keys(local.schedules), each.key)
  environment              = local.environments[each.key]
  grants                   = each.value.needs.grants
  resources                = local.resources
  log_level                = "INFO"
  log_retention_days       = var.log_retention_days
  log_kms_key_arn          = aws_kms_key.this.arn
  reserved_concurrency     = lookup(var.reserved_concurrency, each.key, null)
  live_version             = lookup(var.live_versions, each.key, null)
  permissions_boundary_arn = one(module.deploy_role[*].boundary_arn)
  test_events              = var.console_test_events == "none" ? {} : local.test_events[each.key]
  test_event_registry      = one(concat(aws_schemas_registry.test_events[*].name, local.makes_test_events ? [] : [local.test_event_registry]))
}

# Only this pool may call its triggers.
resource "aws_lambda_permission" "trigger" {
  for_each = { for name, trigger in local.triggers : name => trigger if local.with_functions }

  statement_id   = "user-pool"
  action         = "lambda:InvokeFunction"
  function_name  = module.function[each.key].function_name
  qualifier      = module.function[each.key].alias
  principal      = "cognito-idp.amazonaws.com"
  source_arn     = module.user_pool.arn
  source_account = local.account_id
}

# A repeated run does no harm, and the next run repairs a failed one, so there is no dead-letter
# queue.
resource "aws_cloudwatch_event_rule" "schedule" {
  for_each = { for name, schedule in local.schedules : name => schedule if local.with_functions }

  name                = local.function_names[each.key]
  description         = each.value.summary
  schedule_expression = each.value.everyMinutes == 1 ? "rate(1 minute)" : "rate(${each.value.everyMinutes} minutes)"
}

resource "aws_cloudwatch_event_target" "schedule" {
  for_each = aws_cloudwatch_event_rule.schedule

  rule = each.value.name
  arn  = module.function[each.key].alias_arn

  # Before the permission, its calls would be refused.
  depends_on = [aws_lambda_permission.schedule]
}

resource "aws_lambda_permission" "schedule" {
  for_each = aws_cloudwatch_event_rule.schedule

  statement_id  = "schedule"
  action        = "lambda:InvokeFunction"
  function_name = module.function[each.key].function_name
  qualifier     = module.function[each.key].alias
  principal     = "events.amazonaws.com"
  source_arn    = each.value.arn
}

# SES sends feedback about mails to the account's own bus. The rule matches only this deployment's
# mails, by its configuration set.
resource "aws_cloudwatch_event_rule" "mail_feedback" {
  for_each = { for name, hearer in local.hearers : name => hearer if local.with_functions && var.mail_sender != null }

  name        = local.function_names[each.key]
  description = each.value.summary
  event_pattern = jsonencode({
    source      = ["aws.ses"]
    detail-type = ["Email Bounced", "Email Complaint Received"]
    detail      = { mail = { tags = { "ses:configuration-set" = [coalesce(local.mail_configuration_set, local.prefix)] } } }
  })
}

resource "aws_cloudwatch_event_target" "mail_feedback" {
  for_each = aws_cloudwatch_event_rule.mail_feedback

  rule = each.value.name
  arn  = module.function[each.key].alias_arn

  # Before the permission, its calls would be refused.
  depends_on = [aws_lambda_permission.mail_feedback]
}

resource "aws_lambda_permission" "mail_feedback" {
  for_each = aws_cloudwatch_event_rule.mail_feedback

  statement_id  = "mail-feedback"
  action        = "lambda:InvokeFunction"
  function_name = module.function[each.key].function_name
  qualifier     = module.function[each.key].alias
  principal     = "events.amazonaws.com"
  source_arn    = each.value.arn
}

module "http_api" {
  source = "./modules/http-api"
  count  = local.with_functions ? 1 : 0

  name               = local.prefix
  issuer             = local.issuer
  audience           = local.api_client_ids
  cors_origins       = var.cors_origins
  cors               = local.contract["x-latchkey-cors"]
  domain             = local.api_domain
  is_domain_in_use   = try(var.api_host_in_use == local.api_domain.name, false)
  access_log_group   = local.access_log_group
  log_retention_days = var.log_retention_days
  log_kms_key_arn    = aws_kms_key.this.arn

  routes = {
    for name, operation in local.operations : name => {
      method           = operation.method
      path             = operation.path
      authorization    = local.security[name].authorization
      scopes           = local.security[name].scopes
      rate_per_second  = operation.needs.throttle.ratePerSecond
      burst            = operation.needs.throttle.burst
      function_name    = module.function[name].function_name
      alias            = module.function[name].alias
      alias_invoke_arn = module.function[name].alias_invoke_arn
    }
  }
}

module "edge" {
  source = "./modules/edge"
  count  = local.with_functions ? 1 : 0

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  name                        = local.prefix
  account_id                  = local.account_id
  api_host                    = try(var.api_host_ready == local.api_domain.name, false) ? module.http_api[0].host : module.http_api[0].aws_host
  origin_secret               = module.secrets.origin_secret
  domain                      = var.domain
  auth_requests_per_5_minutes = var.auth_requests_per_5_minutes
  captcha_on_registration     = var.captcha_on_registration
  front_end                   = var.front_end
  remember_device_days        = tonumber(local.setting_values["REMEMBER_DEVICE_DAYS"])
  product_name                = var.product_name
  page_releases               = var.page_releases
  log_retention_days          = var.log_retention_days
  disposable                  = !var.protected
}

module "agentcore" {
  source = "./modules/agentcore"
  count  = local.with_functions && var.agents ? 1 : 0

  name                     = local.prefix
  region                   = var.region
  partition                = local.partition
  account_id               = local.account_id
  kms_key_arn              = aws_kms_key.this.arn
  user_pool_id             = module.user_pool.id
  issuer                   = local.issuer
  client                   = module.user_pool.agentcore_client
  return_urls              = local.oauth2_callback_urls
  callback_url             = var.credential_provider_callback_url
  tools                    = local.tools
  tool_function_arns       = { for name in keys(local.tools) : name => module.function[name].alias_arn }
  alias                    = one(distinct([for name in keys(local.tools) : module.function[name].alias]))
  agent_route_arns         = [for name, arn in module.http_api[0].signed_route_arns : arn if !local.for_operators[name]]
  permissions_boundary_arn = one(module.deploy_role[*].boundary_arn)
}

module "operators" {
  source = "./modules/operators"
  count  = local.with_functions ? 1 : 0

  route_arns      = [for name, arn in module.http_api[0].signed_route_arns : arn if local.for_operators[name]]
  import_role_arn = one(module.import_jobs[*].role_arn)
}

module "import_jobs" {
  source = "./modules/import-jobs"
  count  = var.import_jobs ? 1 : 0

  name         = local.prefix
  partition    = local.partition
  region       = var.region
  account_id   = local.account_id
  user_pool_id = module.user_pool.id
}

module "visitors" {
  source = "./modules/visitors"
  count  = var.visitors == null ? 0 : 1

  name         = local.prefix
  issuer       = module.user_pool.issuer
  client_ids   = compact([module.user_pool.operations_client_id, module.user_pool.public_client_id])
  anonymous    = var.visitors.anonymous
  runtime_arns = var.visitors.runtime_arns
}

# AgentCore reports its callback address only after it knows the client, and the client must know
# that address: two applies.
check "credential_provider" {
  assert {
    condition     = length(module.agentcore) == 0 || try(module.agentcore[0].callback_url == var.credential_provider_callback_url, true)
    error_message = "AgentCore's app client does not know yet where AgentCore is called back, so no agent can sign anybody in. Apply again with credential_provider_callback_url = the output of that name."
  }
}

module "observability" {
  source = "./modules/observability"
  count  = local.with_functions ? 1 : 0

  name                 = local.prefix
  environment          = var.environment
  region               = var.region
  kms_key_arn          = aws_kms_key.this.arn
  api_id               = module.http_api[0].id
  user_pool_id         = module.user_pool.id
  user_pool_client_ids = compact([module.user_pool.operations_client_id, module.user_pool.public_client_id])
  alarm_addresses      = var.alarm_addresses
  mails_per_day        = local.mails_per_day
  own_mail_sender      = var.mail_sender != null

  access_log_group_name = module.http_api[0].access_log_group_name

  functions = {
    for name, function in local.functions : name => {
      function_name   = module.function[name].function_name
      timeout_seconds = function.needs.timeoutSeconds
      log_group_name  = module.function[name].log_group_name
      area            = local.areas[name]
    }
  }
}

module "events" {
  source = "./modules/events"
  count  = local.with_functions && var.events != null ? 1 : 0

  name            = local.prefix
  environment     = var.environment
  region          = var.region
  account_id      = local.account_id
  kms_key_arn     = aws_kms_key.this.arn
  types           = local.event_wanted
  stream_arn      = module.tables.tables["activity"].stream_arn
  template        = file("${path.module}/../shared/auth-api/event.json")
  alarm_topic_arn = module.observability[0].alarm_topic_arn
}

module "audit_copy" {
  source = "./modules/audit-copy"
  count  = local.with_functions && var.audit_copy_days != null ? 1 : 0

  name            = local.prefix
  partition       = local.partition
  region          = var.region
  account_id      = local.account_id
  kms_key_arn     = aws_kms_key.this.arn
  days            = var.audit_copy_days
  stream_arn      = module.tables.tables["audit"].stream_arn
  alarm_topic_arn = module.observability[0].alarm_topic_arn
}

# A forgotten manifest must not delete the functions that people sign in with.
resource "terraform_data" "functions_stay" {
  count = local.with_functions && var.protected ? 1 : 0

  lifecycle {
    prevent_destroy = true
  }
}
