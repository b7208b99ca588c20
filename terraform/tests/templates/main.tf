# The templates that the module agentcore applies, made from the contract and printed, for cfn-lint.

locals {
  contract = yamldecode(file("${path.module}/../../../shared/auth-api/openapi.yaml"))
}

module "templates" {
  source = "../../modules/agentcore/templates"

  tools = merge([
    for item in values(local.contract.paths) : {
      for operation in values(item) :
      trimprefix(lower(replace(operation.operationId, "/([A-Z])/", "-$1")), "-") => operation["x-latchkey"].tool if can(operation["x-latchkey"].tool)
    }
  ]...)
}

output "identity" {
  description = "The stack <prefix>-agentcore-identity."
  value       = module.templates.identity
}

output "tools" {
  description = "The stack <prefix>-agentcore-tools."
  value       = module.templates.tools
}
