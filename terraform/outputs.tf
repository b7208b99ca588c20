# Values for the next phase, the scripts and a front end. None is secret.

output "artifact_bucket" {
  description = "The bucket for phase 2's zips."
  value       = aws_s3_bucket.artifacts.bucket
}

output "packages" {
  description = "The manifest of the live functions. An apply of the base alone needs it, or it removes them."
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
  description = "The deployment's address, for people and front ends; null before it has functions."
  value       = one(module.edge[*].url)
}

output "api_id" {
  description = "The API's id."
  value       = one(module.http_api[*].id)
}

output "authorizer" {
  description = "The Lambda authorizer for a team's own APIs: what an API names, and what its permission is for. Null before there are functions."
  value = local.with_functions ? {
    function_name = module.function["authorize-request"].function_name
    alias         = module.function["authorize-request"].alias
    arn           = module.function["authorize-request"].alias_arn
    invoke_arn    = module.function["authorize-request"].alias_invoke_arn
  } : null
}

output "api_host" {
  description = "The API's own host, for callers that sign with IAM, and for checks that it refuses all others."
  value       = one(module.http_api[*].host)
}

output "api_host_ready" {
  description = "The API's host below the domain, once it leads to the API, for the variable of this name in the next apply; null without a domain."
  value       = one(module.http_api[*].ready_host)
}

output "api_host_in_use" {
  description = "The API's host below the domain, once CloudFront asks it, for the variable of this name in the next apply; null before and without a domain."
  value       = try(module.edge[0].api_host == local.api_domain.name, false) ? module.edge[0].api_host : null
}

output "site_bucket" {
  description = "The bucket for the front end's upload."
  value       = one(module.edge[*].site_bucket)
}

output "page_releases" {
  description = "The releases of the shipped page whose files are in its bucket, for the variable of this name in the next apply."
  value       = try(module.edge[0].page_releases, [])
}

output "distribution_id" {
  description = "The distribution to invalidate after an upload."
  value       = one(module.edge[*].distribution_id)
}

output "deploy_role_arn" {
  description = "The role that GitHub Actions takes; null without github."
  value       = one(module.deploy_role[*].role_arn)
}

output "plan_role_arn" {
  description = "The reading role that GitHub Actions takes for plans; null without github."
  value       = one(module.deploy_role[*].plan_role_arn)
}

output "credential_provider_callback_url" {
  description = "AgentCore's callback URL, for the variable of this name in the next apply. Null while agents are off."
  value       = one(module.agentcore[*].callback_url)
}

output "agent_gateway_url" {
  description = "The address of the agents' tools, over MCP; null while agents are off."
  value       = one(module.agentcore[*].gateway_url)
}

output "agent_policy_arn" {
  description = "The policy for the role that an agent runs as; null while agents are off."
  value       = one(module.agentcore[*].agent_policy_arn)
}

output "operator_policy" {
  description = "The policy for people who help guests, as JSON: the routes under /admin, and the role of import jobs to pass. Never for an agent. Null before there are functions."
  value       = one(module.operators[*].policy)
}

output "import_logs_role_arn" {
  description = "The role that scripts/import-guests hands to import jobs (--logs-role); null without import_jobs."
  value       = one(module.import_jobs[*].role_arn)
}

output "event_bus_name" {
  description = "The bus of guests' events, for a team's rules; null without events."
  value       = one(module.events[*].bus_name)
}

output "audit_copy_bucket" {
  description = "The bucket with the audit table's unalterable copy; null without one."
  value       = one(module.audit_copy[*].bucket_name)
}

output "identity_pool_id" {
  description = "The identity pool that gives browsers credentials for agents; null without visitors."
  value       = one(module.visitors[*].identity_pool_id)
}

output "browser_role_arns" {
  description = "The roles of guests and visitors, for the classic flow; null without visitors."
  value       = one(module.visitors[*].role_arns)
}

output "captcha_api_key" {
  description = "The key with which a front end renders the CAPTCHA of registration; null without one."
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
      # For guests. Amplify's credentials for visitors, by the enhanced flow, open no agent.
      var.visitors == null ? {} : { identityPoolId = module.visitors[0].identity_pool_id, allowGuestAccess = false },
    ) } } : {},
  )) : null
}
