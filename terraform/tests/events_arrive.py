"""Two steps of events-on-moto.

events_arrive.py examples GUIDE FOLDER    writes the guide's files into the folder, and zips the function
events_arrive.py arrive FOLDER            sends an event to the bus, and looks at what became of it
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


def seen() -> list[dict]:
    with urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/seen-by-the-test") as answer:
        return json.load(answer)


if __name__ == "__main__":
    step, *paths = sys.argv[1:]
    {"examples": examples, "arrive": arrive}[step](*map(Path, paths))
