"""Import jobs of Cognito: people who come with hashes of their passwords."""

import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from deployment import Refusal
from deployment.people import Person

# Far below Cognito's 500,000 rows and 100 MB of one file.
LARGEST = 100_000
ACTIVE = ("Pending", "InProgress", "Stopping")
LONGEST_WAIT = 10.0


def wait_for_others(cognito: Any, pool: str) -> None:
    """Waits for the pool's active job, which an interrupted import may have left."""
    for job in cognito.list_user_import_jobs(UserPoolId=pool, MaxResults=50)["UserImportJobs"]:
        if job["Status"] in ACTIVE:
            ended(cognito, pool, job["JobId"])


def run(cognito: Any, pool: str, logs_role: str, algorithm: str, people: Sequence[Person]) -> str:
    """Runs a job to its end, and names it. Only a look at each user says whether the job made
    them: one that failed may have made some."""
    header = [*cognito.get_csv_header(UserPoolId=pool)["CSVHeader"], "password_hash"]
    rows = (row_of(person, header) for person in people)
    content = "\n".join([joined(header), *map(joined, rows), ""])
    created = cognito.create_user_import_job(
        JobName=f"latchkey {algorithm}", UserPoolId=pool, CloudWatchLogsRoleArn=logs_role, PasswordHashingAlgorithm=algorithm
    )["UserImportJob"]
    send(created["PreSignedUrl"], content.encode())
    cognito.start_user_import_job(UserPoolId=pool, JobId=created["JobId"])
    return f"{created['JobId']} ({ended(cognito, pool, created['JobId'])})"


def ended(cognito: Any, pool: str, job: str) -> str:
    """The status of a job after its end."""
    wait = 0.1
    while (status := cognito.describe_user_import_job(UserPoolId=pool, JobId=job)["UserImportJob"]["Status"]) in ACTIVE:
        time.sleep(wait)
        wait = min(wait * 1.5, LONGEST_WAIT)
    return str(status)


def row_of(person: Person, header: Sequence[str]) -> list[str]:
    values = {
        "cognito:username": person.email,
        "cognito:mfa_enabled": "false",
        "email": person.email,
        "email_verified": "true",
        "password_hash": person.password.text if person.password else "",
    }
    return [values.get(column, "") for column in header]


def joined(values: Sequence[str]) -> str:
    """A row as Cognito reads it: no quotation marks, and a backslash before a comma in a value."""
    return ",".join(value.replace("\\", "\\\\").replace(",", "\\,") for value in values)


def send(url: str, content: bytes) -> None:
    """The file goes from memory to the job's URL, and nowhere else."""
    headers = {"content-type": "text/csv", "x-amz-server-side-encryption": "aws:kms"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, content, headers, method="PUT")):
            pass
    except urllib.error.HTTPError as error:
        raise Refusal(f"the import job's file was refused: HTTP {error.code}") from None
