"""Terraform, run for one environment: the place of its state, plans, applies, outputs."""

import contextlib
import functools
import itertools
import json
import os
import pathlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

import botocore.exceptions

from deployment import ROOT, Refusal, environment
from deployment import plan as plans
from deployment.environment import Environment

FOLDER = ROOT / "terraform"
# Locks by an object beside the state (conditional writes of S3), without a table of their own, came
# with this version.
LOCKS_IN_BUCKET = (1, 10)


class Terraform:
    def __init__(self, where: Environment, state_bucket: str | None) -> None:
        self.where = where
        self.state_bucket = state_bucket or f"latchkey-terraform-{where.account}"
        data = os.environ.get("TF_DATA_DIR") or str(ROOT / "target/deploy" / where.name / "terraform")
        # Terraform asks no questions, and suggests no command that bypasses the script.
        self.environment = {**os.environ, "TF_DATA_DIR": data, "TF_INPUT": "0", "TF_IN_AUTOMATION": "1"}
        pathlib.Path(data).mkdir(mode=0o700, parents=True, exist_ok=True)

    def run(self, command: str, *arguments: str) -> str:
        """Its output, which a failure shows."""
        with self.started(command, *arguments) as process:
            output, _ = process.communicate()
        if process.returncode != 0:
            print(output, flush=True)
            raise Refusal(f"terraform {command} failed")
        return output

    def started(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        whole = ("terraform", f"-chdir={FOLDER}", command, *arguments)
        try:
            return subprocess.Popen(whole, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except FileNotFoundError:
            raise Refusal("terraform is not installed") from None

    # The state.

    def backend(self) -> pathlib.Path:
        return FOLDER / "environments" / f"{self.where.name}.s3.tfbackend"

    def init(self) -> None:
        # Providers run with the credentials, so only those that the lock file in the repository
        # pins by content may run.
        options = ["-lockfile=readonly", f"-backend-config={self.backend()}", f"-backend-config=bucket={self.state_bucket}"]
        if environment.stands_in("S3"):
            options.append("-backend-config=use_path_style=true")
        if version() >= LOCKS_IN_BUCKET:
            options.append("-backend-config=use_lockfile=true")
        else:
            print("   NOTE: Terraform before 1.10 does not lock the state: do not deploy twice at the same time", flush=True)
        self.run("init", "-no-color", "-reconfigure", *options)

    def has_state_bucket(self) -> bool:
        """Whether the bucket is there, and ours: its name can be guessed, and a stranger's would be
        handed the state."""
        try:
            self.s3.head_bucket(Bucket=self.state_bucket, ExpectedBucketOwner=self.where.account)
        except botocore.exceptions.ClientError as error:
            if environment.code_of(error) in ("404", "NoSuchBucket"):
                return False
            if environment.code_of(error) in ("403", "AccessDenied"):
                raise Refusal(
                    f"the bucket {self.state_bucket} belongs to somebody else, or is closed to you; name another one with --state-bucket"
                ) from error
            raise
        return True

    def make_state_bucket(self) -> None:
        """Encrypted, versioned, private, and only over TLS: a state contains the app client's
        secret."""
        bucket, region = self.state_bucket, self.state_region
        try:
            self.s3.create_bucket(
                Bucket=bucket, **({} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}})
            )
        except botocore.exceptions.ClientError as error:
            raise Refusal(
                f"the bucket for Terraform's state, {bucket}, is not there and could not be made ({environment.code_of(error)}); a person makes it by a first deployment"
            ) from error
        closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
        self.s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)
        self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]}
        self.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=encryption)
        self.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(only_over_tls(f"arn:{self.where.partition}:s3:::{bucket}")))

    @functools.cached_property
    def state_region(self) -> str:
        return environment.scalar(self.backend().read_text(), "region") or self.where.region

    @property
    def s3(self) -> Any:
        return self.where.aws("s3", self.state_region)

    @functools.cached_property
    def made(self) -> list[dict[str, Any]]:
        """The resources in the state, until this changes them."""
        return made(self.run("state", "pull"))

    def modules(self) -> set[str]:
        """The names of the modules that have something in the state; of the root, an empty one."""
        return {resource.get("module", "").removeprefix("module.").partition("[")[0] for resource in self.made}

    def has_made(self, kind: str) -> bool:
        return any(resource["type"] == kind for resource in self.made)

    def pool(self) -> dict[str, Any] | None:
        """The user pool as the state has it."""
        found = [resource for resource in self.made if resource["type"] == "aws_cognito_user_pool"]
        return next((dict(instance["attributes"]) for pool in found for instance in pool["instances"]), None)

    def neighbours(self) -> list[str]:
        """The other environments that have something and whose states are beside this one's."""
        key = environment.scalar(self.backend().read_text(), "key") or ""
        folder = key.rpartition("/")[0] + "/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.state_bucket, Prefix=folder)
        keys = [state["Key"] for page in pages for state in page.get("Contents", []) if state["Key"].endswith(".tfstate")]
        states = {other: self.s3.get_object(Bucket=self.state_bucket, Key=other)["Body"].read() for other in keys if other != key}
        return [other.removeprefix(folder).removesuffix(".tfstate") for other, state in states.items() if made(state)]

    def forget(self, beginnings: tuple[str, ...]) -> list[str]:
        """Removes the resources whose address begins like this, with its modules or without, from
        the state, but does not destroy them."""
        addresses = self.run("state", "list").splitlines()
        there = [one for one in addresses if one.startswith(beginnings) or re.sub(r"module\.[^.]+\.", "", one).startswith(beginnings)]
        if there:
            self.__dict__.pop("made", None)
            self.run("state", "rm", *there)
        return there

    def has_functions(self) -> bool:
        """Whether the deployment has gone past its base, be it half-way."""
        return not {"function", "http_api", "edge"}.isdisjoint(self.modules())

    def outputs(self) -> dict[str, Any]:
        return {name: output["value"] for name, output in json.loads(self.run("output", "-json")).items()}

    # Plans.

    @contextlib.contextmanager
    def plan(self, variables: dict[str, Any], *options: str) -> Iterator[plans.Plan]:
        """A saved plan. It contains secrets, and is deleted when the block ends."""
        with tempfile.TemporaryDirectory(prefix="latchkey-") as folder:
            given, saved = pathlib.Path(folder, "given.tfvars.json"), str(pathlib.Path(folder, "plan"))
            given.write_text(json.dumps(variables))
            self.run(
                "plan", "-no-color", f"-out={saved}", f"-var-file=environments/{self.where.name}.tfvars", f"-var-file={given}", *options
            )
            shown = json.loads(self.run("show", "-json", saved))
            yield plans.read(saved, lambda: self.run("show", "-no-color", saved), shown)

    def apply(self, planned: plans.Plan) -> None:
        """Shows Terraform's output, except its outputs, which callers ask for."""
        self.__dict__.pop("made", None)
        with self.started("apply", "-no-color", planned.file) as process:
            assert process.stdout
            for line in itertools.takewhile(lambda line: line != "Outputs:\n", process.stdout):
                print(line, end="", flush=True)
            process.communicate()
        if process.returncode != 0:
            raise Refusal("terraform apply failed")


def made(state: str | bytes) -> list[dict[str, Any]]:
    """The resources of Terraform, by the text of a state."""
    return [resource for resource in json.loads(state or "{}").get("resources", []) if resource["mode"] == "managed"]


@functools.cache
def version() -> tuple[int, ...]:
    try:
        told = subprocess.run(("terraform", "version", "-json"), stdout=subprocess.PIPE, text=True, check=True).stdout
    except FileNotFoundError:
        raise Refusal("terraform is not installed") from None
    return tuple(int(part) for part in re.findall(r"\d+", json.loads(told)["terraform_version"])[:2])


def only_over_tls(arn: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyOverTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
