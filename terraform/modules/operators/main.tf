# What the people who help guests may do. It is a document, and not a policy of this deployment: the
# deploying role makes no policies, since it could widen them. Nothing else here lets anybody act on
# a guest.

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
