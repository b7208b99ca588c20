output "function_alarm_names" {
  description = "The alarms of each function, which a canary release watches, by its operation's name."
  value = {
    for name in keys(var.functions) : name => [
      aws_cloudwatch_metric_alarm.errors[name].alarm_name,
      aws_cloudwatch_metric_alarm.throttles[name].alarm_name,
      aws_cloudwatch_metric_alarm.slow[name].alarm_name,
    ]
  }
}

output "alarm_topic_arn" {
  description = "Where alarms go."
  value       = aws_sns_topic.alarms.arn
}

# Read by tests alone.

output "metric_queries" {
  description = "Every alarm's query over metrics."
  value       = flatten([for alarm in values(aws_cloudwatch_metric_alarm.counted) : alarm.metric_query[*].expression])
}

output "widget_expressions" {
  description = "Every expression of each widget of the dashboard, by its title."
  value = {
    for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
    widget.properties.title => compact([for metric in widget.properties.metrics : try(metric[0].expression, "")])
  }
}

output "log_queries" {
  description = "Every saved query over logs."
  value       = concat([aws_cloudwatch_query_definition.access.query_string], values(aws_cloudwatch_query_definition.this)[*].query_string)
}

output "query_log_groups" {
  description = "The log groups of each saved query over functions' logs, by its name."
  value       = { for query in aws_cloudwatch_query_definition.this : query.name => query.log_group_names }
}
