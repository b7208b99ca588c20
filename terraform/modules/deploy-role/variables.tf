variable "prefix" {
  description = "What every name of the deployment begins with, such as latchkey-dev. The role can touch nothing else that has a name."
  type        = string
}

variable "environment" {
  description = "The GitHub environment whose workflows may take the role; those of <environment>-plan may take the one that reads."
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
  description = "The GitHub repository as owner/name, with both ids where GitHub puts them into its tokens; whether this deployment makes the account's identity provider of GitHub's (one in an account does, the others find it); and the bucket that keeps Terraform's state."
  type = object({
    repository      = string
    owner_id        = optional(string)
    repository_id   = optional(string)
    create_provider = bool
    state_bucket    = string
  })

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github.repository))
    error_message = "A GitHub repository is owner/name, without wildcards: whoever it names may deploy."
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
  description = "Whether the deployment has AgentCore's parts, which the role may then change."
  type        = bool
}

variable "zone_ids" {
  description = "The Route 53 zones that the deployment has names in."
  type        = list(string)
}

variable "state_key" {
  description = "The key of Terraform's state in its bucket."
  type        = string
}

variable "resources" {
  description = "What the deployment is made of and a person made at first: exact ARNs that the role may change, and not make or delete."
  type = object({
    user_pool_arn = string
    table_arns    = list(string)
    # What functions read, and what CloudFront sends.
    secret_arn         = string
    origin_secret_arns = list(string)
    # What encrypts the deployment's data, and what operations seal with. Deployers have no business
    # with what is sealed.
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
  description = "The ARNs of all that CloudFront has of the deployment; empty before there is any."
  type        = list(string)
}
