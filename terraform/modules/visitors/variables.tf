variable "name" {
  description = "The identity pool's name, and the prefix of the roles' names."
  type        = string
}

variable "issuer" {
  description = "The user pool's issuer."
  type        = string
}

variable "client_ids" {
  description = "The app clients whose ID tokens make a guest."
  type        = list(string)
}

variable "anonymous" {
  description = "Whether people without a sign-in get credentials too."
  type        = bool
}

variable "runtime_arns" {
  description = "The agents' runtimes, exactly."
  type        = list(string)

  validation {
    condition     = length(var.runtime_arns) > 0 && alltrue([for arn in var.runtime_arns : can(regex("^arn:aws[a-z-]*:bedrock-agentcore:[a-z0-9-]+:[0-9]{12}:runtime/[A-Za-z][A-Za-z0-9_]{0,47}-[A-Za-z0-9]{10}$", arn))])
    error_message = "A runtime is named by its whole ARN, arn:aws:bedrock-agentcore:<region>:<account>:runtime/<name>-<ten signs>, without wildcards: whoever opens the page may talk to it."
  }
}
