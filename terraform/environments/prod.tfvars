# For people. Before the first apply: verify an SES identity and set mail_sender, and set domain, so
# that the API's own name is off.
environment = "prod"
region      = "eu-west-1"
protected   = true

log_retention_days = 90
# Prod is not for trying things out. The registry is one per account and region: "create", or
# "existing" if dev has made it.
console_test_events = "none"
