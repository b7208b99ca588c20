# The people who help guests. To be attached to whatever role they sign in with; nothing else here
# lets anybody act on a guest.

resource "aws_iam_policy" "operators" {
  name        = "${var.name}-operators"
  description = "Acts on guests of ${var.name}. Never for an agent."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["execute-api:Invoke"]
      Resource = sort(var.route_arns)
    }]
  })
}
