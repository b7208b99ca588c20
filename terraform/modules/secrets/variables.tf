variable "name" {
  description = "The secret's name."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts the secret."
  type        = string
}

variable "client_secret" {
  description = "The confidential app client's secret."
  type        = string
  sensitive   = true
}

variable "origin_secret_in_use" {
  description = "Which of the two origin secrets CloudFront sends: a or b."
  type        = string
}

variable "protected" {
  description = "Whether a deleted secret can be restored for 30 days. Otherwise it is gone at once, and its name is free again."
  type        = bool
}
