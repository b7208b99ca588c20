"""How long it takes to import many people with their passwords, and what a first sign-in then
takes."""

import hashlib
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "import-guests"

PASSWORD = "Correct-Horse-7"
SALT = bytes(range(16))
# One hash for everybody, at the costs of other services or, for the last two, the highest that
# Cognito takes. An import computes none of them.
HASHES = {
    "no hash": "",
    "bcrypt, cost 10": "$2b$10$abcdefghijklmnopqrstuuPiS4iUBT88yFvUSk/tP0Mi6eDKfUO/S",
    "scrypt, N 16,384": f"16384$8$1${SALT.hex()}${hashlib.scrypt(PASSWORD.encode(), salt=SALT, n=16384, r=8, p=1, dklen=32).hex()}",
    "Argon2id, 19 MiB, t 2": "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$/t+s6cVh2XO+tmKyfnxoZUVS7b8xDlXRDuL5ilg455w",
    "PBKDF2-SHA256, 600,000": "$pbkdf2-sha256$600000$AAECAwQFBgcICQoLDA0ODw$yeSgC/vstk0jCsO.16MkqX3XEdGZQbAbrjPoHTog8iA",
}
TRIES = 5
ENDPOINTS = {"COGNITO_IDENTITY_PROVIDER": "cognito", "DYNAMODB": "dynamodb", "KMS": "kms"}


def rows(folder: pathlib.Path, people: int, sample: int, world: Callable[[], AbstractContextManager[Any]]) -> Iterator[tuple[str, ...]]:
    """A row for each kind of hash, each in a world of its own."""
    for what, hashed in HASHES.items():
        file = folder / "people.jsonl"
        row = {"verified": True, "passwordHash": hashed}
        file.write_text("".join(json.dumps({"email": f"n{number}@example.com", **row}) + "\n" for number in range(people)))
        with world() as ready:
            first, counts = imported(file, ready)
            again, counts_again = imported(file, ready)
            assert sum(counts.values()) == people and counts_again == {"there already": people}, (counts, counts_again)
            if hashed:
                times = [signed_in_ms(f"n{number}@example.com", ready) for number in range(0, people, people // sample)]
                sign_in = (f"{statistics.median(times):.0f}", f"{max(times):.0f}")
            else:
                sign_in = ("", "")
        yield (what, f"{first:.0f}", f"{people / first:.0f}", f"{again:.0f}", *sign_in)


def imported(file: pathlib.Path, ready: dict[str, Any]) -> tuple[float, dict[str, int]]:
    """Seconds of an import, and the counts of its report."""
    where = (
        "--user-pool",
        ready["userPoolId"],
        "--guests-table",
        ready["tables"]["guests"],
        "--sealing-key",
        "alias/latchkey-local-sealing",
    )
    how = ("--trust-verified", "--logs-role", "arn:aws:iam::000000000000:role/import", "--per-second", "1000000", "--json")
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "LOCAL",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        **{f"AWS_ENDPOINT_URL_{name}": ready[service] for name, service in ENDPOINTS.items()},
    }
    started = time.perf_counter()
    command = (sys.executable, SCRIPT, str(file), *where, *how)
    # What it complains of goes to the terminal.
    ran = subprocess.run(command, env=environment, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    return time.perf_counter() - started, json.loads(ran.stdout)["counts"]


def signed_in_ms(email: str, ready: dict[str, Any]) -> float:
    """How long a person waits, with the tries that a stand-in on a busy machine is too late for;
    infinite where it is too late for all of them."""
    body = json.dumps({"email": email, "password": PASSWORD}).encode()
    request = urllib.request.Request(ready["gateway"] + "/auth/login", body, {"content-type": "application/json"})
    started = time.perf_counter()
    for _ in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                answer.read()
            return (time.perf_counter() - started) * 1000
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
    return math.inf
