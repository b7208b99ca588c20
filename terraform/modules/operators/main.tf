# The rights of the people who help guests, and of those who import them. It is a document, not a
# policy of this deployment: the deploying role makes no policies, since it could widen them. No
# other resource here allows an act on a guest.

locals {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Effect   = "Allow"
        Action   = ["execute-api:Invoke"]
        Resource = sort(var.route_arns)
      }],
      # The role of import jobs, to Cognito, and no other.
      [for arn in var.import_role_arn[*] : {
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [arn]
        Condition = { StringEquals = { "iam:PassedToService" = "cognito-idp.amazonaws.com" } }
      }],
    )
  })
}
