"""What leaves the tables by their streams: guests' events for their bus, and operators' acts for the
copy that nobody can change. A pipe carries each. Both are by switch."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from deployment import ROOT, environment
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Finding, error, warning

BY_A_PERSON = "apply Terraform as a person, since no workflow's role may make it"
# Short of being stopped, a pipe is on its way here for some minutes.
CARRIES = ("CREATING", "RUNNING", "STARTING", "UPDATING")


@dataclasses.dataclass(frozen=True)
class Flow:
    """A pipe, the table that it reads, and the queue of what it could not deliver."""

    name: str
    table: str
    queue: str
    """Its alarm has the same name."""
    cargo: str


EVENTS = Flow("events", "activity", "events-undelivered", "events of guests")
AUDIT = Flow("audit", "audit", "audit-uncopied", "acts of operators")


def events(deployed: Deployed) -> Iterator[Finding]:
    """The bus gets inserts alone, in the contract's form."""
    where, pipe = deployed.where, deployed.pipe(EVENTS.name)
    if pipe is None:
        yield from missing(deployed, EVENTS, where.events)
        return
    yield from delivers(deployed, EVENTS, pipe, arn(deployed, "events", f"event-bus/{where.prefix}-events"))
    if any(pattern.get("eventName") != ["INSERT"] for pattern in patterns(pipe) or [{}]):
        yield error("pipe-filter", pipe["Name"], "the bus gets an event when an item ends, because the pipe takes more than inserts")
    form = json.loads((ROOT / "shared/auth-api/event.json").read_text(encoding="utf-8"))
    if json.loads(pipe.get("TargetParameters", {}).get("InputTemplate") or "null") != form:
        yield error("event-form", pipe["Name"], "events do not look as the contract says, and may name more of a guest than the id")


def audit_copy(deployed: Deployed) -> Iterator[Finding]:
    """Every change of the audit table reaches a bucket where it stays."""
    where, pipe = deployed.where, deployed.pipe(AUDIT.name)
    if pipe is None:
        yield from missing(deployed, AUDIT, where.audit_copy_days is not None)
        return
    yield from delivers(deployed, AUDIT, pipe, arn(deployed, "firehose", f"deliverystream/{where.prefix}-audit"))
    if patterns(pipe):
        yield error("pipe-filter", pipe["Name"], "the copy lacks changes of the audit table, because the pipe leaves some out")
    bucket = f"{where.prefix}-audit-{where.account}"
    yield from delivery(deployed, bucket)
    yield from locked(deployed, bucket)


def missing(deployed: Deployed, flow: Flow, wanted: bool) -> Iterator[Finding]:
    if wanted:
        name = f"{deployed.where.prefix}-{flow.name}"
        yield error("pipe-missing", name, f"{flow.cargo} go nowhere, because there is no such pipe", BY_A_PERSON)


def delivers(deployed: Deployed, flow: Flow, pipe: dict[str, Any], target: str) -> Iterator[Finding]:
    """From the table's stream of today to the target, and what cannot be delivered to the queue."""
    name, state = pipe["Name"], pipe["CurrentState"]
    if state not in CARRIES or pipe["DesiredState"] == "STOPPED":
        yield error(
            "pipe-stopped",
            name,
            f"{flow.cargo} go nowhere, because the pipe is {state}: {pipe.get('StateReason', 'it gives no reason')}",
            f"start it (aws pipes start-pipe --name {name}): the stream forgets a record after a day",
        )
    table = deployed.where.aws("dynamodb").describe_table(TableName=f"{deployed.where.prefix}-{flow.table}")["Table"]
    if pipe["Source"] != table.get("LatestStreamArn") or not table.get("StreamSpecification", {}).get("StreamEnabled"):
        yield error("pipe-stream", name, f"{flow.cargo} go nowhere, because the pipe reads another stream than the table has today")
    if pipe["Target"] != target:
        yield error("pipe-target", name, f"{flow.cargo} go to {pipe['Target']}")
    yield from watched(deployed, flow, pipe)


