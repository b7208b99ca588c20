variable "name" {
  description = "What the names of everything here begin with."
  type        = string
}

variable "environment" {
  description = "The deployment, as it stands in the metrics that functions write."
  type        = string
}

variable "region" {
  description = "The region that the dashboard shows."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts what alarms say."
  type        = string
}

variable "functions" {
  description = "Every function: its name, its time-out and its log group, by its operation's name."
  type = map(object({
    function_name   = string
    timeout_seconds = number
    log_group_name  = string
  }))
}

variable "api_id" {
  description = "The API's id, in its metrics."
  type        = string
}

variable "user_pool_id" {
  description = "The pool's id, in Cognito's metrics."
  type        = string
}

variable "user_pool_client_ids" {
  description = "The app clients' ids, in Cognito's metrics."
  type        = list(string)
}

variable "alarm_addresses" {
  description = "Mail addresses that alarms go to. Each has to confirm a mail from AWS once."
  type        = list(string)
}

variable "mails_per_day" {
  description = "The mail quota: 50 with Cognito's own sender, otherwise what SES allows the account. An alarm says when 80 % of it is used."
  type        = number
}

variable "own_mail_sender" {
  description = "Whether mails are sent by the account's own SES identity, whose reputation is then watched."
  type        = bool
}

variable "access_log_group_name" {
  description = "Where the API logs its requests."
  type        = string
}
