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

variable "user_pool_id" {
  description = "The user pool that people are imported into."
  type        = string
}