def watched(deployed: Deployed, flow: Flow, pipe: dict[str, Any]) -> Iterator[Finding]:
    where, queue = deployed.where, f"{deployed.where.prefix}-{flow.queue}"
    source = pipe.get("SourceParameters", {}).get("DynamoDBStreamParameters", {})
    if source.get("DeadLetterConfig", {}).get("Arn") != arn(deployed, "sqs", queue):
        yield error(
            "dead-letter", pipe["Name"], f"{flow.cargo} that cannot be delivered are lost unseen, because the pipe does not queue them"
        )
    sqs = where.aws("sqs")
    try:
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        yield error(
            "dead-letter", queue, f"{flow.cargo} that cannot be delivered are lost unseen, because there is no such queue", BY_A_PERSON
        )
        return
    waiting = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    if count := int(waiting["ApproximateNumberOfMessages"]):
        yield warning(
            "undelivered",
            queue,
            f"{flow.cargo} were not delivered, and {count} message{'s' * (count != 1)} here say{'s' * (count == 1)} which",
            "read the messages: they name the stream's records, which it keeps for a day",
        )
    if not where.aws("cloudwatch").describe_alarms(AlarmNames=[queue])["MetricAlarms"]:
        yield warning("alarm-missing", queue, "nobody hears of what was not delivered, because the queue's alarm is missing")


def delivery(deployed: Deployed, bucket: str) -> Iterator[Finding]:
    firehose, name = deployed.where.aws("firehose"), f"{deployed.where.prefix}-audit"
    try:
        found = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    except firehose.exceptions.ResourceNotFoundException:
        yield error("delivery", name, "nothing is copied, because there is no such delivery stream", BY_A_PERSON)
        return
    if found["DeliveryStreamStatus"] != "ACTIVE":
        yield error("delivery", name, f"nothing is copied, because the delivery stream is {found['DeliveryStreamStatus']}")
    targets = [target.get("ExtendedS3DestinationDescription", {}).get("BucketARN") for target in found["Destinations"]]
    if targets != [f"arn:{deployed.where.partition}:s3:::{bucket}"]:
        yield error("delivery", name, f"copies go to {', '.join(map(str, targets))}, where they may not be locked")


def locked(deployed: Deployed, bucket: str) -> Iterator[Finding]:
    where = deployed.where
    try:
        lock = where.aws("s3").get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    except environment.ClientError as refused:
        code = environment.code_of(refused)
        if code == "NoSuchBucket":
            yield error("copy-missing", bucket, "nothing is copied, because there is no such bucket", BY_A_PERSON)
            return
        if code != "ObjectLockConfigurationNotFoundError":
            raise
        lock = {}
    kept = lock.get("Rule", {}).get("DefaultRetention", {})
    if kept.get("Mode") != "COMPLIANCE":
        yield error("copy-lock", bucket, "an administrator can change or delete the copy, because its lock is not one of compliance")
    elif where.audit_copy_days is not None and kept.get("Days") != where.audit_copy_days:
        yield warning("copy-days", bucket, f"an act is kept for {kept.get('Days')} days, and audit_copy_days says {where.audit_copy_days}")
    if not deployed.is_closed(bucket):
        yield error("copy-open", bucket, "the copy can be opened to the world, because public access to its bucket is not blocked")


def patterns(pipe: dict[str, Any]) -> list[dict[str, Any]]:
    """Which records the pipe takes; all of them if there are none."""
    filters = pipe.get("SourceParameters", {}).get("FilterCriteria", {}).get("Filters", [])
    return [json.loads(one["Pattern"]) for one in filters]


def arn(deployed: Deployed, service: str, name: str) -> str:
    where = deployed.where
    return f"arn:{where.partition}:{service}:{where.region}:{where.account}:{name}"


CHECKS = (events, audit_copy)
