# One function, its log, its role with exactly the contract's grants, and the alias for all its
# callers.

# Before the function, which would otherwise make it by itself, without an end.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:How long logs with people's traces are kept is a variable; a year is not always lawful.
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "What ${var.name} may do: its grants in the contract, and writing its log and traces."
  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

locals {
  # resource => its granted actions
  granted = { for grant in distinct(var.grants) : split(":", grant)[0] => split(":", grant)[1]... }

  # Tables share a key, and each wants its own encryption context; a table and its index are one.
  keys = { for resource in keys(local.granted) : jsonencode(var.resources[resource].key.context) => var.resources[resource].key... if try(var.resources[resource].key, null) != null }

  # A resource without an ARN is absent in this deployment, such as a mail sender.
  grant_statements = [
    for resource, actions in local.granted : merge(
      {
        Effect   = "Allow"
        Action   = sort([for action in actions : "${var.resources[resource].service}:${action}"])
        Resource = var.resources[resource].arns
      },
      { for name, condition in { Condition = var.resources[resource].condition } : name => condition if condition != null },
    ) if length(var.resources[resource].arns) > 0
  ]

  # Once, whichever of the granted resources asks for it.
  also_statements = distinct(flatten([
    for resource in keys(local.granted) : [
      for also in var.resources[resource].also : {
        Effect   = "Allow"
        Action   = also.actions
        Resource = also.arns
      }
    ]
  ]))

  # DynamoDB and Secrets Manager use the key with the caller's rights: only through them, and only
  # for this table or secret.
  key_statements = [
    for keys in values(local.keys) : {
      Effect   = "Allow"
      Action   = [for action in keys[0].actions : "kms:${action}"]
      Resource = [keys[0].arn]
      Condition = {
        StringEquals = merge({ "kms:ViaService" = keys[0].via }, { for name, value in keys[0].context : "kms:EncryptionContext:${name}" => value })
      }
    }
  ]

  own_statements = [
    {
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["${aws_cloudwatch_log_group.this.arn}:*"] # its streams, which Lambda names
    },
    {
      Effect   = "Allow"
      Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      Resource = ["*"] # AWS allows nothing narrower for these two
    },
  ]
}

resource "aws_iam_role_policy" "this" {
  #checkov:skip=CKV_AWS_355:X-Ray's two write actions take no resource.
  #checkov:skip=CKV_AWS_290:X-Ray's two write actions take no resource.
  name = "grants"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.grant_statements, local.also_statements, local.key_statements, local.own_statements)
  })
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:Every invocation is synchronous, so its caller sees the failure and there is nothing to put aside.
  #checkov:skip=CKV_AWS_117:It talks to AWS's public endpoints only; a VPC would add a NAT gateway and guard nothing.
  #checkov:skip=CKV_AWS_173:The environment holds names and limits, never a secret.
  #checkov:skip=CKV_AWS_272:The zip's hash comes from the attested build, and Lambda refuses another one.
  #checkov:skip=CKV_AWS_115:New accounts have so little concurrency that reserving any fails; reserved_concurrency sets it.
  function_name = var.name
  description   = var.description
  role          = aws_iam_role.this.arn

  runtime       = "provided.al2023"
  architectures = ["arm64"]
  handler       = "bootstrap"

  s3_bucket        = var.package.bucket
  s3_key           = var.package.key
  source_code_hash = var.package.sha256
  publish          = true

  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)

  environment {
    variables = var.environment
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this.name
    # The function filters by LOG_LEVEL itself, and always writes its metrics; Lambda must not drop
    # those.
    application_log_level = "TRACE"
    system_log_level      = var.log_level
  }

  tracing_config {
    mode = "Active"
  }

  # So that the first invocation may already do all that it is granted.
  depends_on = [aws_iam_role_policy.this]
}

# API Gateway, Cognito and agents call this. It moves to the newest version at once, unless
# var.live_version holds it back; weights are for canary releases, which move them from outside.
resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "What callers get"
  function_name    = aws_lambda_function.this.function_name
  function_version = coalesce(var.live_version, aws_lambda_function.this.version)

  lifecycle {
    ignore_changes = [routing_config]
  }
}

# The console shows the examples of an OpenAPI document of this name in this registry as shareable
# test events.
resource "aws_schemas_schema" "test_events" {
  count = length(var.test_events) > 0 ? 1 : 0

  name          = "_${var.name}-schema"
  registry_name = var.test_event_registry
  type          = "OpenApi3"
  description   = "Test events of ${var.name}"

  content = jsonencode({
    openapi = "3.0.0"
    info    = { version = "1.0.0", title = "Event" }
    paths   = {}
    components = {
      schemas  = { Event = { type = "object" } }
      examples = { for name, event in var.test_events : name => { value = jsondecode(event) } }
    }
  })
}
