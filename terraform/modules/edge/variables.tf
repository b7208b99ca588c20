variable "name" {
  description = "What the names of everything here begin with."
  type        = string
}

variable "account_id" {
  description = "The account, which makes the bucket's name unique."
  type        = string
}

variable "api_host" {
  description = "The host that the API answers at."
  type        = string
}

variable "origin_secret" {
  description = "What CloudFront adds to every request to the API, so that functions can tell that it came through here."
  type        = string
  sensitive   = true
}

variable "domain" {
  description = "The deployment's own domain name and its hosted zone; null for CloudFront's name."
  type = object({
    name    = string
    zone_id = string
  })
}

variable "auth_requests_per_5_minutes" {
  description = "Requests that one IP address may send to /api/auth/ in five minutes."
  type        = number
}

variable "captcha_on_registration" {
  description = "Whether registering takes a solved CAPTCHA."
  type        = bool
}

variable "front_end" {
  description = "What the root shows: latchkey for the sign-in and account that ship, own for a page that the team uploads."
  type        = string
}

variable "product_name" {
  description = "What the page that ships calls the product."
  type        = string
}

variable "log_retention_days" {
  description = "How long the web ACL's log is kept."
  type        = number
}

variable "disposable" {
  description = "Whether the site's bucket may be destroyed with what is in it."
  type        = bool
}
