output "bucket_name" {
  description = "The bucket with the copy, for those who review operators."
  value       = aws_s3_bucket.this.bucket
}
