variable "prefix" {
  description = "What every name of the deployment begins with, such as latchkey-dev. The role can touch nothing else that has a name."
  type        = string
}

variable "environment" {
  description = "The GitHub environment whose workflows may take the role."
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

variable "repository" {
  description = "The GitHub repository, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "A GitHub repository is owner/name, without wildcards: whoever it names may deploy."
  }
}

variable "create_provider" {
  description = "Whether this deployment makes the account's GitHub identity provider. One in an account does; the others find it."
  type        = bool
}

variable "agents" {
  description = "Whether the deployment has AgentCore's parts, which the role may then change."
  type        = bool
}

variable "zone_ids" {
  description = "The Route 53 zones that the deployment has names in."
  type        = list(string)
}

variable "state_bucket" {
  description = "The bucket that keeps Terraform's state, and the state's key in it."
  type = object({
    name = string
    key  = string
  })
}

variable "resources" {
  description = "What the deployment is made of and a person made at first: exact ARNs that the role may change, and not make or delete."
  type = object({
    user_pool_arn = string
    table_arns    = list(string)
    # What functions read, and what CloudFront sends.
    secret_arn         = string
    origin_secret_arns = list(string)
    # What encrypts the deployment's data, and what operations seal with. Deployers have no business with what is sealed.
    key_arn         = string
    sealing_key_arn = string
    # AgentCore's, which functions ask for tokens, and the provider's client secret that AgentCore keeps.
    agentcore_arns       = list(string)
    agentcore_secret_arn = string
  })
}

# Not among the resources: the boundary needs those, functions need the boundary, and the distribution comes before functions.
variable "distribution_arn" {
  description = "The distribution's ARN; null before there is one."
  type        = string
}
