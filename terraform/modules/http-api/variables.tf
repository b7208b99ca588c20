variable "name" {
  description = "The API's name."
  type        = string
}

variable "routes" {
  description = "Every route, by operation: method and path, callers, throttle, and the function alias behind it."
  type = map(object({
    method           = string
    path             = string
    authorization    = string
    scopes           = list(string)
    rate_per_second  = number
    burst            = number
    function_name    = string
    alias            = string
    alias_invoke_arn = string
  }))

  validation {
    condition     = alltrue([for route in var.routes : contains(["NONE", "JWT", "AWS_IAM"], route.authorization)])
    error_message = "A route is public, takes a JWT, or is signed by IAM; this API has no other authorizer, and the contract asks for one at: ${join(", ", [for name, route in var.routes : name if !contains(["NONE", "JWT", "AWS_IAM"], route.authorization)])}."
  }

  validation {
    condition     = alltrue([for route in var.routes : route.authorization != "JWT" || length(route.scopes) > 0])
    error_message = "A JWT route needs a scope, or ID tokens would pass it: ${join(", ", [for name, route in var.routes : name if route.authorization == "JWT" && length(route.scopes) == 0])}."
  }

  validation {
    condition     = alltrue([for route in var.routes : route.rate_per_second > 0 && route.burst > 0])
    error_message = "A route without a throttle can use up the whole account's: ${join(", ", [for name, route in var.routes : name if !(route.rate_per_second > 0 && route.burst > 0)])}."
  }
}

variable "issuer" {
  description = "The issuer of the tokens that JWT routes accept."
  type        = string
}

variable "audience" {
  description = "The app clients whose tokens JWT routes accept."
  type        = list(string)
}

variable "cors_origins" {
  description = "Front ends on other origins, as browsers write them. Front ends that reach the API through CloudFront need no CORS."
  type        = list(string)
}

variable "cors" {
  description = "Headers that those front ends may send and read: x-latchkey-cors of the contract."
  type = object({
    allowMethods  = list(string)
    allowHeaders  = list(string)
    exposeHeaders = list(string)
    maxAgeSeconds = number
  })
}

variable "domain" {
  description = "The API's own domain name and its hosted zone; null for AWS's name. Both are public: functions refuse requests that bypass CloudFront."
  type = object({
    name    = string
    zone_id = string
  })
}

variable "is_domain_in_use" {
  description = "Whether CloudFront asks the API under its own domain name since an earlier apply. AWS's name is then off."
  type        = bool
}

variable "access_log_group" {
  description = "The name of the access log."
  type        = string
}

variable "log_retention_days" {
  description = "How long access logs are kept."
  type        = number
}

variable "log_kms_key_arn" {
  description = "The key that encrypts the access logs."
  type        = string
}
