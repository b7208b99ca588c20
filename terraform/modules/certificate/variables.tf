variable "domain" {
  description = "The name, and the Route 53 zone that it is in."
  type = object({
    name    = string
    zone_id = string
  })
}
