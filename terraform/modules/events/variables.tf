variable "name" {
  description = "The deployment's prefix, such as latchkey-dev."
  type        = string
}

variable "environment" {
  description = "The deployment's name, in the events' source."
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

variable "types" {
  description = "The types of events that are wanted, such as guest.created."
  type        = set(string)

  validation {
    condition     = length(var.types) > 0
    error_message = "A bus that nothing fills is no use: name at least one type."
  }
}

variable "stream_arn" {
  description = "The stream of the guests' activity."
  type        = string
}

variable "template" {
  description = "An event's detail as JSON, with a path into a record of the stream for each value."
  type        = string
}

variable "alarm_topic_arn" {
  description = "Where the alarm on undelivered events goes."
  type        = string
}
