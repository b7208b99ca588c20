# The role by which Cognito's import jobs log what became of each line of a file. Cognito names the
# pool's log group itself, and makes it with the first job. The logs hold line numbers, and nothing
# of a person.

# It has no boundary: that of the functions' roles allows the functions' log groups alone. So a
# person makes it, and no workflow. Cognito documents no condition for its trust. Only a principal
# of this account that may pass the role can name it to a job.
resource "aws_iam_role" "logs" {
  name        = "${var.name}-import-jobs"
  description = "What import jobs of Cognito may do: log in the user pool's own log group"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "cognito-idp.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.logs.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = [
        "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:/aws/cognito/userpools/${var.user_pool_id}/*",
      ]
    }]
  })
}
