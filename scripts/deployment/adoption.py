"""Whether an existing user pool can serve Latchkey: fitting settings, those to change, and those
that cannot change."""

import collections
import dataclasses
import datetime
import enum
from collections.abc import Iterable, Iterator
from typing import Any

from deployment.doctor import pool as checks
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Finding
from deployment.people import LONGEST_NAME, is_address

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


REMEDIES = {
    "default-mail-sender": "verify an identity in SES, leave its sandbox, and set mail_sender before adopting",
    "worded-mails": "set mail_sender before adopting",
    "foreign-trigger": "adopting takes it out: see that nothing needs it",
    "admin-scope": "adopting wires the trigger, once the functions are there",
    "mfa": "adopting turns it off: Latchkey's authenticator takes its place, and people set theirs up anew",
}

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
    yield from ended(deployed.pool)


def point(subject: str, finding: Finding) -> Point:
    if finding.code in FINAL:
        return Point(
            Verdict.CANNOT, subject, finding.sentence, "let Terraform make a new pool, and import the people: --people FILE writes them"
        )
    if subject == "app clients":
        remedy = "delete the client, or set it as shared/auth-api/user-pool.yaml has them: adopting leaves it as it is"
    else:
        remedy = REMEDIES.get(finding.code, "adopting sets it")
    return Point(Verdict.CHANGE, subject, finding.sentence, remedy)


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


def ended(pool: dict[str, Any]) -> Iterator[Point]:
    """Settings that Terraform does not have, and so takes back to Cognito's defaults."""
    tags = sorted(pool.get("UserPoolTags", {}))
    settings = {
        "remembered devices": pool.get("DeviceConfiguration"),
        "threat protection": pool.get("UserPoolAddOns", {}).get("AdvancedSecurityMode", "OFF") != "OFF",
        "the tier Plus": pool.get("UserPoolTier") == "PLUS",
        "invitation mails": pool.get("AdminCreateUserConfig", {}).get("InviteMessageTemplate"),
        f"tags ({', '.join(tags)})": tags,
    }
    if names := [name for name, is_set in settings.items() if is_set]:
        yield Point(Verdict.KNOW, "settings", f"adopting ends these: {', '.join(names)}")


def people(users: Iterator[dict[str, Any]]) -> Iterator[Point]:
    """About the users. Counts, and never a name."""
    seen: collections.Counter[str] = collections.Counter()
    addresses: collections.Counter[str] = collections.Counter()
    for user in users:
        seen["users"] += 1
        attributes = attributes_of(user)
        email = attributes.get("email", "")
        if not is_address(email):
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
        (
            "unproved",
            Verdict.KNOW,
            "have an address that is not proved, and a stranger may have chosen their password",
            "once the pool is adopted, run scripts/adopt-pool with --end-unproved-passwords",
        ),
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


def may_have_a_strangers_password(user: dict[str, Any]) -> bool:
    """Whether somebody may have signed up with another's address. A user of another provider has no
    password here. A temporary one came from an administrator, and opens nothing by itself."""
    return attributes_of(user).get("email_verified") != "true" and user.get("UserStatus") not in (
        "EXTERNAL_PROVIDER",
        "FORCE_CHANGE_PASSWORD",
    )


def rows(users: Iterable[dict[str, Any]]) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Lines for scripts/import-guests, and how many users are left out, by reason. A disabled user
    would be free to sign in, and of two users at one address a person has to choose."""
    left_out: collections.Counter[str] = collections.Counter()
    by_address: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for user in users:
        attributes = attributes_of(user)
        email, name = attributes.get("email", ""), attributes.get("name", "").strip()
        if not is_address(email):
            left_out["without an address that Latchkey takes"] += 1
        elif not user.get("Enabled", True):
            left_out["disabled"] += 1
        else:
            created = user["UserCreateDate"].astimezone(datetime.timezone.utc)
            line = {
                "email": email,
                "verified": attributes.get("email_verified") == "true",
                **({"name": name} if name and len(name) <= LONGEST_NAME and name.isprintable() else {}),
                "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "externalId": attributes["sub"],
            }
            by_address[email.lower()].append(line)
    if doubled := sum(len(lines) for lines in by_address.values() if len(lines) > 1):
        left_out["at an address of several"] = doubled
    return dict(left_out), [lines[0] for lines in by_address.values() if len(lines) == 1]


def attributes_of(user: dict[str, Any]) -> dict[str, str]:
    return {attribute["Name"]: attribute["Value"] for attribute in user.get("Attributes", [])}
