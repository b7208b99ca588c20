variable "prefix" {
  description = "What every table's name begins with, such as latchkey-dev."
  type        = string
}

variable "tables" {
  description = "The contract's tables by their short names: attribute of the key, attribute that says when an item may go, and of each index the key and the number that it sorts by."
  type = map(object({
    key = string
    ttl = optional(string)
    indexes = optional(map(object({
      key  = string
      sort = optional(string)
    })), {})
  }))
}

variable "kms_key_arn" {
  description = "The key that encrypts the tables."
  type        = string
}

variable "protected" {
  description = "Whether the tables hold data that nobody wants to lose: deletion protection on, and plans that destroy or replace one refused."
  type        = bool
}
