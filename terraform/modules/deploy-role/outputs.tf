output "role_arn" {
  description = "The role that the deploying workflow takes."
  value       = aws_iam_role.deploy.arn
}

output "plan_role_arn" {
  description = "The role that the planning workflow takes."
  value       = aws_iam_role.plan.arn
}

output "boundary_arn" {
  description = "The boundary of every function's role."
  value       = aws_iam_policy.boundary.arn
}

# Read by tests alone, which hold it against the policies of the roles within the boundary.

output "bounds" {
  description = "The boundary's statements: patterns of actions and of ARNs, conditions as JSON, and whether only functions' code passes."
  value = [
    for statement in jsondecode(aws_iam_policy.boundary.policy).Statement : {
      actions    = "^(${replace(join("|", statement.Action), "*", ".*")})$"
      resources  = "^(${replace(replace(join("|", statement.Resource), "*", ".*"), "?", ".")})$"
      conditions = { for name, values in merge({}, values(try(statement.Condition, {}))...) : name => jsonencode(values) if name != "lambda:SourceFunctionArn" }
      code_only  = can(statement.Condition.ArnLike["lambda:SourceFunctionArn"])
    }
  ]
}

output "grants" {
  description = "The statements of both roles' policies: their effect, patterns of actions and of ARNs, and conditions."
  value = [
    for statement in flatten([
      for policy in concat([aws_iam_policy.data, aws_iam_policy.service, aws_iam_policy.edge, aws_iam_policy.names], aws_iam_policy.agents[*]) : jsondecode(policy.policy).Statement
    ]) :
    {
      allows     = statement.Effect == "Allow"
      actions    = "^(${replace(join("|", statement.Action), "*", ".*")})$"
      resources  = "^(${replace(replace(join("|", statement.Resource), "*", ".*"), "?", ".")})$"
      conditions = { for name, values in merge({}, values(try(statement.Condition, {}))...) : name => jsonencode(values) }
    }
  ]
}
