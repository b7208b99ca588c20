variable "name" {
  description = "The name of the workload identity, the credential provider and the gateway, and the beginning of all others; functions' names begin with it too."
  type        = string

  validation {
    condition     = can(regex("^([0-9a-z]-?){1,48}$", var.name))
    error_message = "A gateway's name has at most 48 letters and digits with single hyphens between them; this one does not fit: ${var.name}."
  }
}

variable "region" {
  description = "The deployment's region, which must be one that has AgentCore."
  type        = string
}

variable "partition" {
  description = "The partition of AWS, in ARNs."
  type        = string
}

variable "account_id" {
  description = "The deployment's account."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts the app client's secret."
  type        = string
}

variable "user_pool_id" {
  description = "The user pool."
  type        = string
}

variable "issuer" {
  description = "The pool's issuer."
  type        = string
}

variable "client" {
  description = "AgentCore's app client as user-pool.yaml describes it."
  type = object({
    GenerateSecret                  = bool
    ExplicitAuthFlows               = list(string)
    PreventUserExistenceErrors      = string
    EnableTokenRevocation           = bool
    SupportedIdentityProviders      = list(string)
    ReadAttributes                  = list(string)
    WriteAttributes                 = list(string)
    AuthSessionValidity             = number
    AccessTokenValidity             = number
    IdTokenValidity                 = number
    RefreshTokenValidity            = number
    TokenValidityUnits              = object({ AccessToken = string, IdToken = string, RefreshToken = string })
    AllowedOAuthFlowsUserPoolClient = bool
    AllowedOAuthFlows               = list(string)
    AllowedOAuthScopes              = list(string)
  })
}

variable "return_urls" {
  description = "AgentCore's return URLs: the callback at each name of the deployment. Keep old ones in the list, or consents that began there cannot complete."
  type        = list(string)

  validation {
    condition     = length(var.return_urls) > 0 && alltrue([for url in var.return_urls : startswith(url, "https://") && !strcontains(url, ",")])
    error_message = "People are sent back over TLS or not at all: ${join(", ", var.return_urls)}."
  }
}

variable "callback_url" {
  description = "The credential provider's own callback URL, once there is one: the output callback_url of the apply before."
  type        = string
}

variable "tools" {
  description = "The contract's agent tools, by their operation's name."
  type        = any # objects of one shape each; main.tf refuses what AgentCore cannot describe
}

variable "tool_function_arns" {
  description = "The alias of each tool's function, by its operation's name."
  type        = map(string)
}

variable "alias" {
  description = "The alias's name."
  type        = string
}

variable "agent_route_arns" {
  description = "The API's routes that IAM guards, as execute-api ARNs."
  type        = list(string)

  validation {
    condition     = !anytrue([for arn in var.agent_route_arns : strcontains(arn, "/admin/")])
    error_message = "Routes under /admin are for people: no agent may act on guests."
  }
}

variable "permissions_boundary_arn" {
  description = "The permissions boundary of the deployment's roles; null without a deploy role."
  type        = string
}
