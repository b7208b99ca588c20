variable "name" {
  description = "The function's full name, such as latchkey-dev-verify-otp."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]{1,64}$", var.name))
    error_message = "A function's name has at most 64 lower-case letters, digits and hyphens; this one does not fit: ${var.name}."
  }
}

variable "description" {
  description = "One line for the console."
  type        = string
}

variable "package" {
  description = "The function's zip in the artifact bucket, and its SHA-256 in base64, which alone decides whether the code has changed."
  type = object({
    bucket = string
    key    = string
    sha256 = string
  })
}

variable "memory_mb" {
  description = "Memory in MB, which sets the share of a processor too."
  type        = number

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "Lambda gives a function 128 to 10240 MB of memory, and ${var.name} wants ${var.memory_mb}."
  }
}

variable "timeout_seconds" {
  description = "The time after which Lambda ends an invocation."
  type        = number

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= (var.is_scheduled ? 900 : 29)
    error_message = "API Gateway waits 30 seconds at most, and Lambda 900, so a function's own time-out must be 1 to 29 seconds, or to 900 on a schedule; that of ${var.name} is ${var.timeout_seconds}."
  }
}

variable "is_scheduled" {
  description = "Whether a schedule invokes the function, so that no caller waits for its answer."
  type        = bool
  default     = false
}

variable "environment" {
  description = "The function's environment. Never a secret."
  type        = map(string)
}

variable "grants" {
  description = "The function's grants, as the contract writes them: <resource>:<Action>."
  type        = list(string)

  validation {
    condition     = alltrue([for grant in var.grants : can(regex("^[a-z/-]+:[A-Z][A-Za-z0-9]+$", grant))])
    error_message = "A grant is <resource>:<Action> without wildcards; ${var.name} has: ${join(", ", [for grant in var.grants : grant if !can(regex("^[a-z/-]+:[A-Z][A-Za-z0-9]+$", grant))])}."
  }

  validation {
    condition     = alltrue([for grant in var.grants : contains(keys(var.resources), split(":", grant)[0])])
    error_message = "${var.name} is granted something on a resource that no deployment has: ${join(", ", [for grant in var.grants : grant if !contains(keys(var.resources), split(":", grant)[0])])}. There are ${join(", ", keys(var.resources))}."
  }

  validation {
    condition     = alltrue([for grant in var.grants : contains(try(var.resources[split(":", grant)[0]].actions, []), try(split(":", grant)[1], ""))])
    error_message = "${var.name} is granted an action that its resource does not take: ${join(", ", [for grant in var.grants : grant if !contains(try(var.resources[split(":", grant)[0]].actions, []), try(split(":", grant)[1], ""))])}."
  }
}

variable "resources" {
  description = "The resources that grants can name: service, exact ARNs, grantable actions, conditions."
  type = map(object({
    service = string
    arns    = list(string)
    actions = list(string)
    # As IAM writes it: operator => key => values.
    condition = optional(map(map(list(string))))
    # For data under a customer-managed key: the key, the service that uses it for the function, the
    # encryption context, and the service's allowed actions on the key.
    key = optional(object({
      arn     = string
      via     = string
      context = map(string)
      actions = list(string)
    }))
    # The service's own requests with the function's rights, when any of the actions is granted.
    also = optional(list(object({
      actions = list(string)
      arns    = list(string)
    })), [])
  }))

  validation {
    condition     = alltrue(flatten([for resource in var.resources : [for arn in concat(resource.arns, flatten(resource.also[*].arns)) : !strcontains(arn, "*")]]))
    error_message = "A resource that grants can name is an exact ARN, without a wildcard."
  }
}

variable "log_level" {
  description = "The least severe level that Lambda keeps of its own messages."
  type        = string
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}

variable "log_kms_key_arn" {
  description = "The key that encrypts the logs."
  type        = string
}

variable "reserved_concurrency" {
  description = "Reserved concurrency, which is the ceiling too; null to share the account's."
  type        = number
}

variable "live_version" {
  description = "The version that the alias live points to; null for the newest."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "The permissions boundary of the deployment's roles; null without a deploy role."
  type        = string
}

variable "test_events" {
  description = "Events for the console's Test tab, as JSON, by name. Empty to publish none."
  type        = map(string)
}

variable "test_event_registry" {
  description = "The registry that the console reads shareable test events from."
  type        = string
}
