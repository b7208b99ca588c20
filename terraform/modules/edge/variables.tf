variable "name" {
  description = "The prefix of every name here."
  type        = string
}

variable "account_id" {
  description = "The account, which makes the bucket's name unique."
  type        = string
}

variable "api_host" {
  description = "The API's host."
  type        = string
}

variable "origin_secret" {
  description = "The secret header value that CloudFront adds to each request to the API. Functions recognise it."
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
  description = "The page at the root: latchkey for the shipped sign-in and account, own for the team's upload."
  type        = string
}

variable "remember_device_days" {
  description = "For how many days the operations spare a browser the second factor. The shipped page says so, and offers nothing at 0."
  type        = number
}

variable "product_name" {
  description = "The product's name on the shipped page."
  type        = string
}

variable "page_releases" {
  description = "The releases of the shipped page whose files are in the bucket, the newest first: the output of this name, from the last apply."
  type        = list(object({ version = string, files = list(string) }))
}

variable "log_retention_days" {
  description = "How long the web ACL's log is kept."
  type        = number
}

variable "disposable" {
  description = "Whether the site's bucket may be destroyed with its contents."
  type        = bool
}
