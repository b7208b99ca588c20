terraform {
  required_version = ">= 1.9" # validation conditions that look at other variables

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 5.100 is the first that this was run with and knows refresh_token_rotation; nothing that only version 6 has is used.
      version = ">= 5.100, < 7"
    }
  }

  # Bucket, key and region come from environments/<environment>.s3.tfbackend and the deploying account; see README.md.
  backend "s3" {}
}
