"""The live release: the manifest of the uploaded zips, the moves of the last release, and the
functions that a roll-back holds.

Two objects in the artifact bucket. `deployment/packages.json` is the manifest that phase 2 uploaded
last. `deployment/releases.json` has, for the last release, the version before and after each
alias's move, so that it can be undone, and the functions that stay at an earlier version. A hold
names the zip that it was made against and ends with the next one: the author of the repair need not
remember it, and Terraform never moves an alias back to the version just removed. It also has the
functions whose roles lost grants: all versions of a function have one role.
"""

import dataclasses
import json
from typing import Any

import botocore.exceptions

from deployment import Refusal, environment
from deployment.environment import Environment

ALIAS = "live"
# The alarms of each function that a canary release watches.
FUNCTION_ALARMS = ("errors", "throttles", "p99")
MANIFEST = "deployment/packages.json"
RECORD = "deployment/releases.json"

Manifest = dict[str, dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Hold:
    version: str
    """Where the alias stays."""
    instead_of: str
    """The SHA-256, in base64, of the zip that it was taken away from."""


@dataclasses.dataclass(frozen=True)
class Move:
    before: str
    after: str


@dataclasses.dataclass
class Record:
    moved: dict[str, Move]
    held: dict[str, Hold]
    etag: str | None
    narrowed: dict[str, str] = dataclasses.field(default_factory=dict)
    """The newest version that may need a grant which the function's role has lost."""

    def lacks_grants(self, name: str, version: str) -> bool:
        return name in self.narrowed and int(version) <= int(self.narrowed[name])

    def kept_back(self, manifest: Manifest) -> dict[str, str]:
        """The versions at which functions stay although this manifest is newer; a hold against
        another zip has ended."""
        return {name: hold.version for name, hold in self.held.items() if name in manifest and manifest[name]["sha256"] == hold.instead_of}


class Bucket:
    """The artifact bucket, by its name: an urgent roll-back needs neither Terraform nor its
    state."""

    def __init__(self, where: Environment) -> None:
        self.name = f"{where.prefix}-artifacts-{where.account}"
        self.s3 = where.aws("s3")

    def exists(self) -> bool:
        try:
            self.s3.head_bucket(Bucket=self.name)
        except botocore.exceptions.ClientError as error:
            if environment.code_of(error) in ("404", "NoSuchBucket"):
                return False
            raise
        return True

    def has(self, key: str) -> bool:
        try:
            self.s3.head_object(Bucket=self.name, Key=key)
        except botocore.exceptions.ClientError as error:
            if environment.code_of(error) in ("404", "NoSuchKey"):
                return False
            raise
        return True

    def manifest(self) -> Manifest | None:
        text, _ = self.read(MANIFEST)
        return None if text is None else dict(json.loads(text)["packages"])

    def put_manifest(self, manifest: Manifest) -> None:
        self.s3.put_object(
            Bucket=self.name, Key=MANIFEST, Body=json.dumps({"packages": manifest}, indent=2).encode(), ContentType="application/json"
        )

    def record(self) -> Record:
        text, etag = self.read(RECORD)
        told = json.loads(text or "{}")
        return Record(
            moved={name: Move(**move) for name, move in told.get("moved", {}).items()},
            held={name: Hold(**hold) for name, hold in told.get("held", {}).items()},
            etag=etag,
            narrowed=dict(told.get("narrowed", {})),
        )

    def put_record(self, record: Record) -> None:
        """Writes only if the record is unchanged since the read: two people who move aliases at
        once must not overwrite each other's holds."""
        body = {
            "moved": {name: dataclasses.asdict(move) for name, move in sorted(record.moved.items())},
            "held": {name: dataclasses.asdict(hold) for name, hold in sorted(record.held.items())},
            "narrowed": dict(sorted(record.narrowed.items())),
        }
        condition = {"IfMatch": record.etag} if record.etag else {"IfNoneMatch": "*"}
        try:
            put = self.s3.put_object(
                Bucket=self.name, Key=RECORD, Body=json.dumps(body, indent=2).encode(), ContentType="application/json", **condition
            )
        except botocore.exceptions.ClientError as error:
            if environment.code_of(error) in ("PreconditionFailed", "ConditionalRequestConflict", "412", "409"):
                raise Refusal("somebody else has released or rolled back at this moment; look what is live, and try again") from error
            raise
        record.etag = put["ETag"]

    def read(self, key: str) -> tuple[str | None, str | None]:
        try:
            found = self.s3.get_object(Bucket=self.name, Key=key)
        except botocore.exceptions.ClientError as error:
            if environment.code_of(error) == "NoSuchKey":
                return None, None
            if environment.code_of(error) == "NoSuchBucket":
                raise Refusal(f"there is no bucket {self.name}, so nothing is deployed") from error
            raise
        return found["Body"].read().decode(), found["ETag"]


class Aliases:
    """The functions of a deployment, and which version of each is live."""

    def __init__(self, where: Environment) -> None:
        self.prefix = where.prefix
        self.client = where.aws("lambda")

    def function(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def live(self, name: str) -> str | None:
        """The version that the alias points to; none before there is one."""
        try:
            return str(self.client.get_alias(FunctionName=self.function(name), Name=ALIAS)["FunctionVersion"])
        except self.client.exceptions.ResourceNotFoundException:
            return None

    def newest(self, name: str) -> str:
        return self.versions(name)[-1]

    def zip_of(self, name: str, version: str) -> str:
        """The SHA-256, in base64, of the zip that a version was made from."""
        return str(self.configuration(name, version)["CodeSha256"])

    def weights(self, name: str) -> dict[str, float]:
        alias = self.client.get_alias(FunctionName=self.function(name), Name=ALIAS)
        return dict((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})

    def versions(self, name: str) -> list[str]:
        """The published ones, oldest first."""
        pages = self.client.get_paginator("list_versions_by_function").paginate(FunctionName=self.function(name))
        numbers = [version["Version"] for page in pages for version in page["Versions"]]
        return sorted((number for number in numbers if number != "$LATEST"), key=int)

    def named(self, name: str) -> set[str]:
        """The versions that an alias points to, or gives a share of its invocations."""
        pages = self.client.get_paginator("list_aliases").paginate(FunctionName=self.function(name))
        aliases = [alias for page in pages for alias in page["Aliases"]]
        shares = [(alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {} for alias in aliases]
        return {alias["FunctionVersion"] for alias in aliases}.union(*shares)

    def remove(self, name: str, version: str) -> None:
        """Deletes a published version. Lambda refuses it while an alias names the version."""
        self.client.delete_function(FunctionName=self.function(name), Qualifier=version)

    def configuration(self, name: str, version: str) -> dict[str, Any]:
        return dict(self.client.get_function_configuration(FunctionName=self.function(name), Qualifier=version))

    def move(self, name: str, version: str, weights: dict[str, float] | None = None) -> None:
        """Points the alias at a version, and part of its invocations at others. One request, at
        once."""
        routing = {"AdditionalVersionWeights": weights or {}}
        self.client.update_alias(FunctionName=self.function(name), Name=ALIAS, FunctionVersion=version, RoutingConfig=routing)
