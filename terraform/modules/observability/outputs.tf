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
