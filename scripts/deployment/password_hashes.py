"""Hashes of passwords as Cognito's import jobs take them: which algorithm, and whether its form and
costs are among those that Cognito states."""

import base64
import binascii
import dataclasses
import re

# As cognito-local takes imported hashes: 128 bits and more.
SHORTEST, LONGEST = 16, 64
HIGHEST_BCRYPT_COST = 12
HIGHEST_SCRYPT_N = 65_536
HIGHEST_ARGON2_KIB, HIGHEST_ARGON2_PASSES = 19_456, 2
HIGHEST_ITERATIONS = 600_000

BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
SCRYPT = re.compile(r"(\d{1,9})\$8\$1\$([0-9A-Fa-f]+)\$([0-9A-Fa-f]+)")
ARGON2ID = re.compile(r"\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=1\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")
PBKDF2_SHA256 = re.compile(r"\$pbkdf2-sha256\$(\d{1,9})\$([A-Za-z0-9+/.]+)\$([A-Za-z0-9+/.]+)")


@dataclasses.dataclass(frozen=True, repr=False)
class PasswordHash:
    """A hash that an import job takes. It never prints."""

    algorithm: str
    text: str


def parsed(text: str) -> PasswordHash:
    """Raises ValueError with a sentence that quotes nothing."""
    if text.startswith("$2"):
        algorithm, fits = "BCRYPT", is_bcrypt(text)
    elif text.startswith("$argon2id$"):
        algorithm, fits = "ARGON2ID", is_argon2id(text)
    elif text.startswith("$pbkdf2-sha256$"):
        algorithm, fits = "PBKDF2_SHA256", is_pbkdf2(text)
    elif text[:1].isdecimal():
        algorithm, fits = "SCRYPT", is_scrypt(text)
    else:
        raise ValueError("passwordHash is of no algorithm that Cognito takes: leave it out")
    if not fits:
        raise ValueError(f"passwordHash has another form of {algorithm} than Cognito takes, or a higher cost: leave it out")
    return PasswordHash(algorithm, text)


def is_bcrypt(text: str) -> bool:
    read = BCRYPT.fullmatch(text)
    return read is not None and 4 <= int(read[1]) <= HIGHEST_BCRYPT_COST


def is_scrypt(text: str) -> bool:
    read = SCRYPT.fullmatch(text)
    if not read:
        return False
    n, salt, digest = int(read[1]), read[2], read[3]
    return 2 <= n <= HIGHEST_SCRYPT_N and n & (n - 1) == 0 and len(salt) % 2 == 0 and has_length(len(digest) / 2)


def is_argon2id(text: str) -> bool:
    read = ARGON2ID.fullmatch(text)
    if not read:
        return False
    kib, passes = int(read[1]), int(read[2])
    # RFC 9106 asks for 8 bytes of salt and 8 KiB a lane at least.
    return 8 <= kib <= HIGHEST_ARGON2_KIB and 1 <= passes <= HIGHEST_ARGON2_PASSES and size(read[3]) >= 8 and has_length(size(read[4]))


def is_pbkdf2(text: str) -> bool:
    read = PBKDF2_SHA256.fullmatch(text)
    return read is not None and 1 <= int(read[1]) <= HIGHEST_ITERATIONS and size(read[2]) > 0 and has_length(size(read[3]))


def has_length(octets: float) -> bool:
    return SHORTEST <= octets <= LONGEST and octets == int(octets)


def size(text: str) -> int:
    """The bytes that base64 without padding holds; 0 if it is none."""
    try:
        return len(base64.b64decode(text.replace(".", "+") + "=" * (-len(text) % 4), validate=True))
    except binascii.Error:
        return 0
