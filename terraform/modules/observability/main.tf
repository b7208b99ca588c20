# Alarms, their destinations, a dashboard, and saved queries over the logs.

locals {
  # The functions' own metrics (CloudWatch namespace "Latchkey"). At this count within the period, a
  # person should look.
  counted = {
    CodeFailures          = { threshold = 100, period = 300, meaning = "wrong codes: somebody may be guessing" }
    PasswordFailures      = { threshold = 100, period = 300, meaning = "wrong passwords: somebody may be guessing" }
    CallbackRefusals      = { threshold = 5, period = 300, meaning = "authorizations that end in another browser than they began in: somebody may be passing links on" }
    ConsentRefusals       = { threshold = 5, period = 300, meaning = "consents that our own page did not ask for, or that another browser had taken: somebody may be forging them" }
    AuthorizationsFailed  = { threshold = 10, period = 300, meaning = "agents do not get people's consent; the log says which check fails" }
    RefreshTokenReuse     = { threshold = 1, period = 300, meaning = "a refresh token came back after its grace period: it may have been stolen" }
    DependencyUnavailable = { threshold = 5, period = 300, meaning = "Cognito or DynamoDB throttles, or is away" }
    EmailDeliveryFailures = { threshold = 3, period = 300, meaning = "mails cannot be sent: the quota may be used up, or the sender blocked" }
    NewUserFloods         = { threshold = 1, period = 60, meaning = "more than NEW_USERS_PER_MINUTE new users in a minute: somebody may be running up Cognito's bill. Strangers' starts cost work now; COST.md has the price" }
    RollbackFailures      = { threshold = 1, period = 300, meaning = "half a registration stayed behind; the next sign-in of that address heals it" }
    ServerErrors          = { threshold = 5, period = 300, meaning = "operations answer 5xx" }
  }

  # Cognito does not publish a day's mails. The starts of these functions send them. Notices, which
  # are rare beside codes, go through SES and are not counted.
  mail_functions = [
    for name in ["confirm-registration", "initiate-otp", "register-user", "request-password-reset", "resend-otp"] : name
    if contains(keys(var.functions), name)
  ]

  # One query over all functions, present and to come. Every name is in quotes: Metrics Insights
  # reserves a thousand words, "function" among them, and refuses an alarm that names one without.
  counted_query = { for metric in keys(local.counted) : metric => "SELECT SUM(\"${metric}\") FROM SCHEMA(\"Latchkey\", \"environment\", \"function\") WHERE \"environment\" = '${var.environment}'" }

  # The same for the dashboard. A widget can have only one such query, and any number of searches,
  # which alarms cannot have.
  shown = concat(keys(local.counted), ["SignIns", "GuestsCreated", "NewUsers", "LimitRefusals", "AuthorizationsStarted", "AuthorizationsCompleted", "AuthorizationsAbandoned"])
  total = { for metric in local.shown : metric => "SUM(SEARCH('{\"Latchkey\",\"environment\",\"function\"} MetricName=\"${metric}\" environment=\"${var.environment}\"', 'Sum', 300))" }

  actions = [aws_sns_topic.alarms.arn]
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "mail" {
  for_each = toset(var.alarm_addresses)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = var.functions

  alarm_name          = "${each.value.function_name}-errors"
  alarm_description   = "Invocations of ${each.key} end without an answer: a crash, a time-out, or no memory"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = each.value.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = var.functions

  alarm_name          = "${each.value.function_name}-throttles"
  alarm_description   = "Lambda refuses invocations of ${each.key}: the account's or the function's concurrency is used up"
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = each.value.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}

resource "aws_cloudwatch_metric_alarm" "slow" {
  for_each = var.functions

  alarm_name          = "${each.value.function_name}-p99"
  alarm_description   = "The slowest hundredth of ${each.key}'s invocations takes more than half of its time-out"
  namespace           = "AWS/Lambda"
  metric_name         = "Duration"
  dimensions          = { FunctionName = each.value.function_name }
  extended_statistic  = "p99"
  period              = 60
  evaluation_periods  = 5 # within the ten minutes of a canary release, or it could not undo one
  threshold           = each.value.timeout_seconds * 1000 / 2
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  # A hundredth of a handful of cold starts is no statement.
  evaluate_low_sample_count_percentiles = "ignore"
  alarm_actions                         = local.actions
  ok_actions                            = local.actions
}

resource "aws_cloudwatch_metric_alarm" "counted" {
  for_each = local.counted

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.key}: ${each.value.meaning}"
  evaluation_periods  = 1
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions

  metric_query {
    id          = "total"
    expression  = local.counted_query[each.key]
    period      = each.value.period
    return_data = true
  }
}

