"""The contract, as far as deploying and looking after a deployment needs it."""

import dataclasses
import functools
import re
from collections import Counter
from typing import Any

import yaml

from deployment import ROOT, Refusal

METHODS = ("get", "put", "post", "delete", "patch")
AUTHORIZATIONS = {"cognitoJwt": "JWT", "iam": "AWS_IAM"}


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
    kinds: dict[str, str]
    """Kinds of the functions that no route leads to, by their names."""
    actions: dict[str, frozenset[str]]
    """The IAM actions that each function is granted."""

    @property
    def functions(self) -> list[str]:
        return sorted(self.actions)


@functools.cache
def read(name: str) -> dict[str, Any]:
    """A file beside the contract, or the contract itself: openapi, calls."""
    text = (ROOT / f"shared/auth-api/{name}.yaml").read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def settings() -> dict[str, dict[str, Any]]:
    """The functions' settings from their environment, as the contract describes them."""
    return dict(read("openapi")["x-latchkey-settings"])


def tables() -> dict[str, dict[str, Any]]:
    """The tables among the contract's resources, by the names that grants give them."""
    return {name: resource["table"] for name, resource in read("openapi")["x-latchkey-resources"].items() if "table" in resource}


def needs_by_function() -> dict[str, dict[str, Any]]:
    """x-latchkey of every function, in the contract's order."""
    document = read("openapi")
    routed = {kebab(operation["operationId"]): operation["x-latchkey"] for operation, _, _ in routes(document)}
    return routed | {kebab(name): function for name, function in document["x-latchkey-functions"].items()}


@functools.cache
def calls_by_case() -> dict[tuple[str, str], Counter[str]]:
    """(function, case) => how often it makes each call, in the order of calls.yaml."""
    counted: dict[tuple[str, str], Counter[str]] = {}
    for function, cases in read("calls").items():
        for case, item in cases.items():
            calls = counted[function, case] = Counter[str]()
            for call in item["calls"]:
                times, _, name = call.rpartition(" × ")
                calls[name] += int(times or 1)
    return counted


def routes(document: dict[str, Any]) -> list[tuple[dict[str, Any], str, str]]:
    return [
        (operation, method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


@functools.cache
def contract() -> Contract:
    document = read("openapi")
    return Contract(
        operations=tuple(operation_of(*each, document.get("security", [])) for each in routes(document)),
        kinds={kebab(name): function["kind"] for name, function in document["x-latchkey-functions"].items()},
        actions={name: frozenset(map(iam_action, need["grants"])) for name, need in needs_by_function().items()},
    )


def operation_of(operation: dict[str, Any], method: str, path: str, default: list[Any]) -> Operation:
    security = operation.get("security", default)
    # If a token is optional ({} beside it), there is no authorizer, and the operation checks it.
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
    known = read("openapi")["x-latchkey-resources"]
    if resource not in known:
        raise Refusal(f"the contract grants {grant}, and its x-latchkey-resources does not have {resource}")
    return f"{known[resource]['service']}:{action}"
