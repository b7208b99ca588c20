# What the next phase, the scripts and a front end read. No secret is among them.

output "artifact_bucket" {
  description = "Where phase 2 uploads the zips."
  value       = aws_s3_bucket.artifacts.bucket
}

output "packages" {
  description = "The manifest that the functions were made from. Whoever applies the base again passes it on, so that they stay."
  value       = var.packages
}

output "user_pool_id" {
  description = "The user pool."
  value       = module.user_pool.id
}

output "operations_client_id" {
  description = "The confidential app client."
  value       = module.user_pool.operations_client_id
}

output "secret_name" {
  description = "The secret that rotations write to."
  value       = module.secrets.name
}

output "tables" {
  description = "The tables' names."
  value       = { for name, table in module.tables.tables : name => table.name }
}

output "functions" {
  description = "Each function's name, newest version, alias, and the alarms that a canary release watches."
  value = {
    for name, function in module.function : name => {
      function_name = function.function_name
      version       = function.version
      alias         = function.alias
      alarms        = module.observability[0].function_alarm_names[name]
    }
  }
}

output "url" {
  description = "Where people and front ends reach the deployment; null before it has functions."
  value       = one(module.edge[*].url)
}

output "api_id" {
  description = "The API, for whoever reads its settings back."
  value       = one(module.http_api[*].id)
}

output "api_host" {
  description = "Where the API itself answers, for callers who sign with IAM and for checking that nothing else gets past CloudFront."
  value       = one(module.http_api[*].host)
}

output "site_bucket" {
  description = "Where a front end is uploaded to."
  value       = one(module.edge[*].site_bucket)
}

output "distribution_id" {
  description = "The distribution to invalidate after an upload."
  value       = one(module.edge[*].distribution_id)
}

output "deploy_role_arn" {
  description = "The role that GitHub Actions takes; null where none was asked for."
  value       = one(module.deploy_role[*].role_arn)
}

output "plan_role_arn" {
  description = "The role that GitHub Actions takes for plans: it reads. Null where none was asked for."
  value       = one(module.deploy_role[*].plan_role_arn)
}

output "credential_provider_callback_url" {
  description = "Where AgentCore is called back; the variable of this name of the next apply. Null while agents are off."
  value       = one(module.agentcore[*].callback_url)
}

output "agent_gateway_url" {
  description = "Where agents find the tools, over MCP; null while agents are off."
  value       = one(module.agentcore[*].gateway_url)
}

output "agent_policy_arn" {
  description = "The policy to attach to the role that an agent runs as; null while agents are off."
  value       = one(module.agentcore[*].agent_policy_arn)
}

output "identity_pool_id" {
  description = "Where browsers get credentials for talking to agents; null while there are no visitors."
  value       = one(module.visitors[*].identity_pool_id)
}

output "browser_role_arns" {
  description = "The roles of guests and visitors, which the classic flow names; null while there are no visitors."
  value       = one(module.visitors[*].role_arns)
}

output "captcha_api_key" {
  description = "What a front end's page renders the CAPTCHA of registration with; null while there is none."
  value       = one(module.edge[*].captcha_api_key)
}

output "amplify_configuration" {
  description = "For Amplify.configure in a front end, as JSON. It has Auth only where the public client is on."
  value = local.with_functions ? jsonencode(merge(
    { API = { REST = { latchkey = { endpoint = "${module.edge[0].url}/api", region = var.region } } } },
    var.public_client != "off" ? { Auth = { Cognito = merge(
      {
        userPoolId       = module.user_pool.id
        userPoolClientId = module.user_pool.public_client_id
        loginWith        = { email = true }
      },
      # For guests. What Amplify would get for visitors, by the enhanced flow, opens no agent.
      var.visitors == null ? {} : { identityPoolId = module.visitors[0].identity_pool_id, allowGuestAccess = false },
    ) } } : {},
  )) : null
}
