variable "prefix" {
  description = "The prefix of every name of the deployment, such as latchkey-dev. The role can change no named resource without it."
  type        = string
}

variable "environment" {
  description = "The GitHub environment whose workflows may take the role. Workflows of <environment>-plan may take the reading role."
  type        = string
}

variable "partition" {
  description = "The partition of AWS, in ARNs."
  type        = string
}

variable "region" {
  description = "The deployment's region."
  type        = string
}

variable "account_id" {
  description = "The deployment's account."
  type        = string
}

variable "github" {
  description = "The GitHub repository as owner/name, with both ids if GitHub puts them into its tokens; whether this deployment makes the account's identity provider for GitHub (one deployment in an account makes it); and the bucket of Terraform's state."
  type = object({
    repository      = string
    owner_id        = optional(string)
    repository_id   = optional(string)
    create_provider = bool
    state_bucket    = string
  })

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github.repository))
    error_message = "A GitHub repository is owner/name, without wildcards: its workflows may deploy."
  }

  validation {
    condition     = (var.github.owner_id == null) == (var.github.repository_id == null)
    error_message = "github has owner_id and repository_id both, or neither."
  }

  validation {
    condition     = alltrue([for id in compact([var.github.owner_id, var.github.repository_id]) : can(regex("^[1-9][0-9]*$", id))])
    error_message = "owner_id and repository_id are GitHub's numbers, as `gh api repos/OWNER/NAME --jq '.owner.id, .id'` says them."
  }
}

variable "access_log_group" {
  description = "The name of the API's access log."
  type        = string
}

variable "agents" {
  description = "Whether the deployment has AgentCore's parts. The role may then change them."
  type        = bool
}

variable "zone_ids" {
  description = "The Route 53 zones of the deployment's names."
  type        = list(string)
}

variable "state_key" {
  description = "The key of Terraform's state in its bucket."
  type        = string
}

variable "resources" {
  description = "Exact ARNs of resources that a person made first. The role may change them, but not make or delete them."
  type = object({
    user_pool_arn = string
    # Each with the actions of DynamoDB that the contract lets functions have there.
    tables = list(object({ arn = string, actions = list(string) }))
    # The functions' secret, and CloudFront's.
    secret_arn         = string
    origin_secret_arns = list(string)
    # The key of the deployment's data, and the operations' key for sealing. Deployers have no
    # access to sealed values.
    key_arn         = string
    sealing_key_arn = string
    # AgentCore's, which functions ask for tokens, and the provider's client secret that AgentCore
    # keeps.
    agentcore_arns       = list(string)
    agentcore_secret_arn = string
  })
}

# Not among the resources: the boundary needs those, functions need the boundary, and these come
# with functions.
variable "api_arn" {
  description = "The API's ARN; null before there is one."
  type        = string
}

variable "edge_arns" {
  description = "The ARNs of the deployment's CloudFront resources; empty before there are any."
  type        = list(string)
}
