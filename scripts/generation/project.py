"""The project's own figures: the functions' needs and calls, their retries, and their time."""

import dataclasses
import functools
import json
import math
import random
import re
import sys
from collections import Counter
from typing import Any

from deployment import ROOT, contract

# How often each call is made.
Calls = Counter[str]
# As their JSON has them.
Prices = dict[str, Any]
Quotas = dict[str, dict[str, Any]]


@functools.cache
def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@dataclasses.dataclass(frozen=True)
class Needs:
    memory_mb: int
    rate: float
    burst: float
    reads_secrets: bool
    past_edge: bool  # signed by IAM, and so called at the API's own host
    may_fail_to_mail: bool  # answers EMAIL_DELIVERY_FAILED
    floors: frozenset[str]  # settings that hold answers back


@functools.cache
def needs_by_function() -> dict[str, Needs]:
    """Memory, throttle, whether it reads the secret and how it is called, of each function in the
    contract."""
    signed = {operation.name for operation in contract.contract().operations if operation.authorization == "AWS_IAM"}
    mailing = {
        contract.kebab(operation["operationId"])
        for operation, _, _ in contract.routes(contract.read("openapi"))
        if "502" in operation["responses"]
    }
    return {
        name: Needs(
            memory_mb=needs["memoryMb"],
            rate=needs.get("throttle", {}).get("ratePerSecond", math.inf),
            burst=needs.get("throttle", {}).get("burst", math.inf),
            reads_secrets="secrets:GetSecretValue" in needs["grants"],
            past_edge=name in signed,
            may_fail_to_mail=name in mailing,
            floors=frozenset(setting for setting in needs["environment"] if setting.endswith("_FLOOR_MS")),
        )
        for name, needs in contract.needs_by_function().items()
    }


def setting(name: str) -> int:
    """A whole number's default in the contract."""
    return int(contract.settings()[name]["default"])


def number(pattern: str, text: str) -> int:
    """The whole number in a text, at the pattern's group."""
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        sys.exit(f"nothing reads like {pattern}")
    return int(found[1])


# One request of these may name several tables, and calls.yaml lists it once for each.
OF_SEVERAL_TABLES = ("BatchGetItem", "TransactWriteItems")


def requests_of(calls: Calls) -> int:
    """How many requests a case sends. Of those that name several tables, one table is in all of
    them and counts them. A case with two transactions that share no table counts one too few; no
    such case has the fewest or the most requests of its function."""
    requests = 0
    most: Counter[str] = Counter()
    for call, times in calls.items():
        action = call.split(":")[1]
        if action in OF_SEVERAL_TABLES:
            most[action] = max(most[action], times)
        else:
            requests += times
    return requests + most.total()


@dataclasses.dataclass(frozen=True)
class Retry:
    """The AWS SDK's standard mode: full jitter, the wait doubling up to a longest."""

    tries: int
    first_wait: float
    longest_wait: float

    def wait(self, tried: int, rng: random.Random) -> float:
        return rng.random() * min(self.first_wait * 2.0 ** (tried - 1), self.longest_wait)


def our_retry() -> Retry:
    source = read("shared/auth-aws/src/platform.rs")

    def seconds(name: str) -> float:
        return number(rf"const {name}: Duration = Duration::from_millis\((\d+)\)", source) / 1000

    return Retry(number(r"const TRIES: u32 = (\d+);", source), seconds("FIRST_BACKOFF"), seconds("LONGEST_BACKOFF"))


def load(name: str) -> dict[str, Any]:
    return dict(json.loads(read(f"terraform/{name}.json")))


def mails_a_code(operation: str, call: str) -> bool:
    """Whether Cognito mails a code on this call. AdminInitiateAuth may take a password instead, and
    then no answer mentions mails."""
    if call == "user-pool:AdminInitiateAuth":
        return needs_by_function()[operation].may_fail_to_mail
    return call == "user-pool:ForgotPassword"


def codes_mailed(operation: str, calls: Calls) -> int:
    """None or one: of two tries in one invocation, the first is for a user who does not exist. A
    password that was just set signs in."""
    if calls["user-pool:AdminSetUserPassword"]:
        return 0
    return int(any(mails_a_code(operation, call) for call in calls if calls[call]))


def seconds_of(operation: str, call: str, prices: Prices) -> float:
    """How long a call takes, in seconds."""
    resource, action = call.split(":")
    milliseconds: dict[str, float] = prices["milliseconds"]
    if resource == "user-pool":
        kind = "cognito-with-mail" if mails_a_code(operation, call) else "cognito"
    elif resource in ("secrets", "mail", "sealing-key"):
        kind = {"secrets": "secrets", "mail": "ses", "sealing-key": "kms"}[resource]
    elif resource in ("workload-identity", "token-vault"):
        kind = "agentcore"
    else:
        kind = "dynamodb-transaction" if action == "TransactWriteItems" else "dynamodb"
    return milliseconds[kind] / 1000


def floor_of(operation: str, case: str, calls: Calls) -> float:
    """The least time of an answer, in seconds: known and unknown addresses must look alike."""
    floors = needs_by_function()[operation].floors
    if "OTP_RESPONSE_FLOOR_MS" in floors and ("OTP_REFUSAL_FLOOR_MS" not in floors or codes_mailed(operation, calls)):
        return setting("OTP_RESPONSE_FLOOR_MS") / 1000
    return setting("OTP_REFUSAL_FLOOR_MS") / 1000 if "OTP_REFUSAL_FLOOR_MS" in floors and "wrong" in case else 0


def seconds_of_case(operation: str, case: str, calls: Calls, prices: Prices) -> float:
    busy: float = prices["milliseconds"]["own"] / 1000 + sum(times * seconds_of(operation, call, prices) for call, times in calls.items())
    return max(busy, floor_of(operation, case, calls))
