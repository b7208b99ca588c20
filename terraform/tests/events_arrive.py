"""Three steps of events-on-moto.

events_arrive.py examples GUIDE FOLDER    writes the guide's files into the folder, and zips the function
events_arrive.py arrive FOLDER            sends an event to the bus, and looks at what became of it
events_arrive.py stays FOLDER             delivers a record to the audit's copy, and tries to be rid of it
"""

import json
import os
import re
import sys
import urllib.request
import zipfile
from pathlib import Path

import boto3

BLOCK = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GUEST, SUB, ADDRESS = "GST-2026-7K3QXB", "5a1d7c0e-0000-4000-8000-000000000000", "ada@example.com"
DETAIL = {
    "version": "1",
    "id": f"{GUEST}-1773342238123-5f1c2a9e7b1d4c52",
    "type": "guest.created",
    "kind": "account-created",
    "by": "guest",
    "guestId": GUEST,
    "at": "2026-03-12T19:03:58.123Z",
}


def examples(guide: Path, folder: Path) -> None:
    for name, text in BLOCK.findall(guide.read_text(encoding="utf-8")):
        (folder / name).write_text(text, encoding="utf-8")
    with zipfile.ZipFile(folder / "welcome.zip", "w") as archive:
        archive.write(folder / "welcome.py", "welcome.py")


def arrive(folder: Path) -> None:
    bus = "latchkey-dev-events"
    events, queues = boto3.client("events"), boto3.client("sqs")
    pipe = boto3.client("pipes").describe_pipe(Name=bus)
    pattern = json.loads(pipe["SourceParameters"]["FilterCriteria"]["Filters"][0]["Pattern"])
    assert pattern["eventName"] == ["INSERT"], pattern
    assert DETAIL["type"] in pattern["dynamodb"]["NewImage"]["event"]["S"], pattern
    assert set(json.loads(pipe["TargetParameters"]["InputTemplate"])) == set(DETAIL), pipe

    # moto runs no function, so the event on the bus is one that only the queue wants.
    deleted = {**DETAIL, "type": "guest.deleted", "kind": "account-deleted"}
    sent = {"EventBusName": bus, "Source": "latchkey.dev", "DetailType": "Latchkey event", "Detail": json.dumps(deleted)}
    assert events.put_events(Entries=[sent])["FailedEntryCount"] == 0
    url = queues.get_queue_url(QueueName="crm-guests")["QueueUrl"]
    [message] = queues.receive_message(QueueUrl=url)["Messages"]
    delivered = json.loads(message["Body"])
    assert delivered["detail"] == deleted, delivered
    targets = events.list_targets_by_rule(Rule="welcome", EventBusName=bus)["Targets"]
    assert [target["Arn"].rpartition(":")[2] for target in targets] == ["welcome-guests"], targets

    boto3.client("sesv2").create_email_identity(EmailIdentity="hello@example.com")
    guests = boto3.resource("dynamodb").Table("latchkey-dev-guests")
    guests.put_item(Item={"pk": f"guestId#{GUEST}", "sub": SUB})
    guests.put_item(Item={"pk": f"guest#{SUB}", "email": ADDRESS})
    os.environ.update(GUESTS_TABLE_NAME="latchkey-dev-guests", MAIL_SENDER="hello@example.com")
    sys.path.insert(0, str(folder))
    import welcome

    for _ in range(2):
        welcome.handler({**delivered, "detail": DETAIL}, None)
    mails = [mail for mail in seen() if mail["url"].endswith("/v2/email/outbound-emails")]
    assert len(mails) == 1 and ADDRESS in mails[0]["body"], mails


def stays(_: Path) -> None:
    pipe = boto3.client("pipes").describe_pipe(Name="latchkey-dev-audit")
    stream = boto3.client("dynamodb").describe_table(TableName="latchkey-dev-audit")["Table"]["LatestStreamArn"]
    firehose = boto3.client("firehose")
    delivery = firehose.describe_delivery_stream(DeliveryStreamName="latchkey-dev-audit")["DeliveryStreamDescription"]
    assert (pipe["Source"], pipe["Target"]) == (stream, delivery["DeliveryStreamARN"]), pipe
    assert "FilterCriteria" not in pipe["SourceParameters"], "every change of the table is copied"

    record = {"eventName": "INSERT", "dynamodb": {"NewImage": {"subject": {"S": f"guest#{GUEST}"}, "act": {"S": "disable"}}}}
    line = (json.dumps(record) + "\n").encode()
    sent = firehose.put_record_batch(DeliveryStreamName="latchkey-dev-audit", Records=[{"Data": line}])
    assert sent["FailedPutCount"] == 0, sent
    s3, bucket = boto3.client("s3"), "latchkey-dev-audit-123456789012"
    [delivered] = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert delivered["Key"].startswith("acts/"), delivered
    assert s3.get_object(Bucket=bucket, Key=delivered["Key"])["Body"].read() == line

    # moto's Firehose walks round the bucket's rule, so the rule is asked by a put.
    key = "acts/2026/03/12/latchkey-dev-audit-1"
    named = {"Bucket": bucket, "Key": key, "VersionId": s3.put_object(Bucket=bucket, Key=key, Body=line)["VersionId"]}
    held = s3.head_object(**named)
    assert held["ObjectLockMode"] == "COMPLIANCE", held
    assert 399 <= (held["ObjectLockRetainUntilDate"] - held["LastModified"]).days <= 400, held
    try:
        s3.delete_object(**named, BypassGovernanceRetention=True)
    except s3.exceptions.ClientError as refusal:
        assert refusal.response["Error"]["Code"] == "AccessDenied", refusal
    else:
        raise AssertionError("a record was deleted before its time")
    try:
        s3.delete_bucket(Bucket=bucket)
    except s3.exceptions.ClientError as refusal:
        assert refusal.response["Error"]["Code"] == "BucketNotEmpty", refusal
    else:
        raise AssertionError("a bucket with a record in it was deleted")
    # A deletion without a version hides a record, and loses none.
    s3.delete_object(Bucket=bucket, Key=key)
    assert s3.get_object(**named)["Body"].read() == line


def seen() -> list[dict]:
    with urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/seen-by-the-test") as answer:
        return json.load(answer)


if __name__ == "__main__":
    step, *paths = sys.argv[1:]
    {"examples": examples, "arrive": arrive, "stays": stays}[step](*map(Path, paths))
