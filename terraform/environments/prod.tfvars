# For people. Before the first apply: verify an SES identity and set mail_sender, and set domain, so that the API's own name is off.
environment = "prod"
region      = "eu-west-1"
protected   = true

log_retention_days = 90
# One registry per account and region: with dev in the same account, dev makes it.
console_test_events = "existing"
