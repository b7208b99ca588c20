"""The alarms, and the people that they reach."""

from collections.abc import Iterator

from deployment.contract import contract
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Finding, warning
from deployment.releases import FUNCTION_ALARMS

# Of the deployment as a whole.
WANTED = (
    "AuthorizationsFailed",
    "CallbackRefusals",
    "CodeFailures",
    "DependencyUnavailable",
    "EmailDeliveryFailures",
    "PasswordFailures",
    "RefreshTokenReuse",
    "RollbackFailures",
    "ServerErrors",
    "api-5xx",
    "cognito-SignInThrottles",
    "cognito-TokenRefreshThrottles",
    "mail-quota",
)


def alarms(deployed: Deployed) -> Iterator[Finding]:
    prefix = deployed.where.prefix
    pages = (
        deployed.where.aws("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{prefix}-", AlarmTypes=["MetricAlarm"])
    )
    found = {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
    wanted = [f"{prefix}-{name}" for name in WANTED]
    wanted += [f"{deployed.function_name(name)}-{alarm}" for name in contract().functions for alarm in FUNCTION_ALARMS]
    missing = [name for name in wanted if name not in found]
    if missing:
        yield warning("alarm-missing", prefix, f"these alarms are missing: {', '.join(missing)}")
    silent = sorted(name for name, alarm in found.items() if not (alarm.get("ActionsEnabled") and alarm.get("AlarmActions")))
    if silent:
        yield warning("alarm-silent", prefix, f"these alarms notify no topic: {', '.join(silent)}")
    topics = {action for alarm in found.values() for action in alarm.get("AlarmActions", [])}
    for topic in sorted(topics):
        yield from heard(deployed, topic)


def heard(deployed: Deployed, topic: str) -> Iterator[Finding]:
    subscriptions = deployed.where.aws("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    name = topic.rpartition(":")[2]
    if not subscriptions:
        yield warning("alarm-unheard", name, "alarms reach nobody: their topic has no subscription", "set alarm_addresses")
    elif all(subscription["SubscriptionArn"] == "PendingConfirmation" for subscription in subscriptions):
        yield warning(
            "alarm-unheard",
            name,
            "alarms reach nobody: the subscription is not confirmed",
            "follow the link in the mail that SNS has sent",
        )


CHECKS = (alarms,)
