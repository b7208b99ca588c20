"""People of a file, row by row, as an import takes them: addresses proved or not, names, ids of
elsewhere, hashes of passwords, authenticators. The files are CSV, JSON Lines, and the exports of Auth0 and Firebase."""

import base64
import binascii
import csv
import dataclasses
import datetime
import io
import json
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from deployment import password_hashes
from deployment.password_hashes import PasswordHash

# auth-domain's rules for addresses: ASCII, no quotes, a domain of labels whose last is no number.
LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
ADDRESS = re.compile(rf"(?=.{{1,128}}$){LOCAL}@(?:{LABEL}\.)+(?![0-9]+$){LABEL}")
LONGEST_LOCAL = 64
LONGEST_NAME = 100
LONGEST_EXTERNAL_ID = 256
# RFC 4226 asks for 160 bits, and auth-domain keeps no other.
SECRET_LENGTH = 20

FIELDS = ("email", "verified", "name", "created", "externalId", "passwordHash", "totpSecret")
TRUE, FALSE = {"true", "1", "yes"}, {"false", "0", "no", ""}


def is_address(email: str) -> bool:
    """Whether Latchkey takes it."""
    return bool(ADDRESS.fullmatch(email)) and len(email.partition("@")[0]) <= LONGEST_LOCAL


@dataclasses.dataclass(frozen=True, repr=False)
class Person:
    """One row that can be imported. It never prints."""

    line: int
    email: str
    says_proved: bool
    name: str | None
    created: datetime.datetime | None
    external_id: str | None
    password: PasswordHash | None
    has_foreign_password: bool
    """A hash that nothing but its source checks."""
    totp_secret: bytes | None


@dataclasses.dataclass(frozen=True)
class Refused:
    """One row that cannot, and why. It names the line and never the address."""

    line: int
    reason: str


class Row(NamedTuple):
    """One row of a file, before its fields are looked at."""

    line: int
    fields: dict[str, Any]
    has_foreign_password: bool = False


def read(file: pathlib.Path, kind: str) -> Iterator[Person | Refused]:
    """The rows of a file, in its order. An address that comes twice is refused the second time."""
    seen: set[str] = set()
    for row in READERS[kind](file.read_text(encoding="utf-8-sig")):
        try:
            person = parsed(row)
        except ValueError as error:
            yield Refused(row.line, str(error))
            continue
        if person.email in seen:
            yield Refused(row.line, "the address stands in an earlier line")
            continue
        seen.add(person.email)
        yield person


def parsed(row: Row) -> Person:
    """Raises ValueError with a sentence that quotes no input."""
    fields = row.fields
    if unknown := sorted(fields.keys() - set(FIELDS)):
        raise ValueError(f"unknown fields: {', '.join(unknown)}")
    email = text(fields, "email") or ""
    if not is_address(email):
        raise ValueError("the address is none that Latchkey takes")
    name = text(fields, "name")
    if name and (len(name) > LONGEST_NAME or not name.isprintable()):
        raise ValueError(f"the name has more than {LONGEST_NAME} characters, or some that do not print")
    external_id = text(fields, "externalId")
    if external_id and len(external_id) > LONGEST_EXTERNAL_ID:
        raise ValueError(f"externalId has more than {LONGEST_EXTERNAL_ID} characters")
    hashed = text(fields, "passwordHash")
    return Person(
        line=row.line,
        email=email.lower(),
        says_proved=truth(fields.get("verified")),
        name=name,
        created=instant(text(fields, "created")),
        external_id=external_id,
        password=password_hashes.parsed(hashed) if hashed else None,
        has_foreign_password=row.has_foreign_password,
        totp_secret=secret(text(fields, "totpSecret")),
    )


def text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")  # noqa: TRY004, as every row that is refused
    return value.strip() or None


def truth(value: Any) -> bool:
    word = str(value if value is not None else "").strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ValueError("verified is neither true nor false")


def instant(value: str | None) -> datetime.datetime | None:
    if value is None:
        return None
    try:
        read = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise ValueError("created is no time such as 2026-11-21T05:40:50Z") from None
    if read.tzinfo is None:
        raise ValueError("created has no time zone")
    return read.astimezone(datetime.timezone.utc)


def secret(value: str | None) -> bytes | None:
    if value is None:
        return None
    try:
        read = base64.b32decode(value.replace(" ", "").upper() + "=" * (-len(value.replace(" ", "")) % 8))
    except binascii.Error:
        raise ValueError("totpSecret is not base32") from None
    if len(read) != SECRET_LENGTH:
        raise ValueError(f"totpSecret has {len(read)} bytes, and an authenticator of Latchkey's has {SECRET_LENGTH}: leave it out")
    return read


def of_csv(content: str) -> Iterator[Row]:
    rows = csv.DictReader(io.StringIO(content), strict=True)
    for row in rows:
        if None in row or None in row.values():
            yield Row(rows.line_num, {"more or fewer columns than the header": ""})
        else:
            yield Row(rows.line_num, dict(row))


def of_json_lines(content: str) -> Iterator[Row]:
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            yield Row(number, an_object(line))


def an_object(line: str) -> dict[str, Any]:
    try:
        read = json.loads(line)
    except ValueError:
        return {"a line that is no JSON": ""}
    return read if isinstance(read, dict) else {"a line that is no object": ""}


def of_auth0(content: str) -> Iterator[Row]:
    """Auth0's bulk export (JSON Lines), with hashes and factors if its support has added them."""
    for number, user, _ in of_json_lines(content):
        factors = user.get("mfa_factors") or []
        totp: dict[str, Any] = next((factor["totp"] for factor in factors if isinstance(factor, dict) and "totp" in factor), {})
        yield Row(
            number,
            {
                "email": user.get("email"),
                "verified": user.get("email_verified"),
                "name": user.get("name") if user.get("name") != user.get("email") else None,
                "created": user.get("created_at"),
                "externalId": user.get("user_id") or user.get("_id"),
                "passwordHash": user.get("passwordHash"),
                "totpSecret": totp.get("secret"),
            },
        )


def of_firebase(content: str) -> Iterator[Row]:
    """`firebase auth:export users.json`. Its scrypt is Firebase's own, and no other service can
    check it: these people sign in by code."""
    for number, user in enumerate(json.loads(content)["users"], start=1):
        created = user.get("createdAt")
        at = created and datetime.datetime.fromtimestamp(int(created) / 1000, datetime.timezone.utc).isoformat()
        yield Row(
            number,
            {
                "email": user.get("email"),
                "verified": user.get("emailVerified"),
                "name": user.get("displayName"),
                "created": at,
                "externalId": user.get("localId"),
            },
            has_foreign_password=bool(user.get("passwordHash")),
        )


READERS: dict[str, Callable[[str], Iterator[Row]]] = {
    "auth0": of_auth0,
    "csv": of_csv,
    "firebase": of_firebase,
    "jsonl": of_json_lines,
}
