variable "name" {
  description = "The name of the configuration set, and the prefix of the topic's name."
  type        = string
}

variable "region" {
  description = "The deployment's region, whose SES sends."
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
  description = "The key that encrypts what the topic says. SES must be allowed to use it."
  type        = string
}

variable "domain" {
  description = "The domain of the address that mails come from."
  type        = string
}

variable "zone_id" {
  description = "The Route 53 zone that answers for the domain."
  type        = string
}

variable "dmarc" {
  description = "What others are to do with mails that claim to be from the domain and are not; null where the zone says so already."
  type        = string
}

variable "bounce_addresses" {
  description = "Mail addresses that are told of each bounce and complaint. Each has to confirm a mail from AWS once."
  type        = list(string)
}
