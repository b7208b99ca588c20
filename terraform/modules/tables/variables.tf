variable "prefix" {
  description = "The prefix of every table's name, such as latchkey-dev."
  type        = string
}

variable "tables" {
  description = "The contract's tables by short name: attribute of the key, attribute that sorts items of one key, attribute of the expiry, and for each index its key and the number that it sorts by."
  type = map(object({
    key  = string
    sort = optional(string)
    ttl  = optional(string)
    # whether a stream carries its items as they are written, for events and copies
    stream = optional(bool, false)
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
  description = "Whether to protect the tables' data: deletion protection on, and plans that destroy or replace a table refused."
  type        = bool
}
