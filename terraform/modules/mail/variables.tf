variable "domain" {
  description = "The domain of the address that mails come from."
  type        = string
}

variable "zone_id" {
  description = "The Route 53 zone that answers for the domain."
  type        = string
}
