variable "prefix" {
  description = "What every table's name begins with, such as latchkey-dev."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts the tables."
  type        = string
}

variable "protected" {
  description = "Whether the tables hold data that nobody wants to lose: deletion protection on, and plans that destroy or replace one refused."
  type        = bool
}
