# For trying things out: everything can be destroyed, and mails go through Cognito's own sender
# (fifty a day for the whole account).
environment = "dev"
region      = "eu-west-1"
protected   = false

log_retention_days = 14
