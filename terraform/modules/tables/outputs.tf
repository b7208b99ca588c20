output "tables" {
  description = "Every table's name, ARN, the ARN of its stream if it has one, and the ARNs of its indexes, by its short name."
  value = {
    for name, table in aws_dynamodb_table.this : name => {
      name       = table.name
      arn        = table.arn
      stream_arn = table.stream_arn
      index_arns = [for index in keys(var.tables[name].indexes) : "${table.arn}/index/${index}"]
    }
  }
}
