"""A saved plan's changes, and its losses."""

import dataclasses
import difflib
from typing import Any

# Resources with content that a new one would lack.
KEPT = {
    "aws_cognito_user_pool": "every user and every session",
    "aws_cognito_user_pool_client": "every session that was begun through it",
    "aws_dynamodb_table": "every item in it",
    "aws_kms_key": "whatever it encrypted",
    "aws_s3_bucket": "the objects in it",
    "aws_secretsmanager_secret": "its keys, and with them device cookies, limits and sealed data",
    "aws_secretsmanager_secret_version": "rotated keys",
    "aws_cloudfront_distribution": "the address that people know",
    "aws_iam_openid_connect_provider": "the way in of every repository of the account",
}

# Replaced on purpose in a rotation; terraform/README.md explains how.
EXPENDABLE = "module.secrets.aws_secretsmanager_secret_version.origin"

# What the role that workflows take cannot do (terraform/modules/deploy-role): making, replacing and
# destroying these, beside what keeps something;
FOR_A_PERSON = (
    "aws_apigatewayv2_api",
    "aws_cloudformation_stack",
    "aws_cloudfront_",
    "aws_cognito_",
    "aws_iam_openid_connect_provider",
    "aws_kms_",
    "aws_wafv2_",
)
# and doing anything to these.
FOR_A_PERSON_ALONE = (
    "aws_acm_",
    "aws_apigatewayv2_api_mapping",
    "aws_apigatewayv2_domain_name",
    "aws_iam_policy",
    "aws_route53_",
    "aws_schemas_registry",
    "aws_ses_",
    "aws_wafv2_api_key",
)

VERBS = {
    ("create",): "make",
    ("update",): "change",
    ("delete",): "destroy",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
}
# Verbs of a resource that comes into the state by its id.
IMPORTED = {("no-op",): "adopt", ("update",): "adopt"}


@dataclasses.dataclass(frozen=True)
class Change:
    address: str
    kind: str
    verb: str
    other_relying_party: bool = False
    """Whether a pool makes passkeys for another name from then on."""

    @property
    def loss(self) -> str | None:
        """The permanent loss."""
        if self.other_relying_party:
            return "every passkey, since each works for one name alone"
        gone = self.verb in ("destroy", "replace") and not self.address.startswith(EXPENDABLE)
        return KEPT.get(self.kind) if gone else None

    @property
    def takes_a_person(self) -> bool:
        """Whether a workflow's role would be refused."""
        if self.address.startswith(
            ("module.audit_copy", "module.deploy_role", "module.events", "module.import_jobs", "module.mail", "module.visitors")
        ) or self.kind.startswith(FOR_A_PERSON_ALONE):
            return self.verb != "forget"
        if (self.kind, self.verb) == ("aws_cognito_user_pool_client", "make"):
            return False
        return self.verb not in ("change", "forget") and (self.kind in KEPT or self.kind.startswith(FOR_A_PERSON))


@dataclasses.dataclass(frozen=True)
class Plan:
    file: str
    text: str
    changes: tuple[Change, ...]
    outputs_change: bool
    complaints: tuple[str, ...]
    """What the configuration's own checks say about it."""

    @property
    def empty(self) -> bool:
        return not self.changes and not self.outputs_change

    def losses(self, allowed: frozenset[str] = frozenset()) -> list[Change]:
        return [change for change in self.changes if change.loss and change.address not in allowed]

    def difference(self, shown: str) -> str:
        """The line-by-line difference between the plan that a reviewer saw and this one; empty if
        they are the same."""
        return "\n".join(difflib.unified_diff(shown.splitlines(), self.text.splitlines(), "shown", "now", n=2, lineterm=""))

    def summary(self) -> str:
        counts = {
            verb: sum(change.verb == verb for change in self.changes)
            for verb in ("adopt", "make", "change", "replace", "destroy", "forget")
        }
        return ", ".join(f"{count} to {verb}" for verb, count in counts.items() if count) or "nothing to change"


def relying_party(pool: dict[str, Any] | None) -> str | None:
    """The domain name of a pool's passkeys; none for a resource without passkeys."""
    for configuration in (pool or {}).get("web_authn_configuration") or []:
        name: str | None = configuration.get("relying_party_id")
        return name
    return None


def verb_of(change: dict[str, Any]) -> str | None:
    """None where nothing changes."""
    actions = tuple(change["actions"])
    return (IMPORTED.get(actions) if change.get("importing") else None) or VERBS.get(actions)


def read(file: str, text: str, shown: dict[str, Any]) -> Plan:
    """Reads the output of `terraform show -json` for a plan."""
    changes = tuple(
        Change(
            change["address"],
            change["type"],
            verb,
            relying_party(change["change"].get("before")) not in (None, relying_party(change["change"].get("after"))),
        )
        for change in shown.get("resource_changes", [])
        if change["mode"] == "managed" and (verb := verb_of(change["change"]))
    )
    outputs_change = any(change["actions"] != ["no-op"] for change in shown.get("output_changes", {}).values())
    complaints = tuple(
        problem["message"]
        for check in shown.get("checks", [])
        if check["address"]["kind"] == "check"
        for instance in check.get("instances", [])
        for problem in instance.get("problems", [])
    )
    return Plan(file, text, changes, outputs_change, complaints)
