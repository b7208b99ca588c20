terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
      # What belongs to CloudFront (web ACL, its logs, the certificate) lives in us-east-1, wherever
      # the rest is.
      configuration_aliases = [aws.us_east_1]
    }
  }
}
