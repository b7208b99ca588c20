variable "name" {
  description = "The deployment's prefix, such as latchkey-dev."
  type        = string
}

variable "partition" {
  description = "The partition of AWS."
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

variable "kms_key_arn" {
  description = "The key that encrypts the table, its stream and the queue."
  type        = string
}

variable "days" {
  description = "For how many days nobody can delete a record."
  type        = number

  validation {
    condition     = var.days >= 1 && var.days <= 3650 && floor(var.days) == var.days
    error_message = "A record is kept for whole days, 1 to 3650: nothing shortens it afterwards."
  }
}

variable "stream_arn" {
  description = "The stream of the audit table."
  type        = string
}

variable "alarm_topic_arn" {
  description = "Where the alarm on records that were not copied goes."
  type        = string
}