# By pool and client, as Cognito publishes them: throttled sign-ins and refreshes.
resource "aws_cloudwatch_metric_alarm" "cognito" {
  for_each = { for metric in ["SignInThrottles", "TokenRefreshThrottles"] : metric => metric }

  alarm_name          = "${var.name}-cognito-${each.key}"
  alarm_description   = "Cognito refuses for load: its request quota per second is used up"
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions

  dynamic "metric_query" {
    for_each = var.user_pool_client_ids

    content {
      id          = "client${metric_query.key}"
      return_data = false

      metric {
        namespace   = "AWS/Cognito"
        metric_name = each.key
        dimensions  = { UserPool = var.user_pool_id, UserPoolClient = metric_query.value }
        period      = 60
        stat        = "Sum"
      }
    }
  }

  metric_query {
    id          = "total"
    expression  = "SUM([${join(", ", [for index, id in var.user_pool_client_ids : "FILL(client${index}, 0)"])}])"
    label       = each.key
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "mail_quota" {
  count = length(local.mail_functions) > 0 ? 1 : 0

  alarm_name          = "${var.name}-mail-quota"
  alarm_description   = "Four fifths of the day's ${var.mails_per_day} mails may be used: codes asked for within 24 hours. Past the quota nobody can sign in"
  evaluation_periods  = 1
  threshold           = ceil(var.mails_per_day * 0.8)
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions

  dynamic "metric_query" {
    for_each = local.mail_functions

    content {
      id          = "starts${metric_query.key}"
      return_data = false

      metric {
        namespace   = "AWS/Lambda"
        metric_name = "Invocations"
        dimensions  = { FunctionName = var.functions[metric_query.value].function_name }
        period      = 86400
        stat        = "Sum"
      }
    }
  }

  metric_query {
    id          = "mails"
    expression  = "SUM([${join(", ", [for index, name in local.mail_functions : "FILL(starts${index}, 0)"])}])"
    label       = "Codes asked for in a day"
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "api_errors" {
  alarm_name          = "${var.name}-api-5xx"
  alarm_description   = "The API answers 5xx, from itself or from operations"
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = var.api_id }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 5
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [for index, widget in [
      { title = "Sign-ins, guests and users made", totals = ["SignIns", "GuestsCreated", "NewUsers"] },
      { title = "Refusals and failures", totals = concat(keys(local.counted), ["LimitRefusals"]) },
      { title = "Agents' authorizations", totals = [for end in ["Started", "Completed", "Failed", "Abandoned"] : "Authorizations${end}"] },
      { title = "Invocations", metrics = [for one in var.functions : ["AWS/Lambda", "Invocations", "FunctionName", one.function_name]], stat = "Sum" },
      { title = "Errors and throttles", metrics = concat([for one in var.functions : ["AWS/Lambda", "Errors", "FunctionName", one.function_name]], [for one in var.functions : ["AWS/Lambda", "Throttles", "FunctionName", one.function_name]]), stat = "Sum" },
      { title = "Duration, p99", metrics = [for one in var.functions : ["AWS/Lambda", "Duration", "FunctionName", one.function_name]], stat = "p99" },
      { title = "API: requests, 4xx, 5xx", metrics = [for metric in ["Count", "4xx", "5xx"] : ["AWS/ApiGateway", metric, "ApiId", var.api_id]], stat = "Sum" },
      { title = "Cognito: throttled", metrics = flatten([for id in var.user_pool_client_ids : [for metric in ["SignInThrottles", "TokenRefreshThrottles"] : [["AWS/Cognito", metric, "UserPool", var.user_pool_id, "UserPoolClient", id]]]]), stat = "Sum" },
      ] : {
      type   = "metric"
      x      = (index % 2) * 12
      y      = floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title  = widget.title
        region = var.region
        period = 300
        stat   = try(widget.stat, "Sum")
        metrics = try(
          [for number, metric in widget.totals : [{ id = "q${number}", label = metric, expression = local.total[metric] }]],
          widget.metrics,
        )
      }
    }]
  })
}

