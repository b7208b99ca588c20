"""The contract, as far as deploying and looking after a deployment needs it."""

import dataclasses
import functools
import re
from typing import Any

import yaml

from deployment import ROOT, Refusal

METHODS = ("get", "put", "post", "delete", "patch")
AUTHORIZATIONS = {"cognitoJwt": "JWT", "iam": "AWS_IAM"}

# What a grant's first half is in IAM.
SERVICES = {
    "guests": "dynamodb",
    "challenges": "dynamodb",
    "sessions": "dynamodb",
    "user-pool": "cognito-idp",
    "secrets": "secretsmanager",
    "sealing-key": "kms",
    "mail": "ses",
    "workload-identity": "bedrock-agentcore",
    "token-vault": "bedrock-agentcore",
}


@dataclasses.dataclass(frozen=True)
class Operation:
    """A path and method of the contract, and the function behind it."""

    name: str
    method: str
    path: str
    authorization: str
    scopes: tuple[str, ...]
    rate: float
    burst: int

    @property
    def route_key(self) -> str:
        return f"{self.method} {self.path}"


@dataclasses.dataclass(frozen=True)
class Contract:
    operations: tuple[Operation, ...]
    triggers: dict[str, str]
    """Kinds of Cognito's triggers, by their function's name."""
    actions: dict[str, frozenset[str]]
    """The IAM actions that each function is granted."""

    @property
    def functions(self) -> list[str]:
        return sorted(self.actions)


@functools.cache
def contract() -> Contract:
    text = (ROOT / "shared/auth-api/openapi.yaml").read_text()
    document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    found = [
        (operation, method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]
    triggers = {kebab(name): trigger for name, trigger in document["x-latchkey-triggers"].items()}
    needs = {kebab(operation["operationId"]): operation["x-latchkey"] for operation, _, _ in found} | triggers
    return Contract(
        operations=tuple(operation_of(*each, document.get("security", [])) for each in found),
        triggers={name: trigger["kind"] for name, trigger in triggers.items()},
        actions={name: frozenset(map(iam_action, need["grants"])) for name, need in needs.items()},
    )


def operation_of(operation: dict[str, Any], method: str, path: str, default: list[Any]) -> Operation:
    security = operation.get("security", default)
    # Where a token may be left out ({} beside it), there is no authorizer, and the operation looks at it.
    asked = {} if {} in security else security[0] if security else {}
    scheme, scopes = next(iter(asked.items()), (None, []))
    throttle = operation["x-latchkey"]["throttle"]
    return Operation(
        name=kebab(operation["operationId"]),
        method=method,
        path=path,
        authorization=AUTHORIZATIONS[scheme] if scheme else "NONE",
        scopes=tuple(scopes),
        rate=throttle["ratePerSecond"],
        burst=throttle["burst"],
    )


def kebab(name: str) -> str:
    """initiateOtp is initiate-otp everywhere but in the contract."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def iam_action(grant: str) -> str:
    """user-pool:AdminInitiateAuth is cognito-idp:AdminInitiateAuth."""
    resource, action = grant.split(":")
    if resource not in SERVICES:
        raise Refusal(f"the contract grants {grant}, and scripts/deployment/contract.py does not know what service {resource} belongs to")
    return f"{SERVICES[resource]}:{action}"
