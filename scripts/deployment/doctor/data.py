"""The stores of data: tables, the secret, the keys."""

from collections.abc import Iterator
from typing import Any

import botocore.exceptions

from deployment import contract, environment
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Finding, error, warning


def tables(deployed: Deployed) -> Iterator[Finding]:
    dynamodb = deployed.where.aws("dynamodb")
    for short, wanted in contract.tables().items():
        name = f"{deployed.where.prefix}-{short}"
        try:
            table = dynamodb.describe_table(TableName=name)["Table"]
        except dynamodb.exceptions.ResourceNotFoundException:
            yield error("table-missing", name, "there is no such table, and every operation that uses it fails", "deploy phase 1")
            continue
        yield from keyed(name, table, [wanted[part] for part in ("key", "sort") if part in wanted], list(wanted.get("indexes", {})))
        yield from kept(deployed, name, table)
        if "ttl" in wanted and dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"] not in (
            "ENABLED",
            "ENABLING",
        ):
            yield warning("ttl", name, "what has ended stays for ever, because items do not expire")


def keyed(name: str, table: dict[str, Any], key: list[str], indexes: list[str]) -> Iterator[Finding]:
    found = [part["AttributeName"] for part in table["KeySchema"]]
    if found != key:
        yield error("table-key", name, f"its key is {', '.join(found)}, and operations ask by {', '.join(key)}", "none but a new table")
    there = [each["IndexName"] for each in table.get("GlobalSecondaryIndexes", [])]
    for index in indexes:
        if index not in there:
            yield error("table-index", name, f"its readers find nothing by {index}, because that index is not there")


def kept(deployed: Deployed, name: str, table: dict[str, Any]) -> Iterator[Finding]:
    backups = deployed.where.aws("dynamodb").describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    if backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") != "ENABLED":
        severe = error if deployed.where.protected else warning
        yield severe("recovery", name, "what a mistake wipes out stays wiped out, because point-in-time recovery is off")
    if table.get("SSEDescription", {}).get("SSEType") != "KMS":
        yield warning("encryption", name, "a reader of the table can read its data, because no key of the deployment encrypts it")
    if deployed.where.protected and not table.get("DeletionProtectionEnabled"):
        yield error("table-deletion-protection", name, "one call deletes the table, because deletion protection is off")


def secret(deployed: Deployed) -> Iterator[Finding]:
    manager, name = deployed.where.aws("secretsmanager"), deployed.where.prefix
    try:
        described = manager.describe_secret(SecretId=name)
    except manager.exceptions.ResourceNotFoundException:
        yield error("secret-missing", name, "there is no such secret, and no function starts without it", "deploy phase 1")
        return
    if described.get("DeletedDate"):
        yield error(
            "secret-deleted",
            name,
            "the secret is about to be deleted, and no function starts without it",
            "restore it: aws secretsmanager restore-secret",
        )
    if not described.get("KmsKeyId"):
        yield warning("secret-key", name, "every role that may read secrets may open it, because no key of the deployment encrypts it")


def keys(deployed: Deployed) -> Iterator[Finding]:
    kms = deployed.where.aws("kms")
    for alias in (f"alias/{deployed.where.prefix}", f"alias/{deployed.where.prefix}-sealing"):
        try:
            key = kms.describe_key(KeyId=alias)["KeyMetadata"]
        except botocore.exceptions.ClientError as refused:
            if environment.code_of(refused) != "NotFoundException":
                raise
            yield error("key-missing", alias, "there is no such key", "deploy phase 1")
            continue
        if key["KeyState"] == "PendingDeletion":
            yield error(
                "key-deletion",
                alias,
                "the key is about to be deleted, and with it whatever it encrypts",
                "cancel it: aws kms cancel-key-deletion",
            )
        if not kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]:
            yield warning("key-rotation", alias, "the key is never renewed, because its rotation is off")


CHECKS = (tables, secret, keys)
