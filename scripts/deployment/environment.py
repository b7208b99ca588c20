"""An environment: its name, its tfvars, and the scripts' access to AWS."""

import dataclasses
import functools
import os
import re
from typing import Any

import boto3
import botocore.config
import botocore.exceptions

from deployment import ROOT, Refusal

FOLDER = ROOT / "terraform/environments"

# AWS's refusal.
ClientError = botocore.exceptions.ClientError


@dataclasses.dataclass(frozen=True)
class Environment:
    name: str
    region: str
    protected: bool
    """Whether people's data lives there."""
    public_client: str
    """Whether there is an app client without a secret, and what its tokens open: off, sign-in or api."""
    makes_test_events: bool = True
    """Whether Terraform makes the console's registry of test events, where the account has none."""
    events: bool = False
    """Whether guests' events go to a bus."""
    audit_copy_days: int | None = None
    """For how many days nobody can change the audit's copy; none without a copy."""
    adopted_pool: str | None = None
    """The id of the user pool that was there before; none where Terraform made the pool."""

    @property
    def prefix(self) -> str:
        return f"latchkey-{self.name}"

    @functools.cached_property
    def caller(self) -> dict[str, str]:
        return dict(self.aws("sts").get_caller_identity())

    @property
    def account(self) -> str:
        return self.caller["Account"]

    @property
    def partition(self) -> str:
        """aws, or the name of one of its walled-off parts."""
        return self.caller["Arn"].split(":")[1]

    def aws(self, service: str, region: str | None = None) -> Any:
        """A client of the service, made once."""
        return client(service, region or self.region)


@functools.cache
def client(service: str, region: str) -> Any:
    # A bucket in the host's name needs DNS, and a stand-in on loopback has none.
    s3 = {"addressing_style": "path"} if stands_in("S3") else {}
    return boto3.client(
        service, region_name=region, config=botocore.config.Config(s3=s3, retries={"mode": "standard", "total_max_attempts": 5})
    )


def stands_in(service: str) -> bool:
    """Whether something else than AWS answers for the service (AWS_ENDPOINT_URL, as AWS's SDKs read
    it)."""
    return bool(os.environ.get(f"AWS_ENDPOINT_URL_{service}") or os.environ.get("AWS_ENDPOINT_URL"))


def user_pool(name: str, region: str) -> str:
    """The id of an environment's pool: the adopted one, or the one with the environment's name."""
    return adopted_pool(name) or pool_named(f"latchkey-{name}", region)


def adopted_pool(name: str) -> str | None:
    return load(name).adopted_pool if (FOLDER / f"{name}.tfvars").exists() else None


def pool_named(prefix: str, region: str) -> str:
    pages = client("cognito-idp", region).get_paginator("list_user_pools").paginate(MaxResults=60)
    ids = [str(pool["Id"]) for page in pages for pool in page["UserPools"] if pool["Name"] == prefix]
    if len(ids) != 1:
        raise Refusal(f"{len(ids) or 'no'} user pools are named {prefix}; say which by --user-pool")
    return ids[0]


def load(name: str) -> Environment:
    file = FOLDER / f"{name}.tfvars"
    if not file.exists():
        known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.tfvars")))
        raise Refusal(f"there is no environment {name}; terraform/environments has {known}", status=2)
    text = file.read_text()
    days, adopted = (scalar(text, name) or "null" for name in ("audit_copy_days", "adopted_pool"))
    return Environment(
        name=scalar(text, "environment") or name,
        region=scalar(text, "region") or "",
        protected=scalar(text, "protected") == "true",
        public_client=scalar(text, "public_client") or "off",
        makes_test_events=scalar(text, "console_test_events") in (None, "create"),
        events=re.search(r"^events\s*=(?!\s*null\b)", text, re.MULTILINE) is not None,
        audit_copy_days=None if days == "null" else int(days),
        adopted_pool=None if adopted == "null" else adopted,
    )


def scalar(text: str, name: str) -> str | None:
    """A text, number or boolean at the top of a tfvars file. Values over several lines are for
    Terraform alone."""
    found = re.search(rf'^{name}\s*=\s*"?([^"#\n]*?)"?\s*(#.*)?$', text, re.MULTILINE)
    return found[1].strip() if found else None


def code_of(error: botocore.exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
