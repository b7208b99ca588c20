"""An export of a local run's guests. Wants target/debug/auth-local, which cargo test builds."""

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


PASSWORD = "long enough for anybody"


def totp(secret: str) -> str:
    """The code of now (RFC 6238)."""
    step = struct.pack(">Q", int(time.time()) // 30)
    tag = hmac.new(base64.b32decode(secret), step, "sha1").digest()
    offset = tag[-1] & 15
    return f"{(struct.unpack('>I', tag[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Export(unittest.TestCase):
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

    def ask(self, path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.ready["gateway"] + path, data, headers)) as answer:
            return json.load(answer)

    def mailed(self, email: str) -> str:
        return str(self.ask(f"/_local/mailbox/latest?to={email}&wait=5")["code"])

    def signed_in(self, email: str) -> Any:
        begun = self.ask("/auth/otp/initiate", {"email": email})
        proof = {"email": email, "code": self.mailed(email), "sessionToken": begun["sessionToken"]}
        return self.ask("/auth/otp/verify", proof)

    def exported(self, *options: str) -> tuple[list[dict[str, Any]], str]:
        endpoints = {
            "COGNITO_IDENTITY_PROVIDER": self.ready["cognito"],
            "DYNAMODB": self.ready["dynamodb"],
            "KMS": self.ready["kms"],
        }
        credentials = {"AWS_ACCESS_KEY_ID": "LOCAL", "AWS_SECRET_ACCESS_KEY": "local", "AWS_EC2_METADATA_DISABLED": "true"}
        where = ("--user-pool", self.ready["userPoolId"], "--guests-table", self.ready["tables"]["guests"])
        ran = subprocess.run(
            (sys.executable, SCRIPTS / "export-guests", *where, *options),
            env={**os.environ, **credentials, **{f"AWS_ENDPOINT_URL_{name}": url for name, url in endpoints.items()}},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return [json.loads(line) for line in ran.stdout.splitlines()], ran.stderr

    def test_everybody_is_exported_whole_and_without_what_functions_alone_need(self) -> None:
        guest = self.signed_in("ada@example.com")["user"]
        self.ask("/auth/otp/initiate", {"email": "eve@example.com"})
        lines, said = self.exported()
        by_email = {line["user"]["attributes"]["email"]: line for line in lines}
        ada, eve = by_email["ada@example.com"], by_email["eve@example.com"]
        self.assertEqual(ada["guest"]["guestId"], guest["guestId"])
        self.assertEqual(ada["guest"]["cognitoSub"], ada["user"]["attributes"]["sub"])
        self.assertEqual(ada["passkeys"], [])
        self.assertNotIn("guest", eve)
        self.assertFalse({"pk", "registration", "authenticatorKeys"} & ada["guest"].keys())
        self.assertRegex(said, r"\d users and \d guests; no hash of a password leaves Cognito")
        self.assertNotIn("@", said)

    def test_an_authenticator_leaves_only_where_that_is_asked_for(self) -> None:
        email = "mia@example.com"
        begun = self.ask("/auth/register", {"email": email, "password": PASSWORD})
        confirmed = {"sessionToken": begun["sessionToken"], "code": self.mailed(email)}
        token = self.ask("/auth/register/confirm", confirmed)["accessToken"]
        secret = self.ask("/auth/mfa/setup", {"password": PASSWORD}, token)["secret"]
        self.ask("/auth/mfa/setup/verify", {"code": totp(secret)}, token)
        for options, wanted in (((), None), (("--authenticators",), secret)):
            line = next(line for line in self.exported(*options)[0] if line.get("user", {}).get("attributes", {}).get("email") == email)
            self.assertEqual(line["authenticator"].get("totpSecret"), wanted)


if __name__ == "__main__":
    unittest.main()
