# The rights of the people who help guests. It is a document, not a policy of this deployment: the
# deploying role makes no policies, since it could widen them. No other resource here allows an act
# on a guest.

locals {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["execute-api:Invoke"]
      Resource = sort(var.route_arns)
    }]
  })
}
