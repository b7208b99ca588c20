"""A saved plan's changes, and its losses."""

import dataclasses
import difflib
import functools
import json
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from deployment import contract

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
# Of these it sets tags, and changes nothing else.
TAGS = frozenset({"tags", "tags_all"})
CHANGED_BY_A_PERSON = ("aws_cognito_user_pool_domain", "aws_kms_alias", "aws_kms_key")
# It changes the other stack of agents, that of the tools.
IDENTITY_OF_AGENTS = "module.agentcore[0].aws_cloudformation_stack.identity"
# IAM has an action for each of these, and the role has none of them.
OF_A_ROLE = frozenset({"assume_role_policy", "max_session_duration", "permissions_boundary"})
# It deletes the logs of functions, and no others.
LOGS_OF_FUNCTIONS = "module.function["

# The policy of modules/operation. All versions of a function share it.
GRANTS = re.compile(r'module\.function\["(?P<function>[^"]+)"\]\.aws_iam_role_policy\.this')

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
    attributes: frozenset[str] = frozenset()
    """The attributes that change."""
    loses_a_tag: bool = False

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
        if self.verb == "change":
            return self.change_takes_a_person
        if self.kind == "aws_cloudwatch_log_group" and self.verb in ("destroy", "replace"):
            return not self.address.startswith(LOGS_OF_FUNCTIONS)
        return self.verb != "forget" and (self.kind in KEPT or self.kind.startswith(FOR_A_PERSON))

    @property
    def change_takes_a_person(self) -> bool:
        # The role sets tags and removes none.
        if self.loses_a_tag or self.address == IDENTITY_OF_AGENTS:
            return True
        if self.kind == "aws_iam_role":
            return bool(self.attributes & OF_A_ROLE)
        return (self.kind in CHANGED_BY_A_PERSON or self.address in tables_that_only_grow()) and bool(self.attributes - TAGS)


@functools.cache
def tables_that_only_grow() -> frozenset[str]:
    """The tables to which functions only put items: acts of operators."""
    resources = contract.read("openapi")["x-latchkey-resources"]
    growing = [name for name, resource in resources.items() if "table" in resource and resource["actions"] == ["PutItem"]]
    return frozenset(f'module.tables.aws_dynamodb_table.this["{name}"]' for name in growing)


@dataclasses.dataclass(frozen=True)
class Plan:
    file: str
    show: Callable[[], str]
    """Asks Terraform for the plan's text, for which it loads every provider again."""
    changes: tuple[Change, ...]
    outputs_change: bool
    complaints: tuple[str, ...]
    """What the configuration's own checks say about it."""
    narrowed: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """Each function whose role loses an action, or a resource of it, and these actions."""
    unjudged: tuple[str, ...] = ()
    """The functions whose grants Terraform knows only after the apply."""

    @functools.cached_property
    def text(self) -> str:
        return self.show()

    @property
    def empty(self) -> bool:
        return not self.changes and not self.outputs_change

    def changes_function(self, name: str) -> bool:
        return any(change.address == f'module.function["{name}"].aws_lambda_function.this' for change in self.changes)

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


def changed_attributes(change: dict[str, Any]) -> frozenset[str]:
    """Those that differ, and those that are known only after the apply."""
    before, after = change.get("before") or {}, change.get("after") or {}
    unknown = {name for name, is_unknown in (change.get("after_unknown") or {}).items() if is_unknown}
    return frozenset(unknown | {name for name in before | after if before.get(name) != after.get(name)})


def loses_a_tag(change: dict[str, Any]) -> bool:
    before, after = ((change.get(state) or {}).get("tags_all") or {} for state in ("before", "after"))
    is_unknown = (change.get("after_unknown") or {}).get("tags_all") is True
    return not is_unknown and bool(before.keys() - after.keys())


def verb_of(change: dict[str, Any]) -> str | None:
    """None where nothing changes."""
    actions = tuple(change["actions"])
    return (IMPORTED.get(actions) if change.get("importing") else None) or VERBS.get(actions)


def lost_actions(before: str, after: str) -> tuple[str, ...]:
    """The actions that the first policy allows on a resource, under its condition, and the second
    does not. Neither denies anything."""
    left = list(allowed(after))
    return tuple(sorted({one[0] for one in allowed(before) if not any(covers(other, one) for other in left)}))


def allowed(policy: str) -> Iterator[tuple[str, str, Any]]:
    """Each action, with each of its resources, and the condition."""
    for statement in json.loads(policy)["Statement"]:
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                yield action, resource, statement.get("Condition")


def covers(wide: tuple[str, str, Any], narrow: tuple[str, str, Any]) -> bool:
    matches = fnmatchcase(narrow[0].lower(), wide[0].lower()) and fnmatchcase(narrow[1], wide[1])
    return matches and wide[2] in (None, narrow[2])


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def grants(shown: dict[str, Any]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """The functions that lose grants, with the lost actions, and those of which a plan cannot tell.
    A function that goes has no version left that would need one."""
    narrowed, unjudged = {}, []
    for change in shown.get("resource_changes", []):
        function, states = GRANTS.fullmatch(change["address"]), change["change"]
        before, after = states.get("before"), states.get("after")
        if not function or not before or not after:
            continue
        if states.get("after_unknown", {}).get("policy"):
            unjudged.append(function["function"])
        elif lost := lost_actions(before["policy"], after["policy"]):
            narrowed[function["function"]] = lost
    return narrowed, tuple(unjudged)


def read(file: str, show: Callable[[], str], shown: dict[str, Any]) -> Plan:
    """Reads the output of `terraform show -json` for a plan."""
    changes = tuple(
        Change(
            change["address"],
            change["type"],
            verb,
            relying_party(change["change"].get("before")) not in (None, relying_party(change["change"].get("after"))),
            changed_attributes(change["change"]),
            loses_a_tag(change["change"]),
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
    return Plan(file, show, changes, outputs_change, complaints, *grants(shown))
