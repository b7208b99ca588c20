variable "route_arns" {
  description = "The routes under /admin, as ARNs."
  type        = list(string)

  validation {
    condition     = length(var.route_arns) > 0 && alltrue([for arn in var.route_arns : can(regex("^arn:[a-z-]+:execute-api:.*/admin/", arn))])
    error_message = "The policy is for routes under /admin alone, and there is at least one."
  }
}

variable "import_role_arn" {
  description = "The role that an operator may pass to Cognito's import jobs; null for none."
  type        = string
  default     = null
}
