"""Whether an existing user pool can serve Latchkey: fitting settings, those to change, and those
that cannot change."""

import collections
import dataclasses
import enum
import re
from collections.abc import Iterator
from typing import Any

from deployment.doctor import pool as checks
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Finding

# Roughly auth-domain's rules for addresses: an address that it refuses is no user name of
# Latchkey's.
ADDRESS = re.compile(r"^[^@\s]{1,64}@[^@\s]+\.[^@\s]+$")
LONGEST_ADDRESS = 128

# Findings that no change of a pool mends. Cognito fixes these when a pool is made.
FINAL = {"case-sensitive", "user-name"}


class Verdict(enum.Enum):
    FITS = "fits"
    CHANGE = "change"
    """It can be changed, and must be."""
    CANNOT = "cannot"
    """It cannot be changed: a new pool is needed."""
    KNOW = "know"
    """It is no obstacle, but a person should know it."""


@dataclasses.dataclass(frozen=True)
class Point:
    verdict: Verdict
    subject: str
    sentence: str
    remedy: str = ""


LOOKS = (
    ("tier and first factors", checks.first_factors, "codes by mail, passwords and passkeys can sign people in"),
    ("user names", checks.user_names, "the address is the user name, whatever its letter case"),
    ("mail sender", checks.mail_sender, "mails go out through SES"),
    ("access tokens", checks.admin_scope, "the pre-token-generation trigger takes the self-service scope out"),
    ("triggers", checks.triggers, "no function is wired that Latchkey does not know"),
    ("app clients", checks.clients, "every app client keeps the rules"),
)


def points(deployed: Deployed) -> Iterator[Point]:
    """About the pool itself."""
    for subject, look, sentence in LOOKS:
        findings = list(look(deployed))
        if not findings:
            yield Point(Verdict.FITS, subject, sentence)
        for finding in findings:
            yield point(subject, finding)
    yield from required(deployed.pool)
    yield from schema(deployed.pool)


def point(subject: str, finding: Finding) -> Point:
    if finding.code in FINAL:
        return Point(Verdict.CANNOT, subject, finding.sentence, "make a new pool, and import the people (scripts/export-guests reads them)")
    remedies = {
        "default-mail-sender": finding.remedy,
        "foreign-trigger": "take it out, or see that it stops no sign-in",
        "admin-scope": "Terraform wires the trigger with wire_triggers",
        "mfa": "turn it off at a quiet hour: Latchkey's authenticator takes its place, and people set theirs up anew",
    }
    return Point(Verdict.CHANGE, subject, finding.sentence, remedies.get(finding.code, "set it as shared/auth-api/user-pool.yaml has it"))


def required(pool: dict[str, Any]) -> Iterator[Point]:
    names = sorted(
        attribute["Name"] for attribute in pool.get("SchemaAttributes", []) if attribute.get("Required") and attribute["Name"] != "sub"
    )
    others = [name for name in names if name != "email"]
    if others:
        sentence = f"every user must have {', '.join(others)}, and Latchkey makes users with an address alone"
        yield Point(Verdict.CANNOT, "required attributes", sentence, "make a new pool: required attributes stay required")
    else:
        yield Point(Verdict.FITS, "required attributes", "no attribute but the address is demanded")


def schema(pool: dict[str, Any]) -> Iterator[Point]:
    own = sorted(attribute["Name"] for attribute in pool.get("SchemaAttributes", []) if attribute["Name"].startswith(("custom:", "dev:")))
    if own:
        yield Point(Verdict.KNOW, "own attributes", f"{', '.join(own)} stay with the users; Latchkey neither reads nor changes them")


def people(users: Iterator[dict[str, Any]]) -> Iterator[Point]:
    """About the users. Counts, and never a name."""
    seen: collections.Counter[str] = collections.Counter()
    addresses: collections.Counter[str] = collections.Counter()
    for user in users:
        seen["users"] += 1
        attributes = {attribute["Name"]: attribute["Value"] for attribute in user.get("Attributes", [])}
        email = attributes.get("email", "")
        if not ADDRESS.match(email) or len(email) > LONGEST_ADDRESS:
            seen["no address"] += 1
            continue
        addresses[email.lower()] += 1
        seen["unproved"] += attributes.get("email_verified") != "true"
        seen["disabled"] += not user.get("Enabled", True)
        seen[user.get("UserStatus", "")] += 1
    doubled = sum(count for count in addresses.values() if count > 1)
    yield Point(Verdict.KNOW, "users", f"{seen['users']} in all; they become guests when they next sign in, under the sub that they have")
    for name, verdict, sentence, remedy in (
        ("no address", Verdict.CANNOT, "have no address that Latchkey takes, so they cannot sign in", "give each an address, and prove it"),
        ("EXTERNAL_PROVIDER", Verdict.CANNOT, "sign in by another provider, which Latchkey does not offer", "let them sign in by code"),
        ("unproved", Verdict.KNOW, "have an address that is not proved; their first code proves it, and ends the password of before", ""),
        ("FORCE_CHANGE_PASSWORD", Verdict.KNOW, "have a temporary password; they get no code until they change it or reset it", ""),
        ("RESET_REQUIRED", Verdict.KNOW, "must set a new password, by recovery", ""),
        ("UNCONFIRMED", Verdict.KNOW, "never confirmed their registration; a code does that", ""),
        ("disabled", Verdict.KNOW, "are disabled, and stay so", ""),
    ):
        if seen[name]:
            yield Point(verdict, "users", f"{seen[name]} {sentence}", remedy)
    if doubled:
        sentence = f"{doubled} share an address with another user, but for letter case: only one of them would be the guest"
        yield Point(Verdict.CANNOT, "users", sentence, "join them first")