# The account's traces of this deployment alone. Lambda decides which invocations are traced (the
# first in a second, and one in twenty of the others); sampling rules are for services that ask
# X-Ray, and Lambda and HTTP APIs do not, so there is none here.
resource "aws_xray_group" "this" {
  group_name        = var.name
  filter_expression = join(" OR ", [for one in var.functions : "service(\"${one.function_name}\")"])

  insights_configuration {
    insights_enabled      = true
    notifications_enabled = false
  }
}

# Only with a sender of the account's own: SES stops accounts whose mails bounce (at 10 %) or draw
# complaints (at 0.5 %).
resource "aws_cloudwatch_metric_alarm" "reputation" {
  for_each = var.own_mail_sender ? { BounceRate = 0.05, ComplaintRate = 0.001 } : {}

  alarm_name          = "${var.name}-mail-${each.key}"
  alarm_description   = "SES reviews the account from here on, and later stops its mails: ${each.key}"
  namespace           = "AWS/SES"
  metric_name         = "Reputation.${each.key}"
  statistic           = "Average"
  period              = 3600
  evaluation_periods  = 1
  threshold           = each.value
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}

# Fields are in backticks, which Logs Insights takes around any name.
resource "aws_cloudwatch_query_definition" "access" {
  name            = "${var.name}/requests by route and status"
  log_group_names = [var.access_log_group_name]
  query_string    = "stats count(*) as requests, pct(`responseLatency`, 99) as p99 by `routeKey`, `status` | sort requests desc"
}

locals {
  questions = {
    "server errors, newest first" = "fields `timestamp`, `function`, `outcome`, `requestId`, `message` | filter `level` = 'ERROR' | sort `timestamp` desc | limit 100"
    "outcomes by operation"       = "filter `message` = 'completed' | stats count(*) as invocations by `function`, `outcome` | sort invocations desc"
    "slowest invocations"         = "filter `message` = 'completed' | fields `timestamp`, `function`, `Latency`, `outcome`, `requestId` | sort `Latency` desc | limit 50"
    "one request, start to end"   = "fields `timestamp`, `function`, `level`, `message`, `outcome` | filter `requestId` = 'PASTE-THE-REQUEST-ID' | sort `timestamp` asc"
    "why authorizations fail"     = "filter ispresent(`reason`) and `message` like /authorization|callback|consent/ | stats count(*) as times by `function`, `message`, `reason` | sort times desc"
    "busiest viewers"             = "filter `message` = 'completed' | stats count(*) as requests by `viewer`, `function`, `outcome` | sort requests desc | limit 50"
    "past CloudFront"             = "filter `message` like 'front door' | stats count(*) as refused by `function`, bin(1h) | sort refused desc"
    "cold starts"                 = "filter `type` = 'platform.initReport' or `type` = 'platform.report' and ispresent(`record.metrics.initDurationMs`) | stats count(*) as starts, pct(`record.metrics.initDurationMs`, 99) as p99 by @log"
  }
  log_groups = { for function in var.functions : function.area => function.log_group_name... }
}

# Each for an area: CloudWatch starts no query over more than fifty groups. SOURCE, which names them
# by a prefix, is not for queries of the console.
resource "aws_cloudwatch_query_definition" "this" {
  for_each = merge([
    for area, groups in local.log_groups : { for title, question in local.questions : "${area}/${title}" => { groups = sort(groups), question = question } }
  ]...)

  name            = "${var.name}/${each.key}"
  log_group_names = each.value.groups
  query_string    = each.value.question
}
