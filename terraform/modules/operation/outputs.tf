output "function_name" {
  description = "The function's name."
  value       = aws_lambda_function.this.function_name
}

output "version" {
  description = "The newest published version."
  value       = aws_lambda_function.this.version
}

output "alias" {
  description = "The alias that callers use."
  value       = aws_lambda_alias.live.name
}

output "alias_arn" {
  description = "The alias's ARN."
  value       = aws_lambda_alias.live.arn
}

output "alias_invoke_arn" {
  description = "The alias's ARN, in API Gateway's form."
  value       = aws_lambda_alias.live.invoke_arn
}

output "log_group_name" {
  description = "Where the function logs."
  value       = aws_cloudwatch_log_group.this.name
}

# Read by tests alone, which hold them against the contract.

output "policy" {
  description = "The role's policy."
  value       = aws_iam_role_policy.this.policy
}

output "actions" {
  description = "The policy's actions with each of their ARNs, as \"dynamodb:GetItem arn:…\", without keys behind resources, logs and traces."
  value = toset(flatten([
    for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : [
      for action in statement.Action : [for resource in statement.Resource : "${action} ${resource}"]
    ] if !can(statement.Condition.StringEquals["kms:ViaService"]) && !contains(["logs", "xray"], split(":", statement.Action[0])[0]) && !strcontains(statement.Resource[0], "bedrock-agentcore-identity!")
  ]))
}

output "permissions" {
  description = "Each of the policy's actions on each of its ARNs, with its conditions as JSON, and whether a service asks for it in the function's name."
  value = flatten([
    for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : [
      for action in statement.Action : [
        for resource in statement.Resource : {
          action     = action
          resource   = resource
          conditions = { for name, values in merge({}, values(try(statement.Condition, {}))...) : name => jsonencode(values) }
          by_service = can(statement.Condition.StringEquals["kms:ViaService"]) || contains(["logs", "xray"], split(":", action)[0]) || strcontains(resource, "bedrock-agentcore-identity!")
        }
      ]
    ]
  ])
}

output "environment" {
  description = "The function's environment."
  value       = aws_lambda_function.this.environment[0].variables
}

output "live_version" {
  description = "The version that the alias points to."
  value       = aws_lambda_alias.live.function_version
}

output "permissions_boundary_arn" {
  description = "The boundary of the function's role."
  value       = aws_iam_role.this.permissions_boundary
}

output "test_events" {
  description = "The published test events."
  value       = one([for schema in aws_schemas_schema.test_events : jsondecode(schema.content).components.examples])
}
