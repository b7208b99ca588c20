"""A local run for tests of scripts: target/debug/auth-local, which cargo test builds."""

import base64
import hmac
import json
import os
import pathlib
import struct
import subprocess
import sys
import time
import unittest
import urllib.request
from typing import Any

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", SCRIPTS.parent / "target"))


def totp(secret: str, steps: int = 0) -> str:
    """The code of now, or of so many steps later (RFC 6238)."""
    step = struct.pack(">Q", int(time.time()) // 30 + steps)
    tag = hmac.new(base64.b32decode(secret), step, "sha1").digest()
    offset = tag[-1] & 15
    return f"{(struct.unpack('>I', tag[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class LocalRun(unittest.TestCase):
    process: subprocess.Popen[str]
    ready: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        command = (TARGET / "debug/auth-local", "--memory", "--json", "--quiet", "--port", "0")
        cls.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert cls.process.stdout
        cls.ready = json.loads(cls.process.stdout.readline())

    @classmethod
    def tearDownClass(cls) -> None:
        cls.process.terminate()
        cls.process.communicate()

    def setUp(self) -> None:
        self.ask("/_local/reset", {})

    def ask(self, path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.ready["gateway"] + path, data, headers)) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def mailed(self, email: str) -> str:
        return str(self.ask(f"/_local/mailbox/latest?to={email}&wait=5")["code"])

    def signed_in(self, email: str) -> Any:
        begun = self.ask("/auth/otp/initiate", {"email": email})
        proof = {"email": email, "code": self.mailed(email), "sessionToken": begun["sessionToken"]}
        return self.ask("/auth/otp/verify", proof)

    def environment(self) -> dict[str, str]:
        """Of a process that talks to this run."""
        endpoints = {"COGNITO_IDENTITY_PROVIDER": "cognito", "DYNAMODB": "dynamodb", "KMS": "kms"}
        return {
            **os.environ,
            "AWS_ACCESS_KEY_ID": "LOCAL",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            **{f"AWS_ENDPOINT_URL_{name}": self.ready[where] for name, where in endpoints.items()},
        }

    def command(self, script: str, *options: str) -> tuple[str, ...]:
        where = ("--user-pool", self.ready["userPoolId"], "--guests-table", self.ready["tables"]["guests"])
        return (sys.executable, str(SCRIPTS / script), *where, *options)

    def ran(self, script: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = self.command(script, *options)
        return subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
