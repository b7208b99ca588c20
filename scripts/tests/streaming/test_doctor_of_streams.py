"""The doctor's faults of pipes and of the audit's copy, at a stand-in account where
terraform/tests/events-on-moto has applied both. Each is planted once and taken out again."""

import dataclasses
import json
import unittest
from collections.abc import Callable, Iterator
from typing import Any

from planted import Faults, with_alarm

from deployment import environment
from deployment.doctor import streams
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Severity

DEV = dataclasses.replace(environment.load("dev"), events=True, audit_copy_days=400)
EVENTS, AUDIT = "latchkey-dev-events", "latchkey-dev-audit"
UNDELIVERED, COPY = "latchkey-dev-events-undelivered", f"latchkey-dev-audit-{DEV.account}"

FAULTS = Faults(DEV, set())
fault = FAULTS.fault

pipes, sqs, firehose, s3 = DEV.aws("pipes"), DEV.aws("sqs"), DEV.aws("firehose"), DEV.aws("s3")


def with_pipe(name: str, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """The pipe made anew, as an update cannot change its source."""
    found = pipes.describe_pipe(Name=name)
    made_of = ("Name", "Description", "RoleArn", "Source", "SourceParameters", "Target", "TargetParameters", "Tags")
    before = {field: found[field] for field in made_of if field in found}
    changed = json.loads(json.dumps(before))
    change(changed)
    for settings in (changed, before):
        pipes.delete_pipe(Name=name)
        pipes.create_pipe(**settings)
        if settings is changed:
            yield


def parameters(pipe: dict[str, Any]) -> dict[str, Any]:
    return dict(pipe["SourceParameters"]["DynamoDBStreamParameters"])


@fault(streams.events, "pipe-stopped")
def a_pipe_that_somebody_has_stopped() -> Iterator[None]:
    pipes.stop_pipe(Name=EVENTS)
    yield
    pipes.start_pipe(Name=EVENTS)


@fault(streams.events, "pipe-stream")
def a_stream_that_was_switched_off_and_on() -> Iterator[None]:
    yield from with_pipe(EVENTS, lambda pipe: pipe.update(Source=f"{pipe['Source'].rpartition('/')[0]}/2020-01-01T00:00:00.000"))


@fault(streams.audit_copy, "pipe-target")
def acts_that_go_elsewhere() -> Iterator[None]:
    yield from with_pipe(AUDIT, lambda pipe: pipe.update(Target=f"{pipe['Target']}-of-somebody"))


@fault(streams.events, "pipe-filter")
def events_of_what_ends() -> Iterator[None]:
    yield from with_pipe(EVENTS, lambda pipe: pipe["SourceParameters"].pop("FilterCriteria"))


@fault(streams.audit_copy, "pipe-filter")
def a_copy_without_deletions() -> Iterator[None]:
    pattern = json.dumps({"eventName": ["INSERT"]})
    yield from with_pipe(AUDIT, lambda pipe: pipe["SourceParameters"].update(FilterCriteria={"Filters": [{"Pattern": pattern}]}))


@fault(streams.events, "event-form")
def events_that_name_an_address() -> Iterator[None]:
    template = json.dumps({"email": "<$.dynamodb.NewImage.email.S>"})
    yield from with_pipe(EVENTS, lambda pipe: pipe["TargetParameters"].update(InputTemplate=template))


@fault(streams.events, "dead-letter")
def a_pipe_that_queues_nothing() -> Iterator[None]:
    def change(pipe: dict[str, Any]) -> None:
        kept = {name: value for name, value in parameters(pipe).items() if name != "DeadLetterConfig"}
        pipe["SourceParameters"]["DynamoDBStreamParameters"] = kept

    yield from with_pipe(EVENTS, change)


@fault(streams.events, "dead-letter")
def a_queue_that_is_gone() -> Iterator[None]:
    url = sqs.get_queue_url(QueueName=UNDELIVERED)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["KmsMasterKeyId", "MessageRetentionPeriod"])["Attributes"]
    sqs.delete_queue(QueueUrl=url)
    yield
    sqs.create_queue(QueueName=UNDELIVERED, Attributes=found)


@fault(streams.events, "undelivered")
def an_event_that_was_not_delivered() -> Iterator[None]:
    url = sqs.get_queue_url(QueueName=UNDELIVERED)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    yield
    sqs.purge_queue(QueueUrl=url)


@fault(streams.audit_copy, "alarm-missing")
def a_queue_that_nobody_watches() -> Iterator[None]:
    yield from with_alarm(DEV, "latchkey-dev-audit-uncopied", None)


@fault(streams.audit_copy, "delivery")
def a_copy_in_another_bucket() -> Iterator[None]:
    found = firehose.describe_delivery_stream(DeliveryStreamName=AUDIT)["DeliveryStreamDescription"]
    [destination] = found["Destinations"]
    own = destination["ExtendedS3DestinationDescription"]
    for bucket in (f"{own['BucketARN']}-of-somebody", own["BucketARN"]):
        firehose.update_destination(
            DeliveryStreamName=AUDIT,
            CurrentDeliveryStreamVersionId=firehose.describe_delivery_stream(DeliveryStreamName=AUDIT)["DeliveryStreamDescription"][
                "VersionId"
            ],
            DestinationId=destination["DestinationId"],
            ExtendedS3DestinationUpdate={"RoleARN": own["RoleARN"], "BucketARN": bucket},
        )
        if bucket != own["BucketARN"]:
            yield


@fault(streams.audit_copy, "copy-lock")
def a_lock_that_an_administrator_opens() -> Iterator[None]:
    for mode in ("GOVERNANCE", "COMPLIANCE"):
        lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, "Days": 400}}}
        s3.put_object_lock_configuration(Bucket=COPY, ObjectLockConfiguration=lock)
        if mode == "GOVERNANCE":
            yield


@fault(streams.audit_copy, "copy-open")
def a_copy_that_can_be_opened() -> Iterator[None]:
    closed = s3.get_public_access_block(Bucket=COPY)["PublicAccessBlockConfiguration"]
    s3.delete_public_access_block(Bucket=COPY)
    yield
    s3.put_public_access_block(Bucket=COPY, PublicAccessBlockConfiguration=closed)


class Doctor(unittest.TestCase):
    def test_both_flows_have_no_fault(self) -> None:
        self.assertEqual(set().union(*map(FAULTS.codes, streams.CHECKS)), set())

    def test_a_flow_is_missed_where_the_environment_asks_for_it(self) -> None:
        for wanted, found in ((True, {("pipe-missing", Severity.ERROR)}), (False, set())):
            elsewhere = dataclasses.replace(DEV, name="elsewhere", events=wanted, audit_copy_days=400 if wanted else None)
            for check in streams.CHECKS:
                findings = check(Deployed(elsewhere, None, None, None))
                self.assertEqual({(finding.code, finding.severity) for finding in findings}, found)

    def test_a_copy_is_kept_for_as_long_as_the_environment_says(self) -> None:
        longer = Deployed(dataclasses.replace(DEV, audit_copy_days=500), None, None, None)
        self.assertEqual({finding.code for finding in streams.audit_copy(longer)}, {"copy-days"})

    def test_each_fault_is_found_and_nothing_else(self) -> None:
        FAULTS.are_found_one_by_one(self)


if __name__ == "__main__":
    unittest.main()
