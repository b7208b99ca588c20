variable "name" {
  description = "The prefix of every name here."
  type        = string
}

variable "environment" {
  description = "The deployment's name in the metrics of functions."
  type        = string
}

variable "region" {
  description = "The region that the dashboard shows."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts alarm messages."
  type        = string
}

variable "functions" {
  description = "Every function: its name, its time-out, its log group, and the area of saved queries that it is in, by its operation's name."
  type = map(object({
    function_name   = string
    timeout_seconds = number
    log_group_name  = string
    area            = string
  }))

  validation {
    condition     = alltrue([for functions in values({ for name, function in var.functions : function.area => name... }) : length(functions) <= 50])
    error_message = "A query of Logs Insights takes fifty log groups, and an area has more functions: divide it in operations.tf."
  }
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
  description = "The mail quota: 50 with Cognito's own sender, otherwise the account's quota in SES. An alarm rings at 80 %."
  type        = number
}

variable "own_mail_sender" {
  description = "Whether the account's own SES identity sends the mails. Its reputation is then watched."
  type        = bool
}

variable "access_log_group_name" {
  description = "Where the API logs its requests."
  type        = string
}
