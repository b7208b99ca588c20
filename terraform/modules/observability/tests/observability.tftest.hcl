mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name                 = "latchkey-test"
  environment          = "test"
  region               = "eu-west-1"
  kms_key_arn          = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
  api_id               = "latchkey00"
  user_pool_id         = "eu-west-1_Latchkey0"
  user_pool_client_ids = ["client", "browser"]
  alarm_addresses      = ["ops@example.com"]
  mails_per_day        = 50
  own_mail_sender      = false

  access_log_group_name = "/aws/vendedlogs/apigateway/latchkey-test"

  functions = {
    initiate-otp  = { function_name = "latchkey-test-initiate-otp", timeout_seconds = 15, log_group_name = "/aws/lambda/latchkey-test-initiate-otp", area = "people" }
    register-user = { function_name = "latchkey-test-register-user", timeout_seconds = 15, log_group_name = "/aws/lambda/latchkey-test-register-user", area = "services" }
    verify-otp    = { function_name = "latchkey-test-verify-otp", timeout_seconds = 10, log_group_name = "/aws/lambda/latchkey-test-verify-otp", area = "people" }
  }
}

run "somebody_hears_of_it" {
  command = apply

  assert {
    condition     = alltrue([for alarms in [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.throttles, aws_cloudwatch_metric_alarm.slow] : toset(keys(alarms)) == toset(keys(var.functions))])
    error_message = "every function has alarms on errors, throttles and p99"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.slow["verify-otp"].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.slow["verify-otp"].threshold == 5000
    error_message = "slow is half of the time-out, in milliseconds"
  }

  assert {
    condition     = length(setsubtract(["CodeFailures", "RefreshTokenReuse", "DependencyUnavailable", "EmailDeliveryFailures", "NewUserFloods", "RollbackFailures", "ServerErrors"], keys(aws_cloudwatch_metric_alarm.counted))) == 0
    error_message = "what the functions count has alarms"
  }

  # ServerErrors is written beside the counters.
  assert {
    condition     = alltrue([for metric in setsubtract(keys(aws_cloudwatch_metric_alarm.counted), ["ServerErrors"]) : strcontains(file("../../../shared/auth-lambda/src/metric.rs"), "\"${metric}\"")])
    error_message = "an alarm on a metric that no function writes never rings"
  }

  assert {
    condition     = one(aws_cloudwatch_metric_alarm.counted["RefreshTokenReuse"].metric_query).expression == "SELECT SUM(\"RefreshTokenReuse\") FROM SCHEMA(\"Latchkey\", \"environment\", \"function\") WHERE \"environment\" = 'test'"
    error_message = "the query has the dimensions that the functions write"
  }

  # Each query, without what stands in quotes: what is left are words of the language, and never a
  # name.
  assert {
    condition = length(output.metric_queries) == length(aws_cloudwatch_metric_alarm.counted) && length(setsubtract(
      flatten([for query in output.metric_queries : regexall("[A-Za-z_]\\w*", replace(replace(query, "/\"[^\"]*\"/", ""), "/'[^']*'/", ""))]),
      ["SELECT", "FROM", "SCHEMA", "WHERE", "AND", "GROUP", "ORDER", "BY", "ASC", "DESC", "LIMIT", "AVG", "COUNT", "MAX", "MIN", "SUM"],
    )) == 0
    error_message = "Metrics Insights reserves a thousand words; every name is in double quotes"
  }

  # A graph of several queries shows an error (GetMetricData takes one).
  assert {
    condition     = alltrue([for expressions in output.widget_expressions : length([for expression in expressions : expression if strcontains(upper(expression), "SELECT ")]) <= 1])
    error_message = "a widget asks one query of Metrics Insights, and no more"
  }

  assert {
    condition = length(flatten(values(output.widget_expressions))) >= length(aws_cloudwatch_metric_alarm.counted) && alltrue([
      for expression in flatten(values(output.widget_expressions)) :
      can(regex("^SUM\\(SEARCH\\('{\"Latchkey\",\"environment\",\"function\"} MetricName=\"[A-Za-z]+\" environment=\"test\"', 'Sum', 300\\)\\)$", expression))
    ])
    error_message = "the dashboard adds up what the functions of this environment write"
  }

  # What the functions write, and nothing else.
  assert {
    condition     = alltrue([for metric in setsubtract(flatten([for expression in flatten(values(output.widget_expressions)) : regex("MetricName=\"([A-Za-z]+)\"", expression)]), ["ServerErrors"]) : strcontains(file("../../../shared/auth-lambda/src/metric.rs"), "\"${metric}\"")])
    error_message = "a graph of a metric that no function writes stays empty"
  }

  # A name that a query gives (as requests) may be asked for again, and is none of the words.
  assert {
    condition = alltrue([for query in output.log_queries : length(setsubtract(
      regexall("[@A-Za-z_][\\w.]*", replace(replace(replace(query, "/`[^`]*`/", ""), "/'[^']*'|\\/[^\\/]*\\//", ""), "/\\b[0-9]+[smhd]\\b/", "")),
      concat(
        ["fields", "filter", "limit", "sort", "stats", "and", "as", "asc", "by", "desc", "like", "or", "bin", "count", "ispresent", "pct", "@log"],
        flatten(regexall(" as ([a-z0-9]+)", query)),
      ),
    )) == 0])
    error_message = "every field of a saved query is in backticks"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.mail_quota[0].threshold == 40
    error_message = "four fifths of the mail quota"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.cognito["SignInThrottles"].metric_query) == 3
    error_message = "Cognito's throttling is counted over both clients"
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.errors), values(aws_cloudwatch_metric_alarm.counted), values(aws_cloudwatch_metric_alarm.cognito), aws_cloudwatch_metric_alarm.mail_quota, [aws_cloudwatch_metric_alarm.api_errors]) :
      alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.treat_missing_data == "notBreaching"
    ])
    error_message = "every alarm reports, and silence is no alarm"
  }

  assert {
    condition     = toset(keys(aws_sns_topic_subscription.mail)) == toset(["ops@example.com"]) && aws_sns_topic.alarms.kms_master_key_id == var.kms_key_arn
    error_message = "alarms reach their readers, encrypted"
  }

  # A canary release listens to these, and to the counted ones and the API's among the others.
  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.errors), values(aws_cloudwatch_metric_alarm.throttles), values(aws_cloudwatch_metric_alarm.slow), [aws_cloudwatch_metric_alarm.api_errors]) :
      alarm.period * alarm.evaluation_periods < tonumber(regex("\"--minutes\", .*default=([0-9]+)", file("../../../scripts/canary"))[0]) * 60
      ]) && alltrue([
      for alarm in aws_cloudwatch_metric_alarm.counted :
      one(alarm.metric_query).period * alarm.evaluation_periods < tonumber(regex("\"--minutes\", .*default=([0-9]+)", file("../../../scripts/canary"))[0]) * 60
    ])
    error_message = "an alarm that takes longer than a canary release cannot undo it"
  }

  assert {
    condition     = [for query in aws_cloudwatch_metric_alarm.mail_quota[0].metric_query : one(query.metric).dimensions.FunctionName if length(query.metric) > 0] == ["latchkey-test-initiate-otp", "latchkey-test-register-user"]
    error_message = "whatever mails codes counts against the quota, and nothing else does"
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 8 && alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : length(widget.properties.metrics) > 0])
    error_message = "no widget is empty"
  }

  assert {
    condition = jsonencode({ for query in aws_cloudwatch_query_definition.this : query.name => sort(query.log_group_names) if endswith(query.name, "/busiest viewers") }) == jsonencode({
      "latchkey-test/people/busiest viewers"   = ["/aws/lambda/latchkey-test-initiate-otp", "/aws/lambda/latchkey-test-verify-otp"]
      "latchkey-test/services/busiest viewers" = ["/aws/lambda/latchkey-test-register-user"]
    })
    error_message = "a saved query of each area looks at the logs of its functions"
  }

  assert {
    condition     = aws_xray_group.this.filter_expression == "service(\"latchkey-test-initiate-otp\") OR service(\"latchkey-test-register-user\") OR service(\"latchkey-test-verify-otp\")" && length(aws_xray_group.this.group_name) <= 32
    error_message = "the group has this deployment's traces; X-Ray takes names of 32 characters"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.reputation) == 0
    error_message = "Cognito's own sender has no reputation that we could watch"
  }
}

run "one_s_own_sender_has_a_reputation_to_lose" {
  command = plan

  variables {
    own_mail_sender = true
  }

  assert {
    condition     = { for metric, alarm in aws_cloudwatch_metric_alarm.reputation : alarm.metric_name => alarm.threshold } == { "Reputation.BounceRate" = 0.05, "Reputation.ComplaintRate" = 0.001 }
    error_message = "the alarm rings before SES stops the account"
  }
}

# CloudWatch starts no query over more groups.
run "a_query_over_more_than_fifty_logs_is_refused" {
  command = plan

  variables {
    functions = { for number in range(51) : "f${number}" => { function_name = "latchkey-test-f${number}", timeout_seconds = 10, log_group_name = "/aws/lambda/latchkey-test-f${number}", area = "people" } }
  }

  expect_failures = [var.functions]
}
