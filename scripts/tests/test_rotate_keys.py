"""The app client's secret is renewed under the local run, which still signs people in. Needs
target/debug/auth-local, which cargo test builds."""

import datetime
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import subprocess
import unittest
import urllib.request
from typing import Any

import boto3

from deployment import Refusal

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", SCRIPTS.parent / "target"))
LOADER = importlib.machinery.SourceFileLoader("rotate_keys", str(SCRIPTS / "rotate-keys"))
SPEC = importlib.util.spec_from_loader("rotate_keys", LOADER)
assert SPEC
rotate_keys: Any = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(rotate_keys)

SECRET = "latchkey-local/secrets"
ADA = "ada@example.com"


class ClientSecret(unittest.TestCase):
    def setUp(self) -> None:
        process = subprocess.Popen(
            (str(TARGET / "debug/auth-local"), "--port", "0", "--memory", "--json", "--quiet"), stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        assert process.stdout
        self.addCleanup(process.stdout.close)
        self.ready = json.loads(process.stdout.readline())
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": self.ready["region"]}
        self.cognito = boto3.client("cognito-idp", endpoint_url=self.ready["cognito"], **keys)
        self.manager = boto3.client("secretsmanager", endpoint_url=self.ready["secretsmanager"], **keys)
        self.client = rotate_keys.operations_client(self.cognito, "latchkey-local")
        self.now = datetime.datetime.now(datetime.timezone.utc)

    def renew(self, forget: bool = False) -> str:
        return str(rotate_keys.renew_client_secret(self.cognito, self.manager, SECRET, self.client, forget, self.now))

    def kept(self) -> dict[str, Any]:
        return dict(json.loads(self.manager.get_secret_value(SecretId=SECRET)["SecretString"]))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(self.ready["gateway"] + path, json.dumps(body).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    def sign_in(self) -> dict[str, Any]:
        begun = self.post("/auth/otp/initiate", {"email": ADA})
        with urllib.request.urlopen(f"{self.ready['mailbox']}/latest?to={ADA}&wait=5") as mail:
            code = json.load(mail)["code"]
        return self.post("/auth/otp/verify", {"email": ADA, "code": code, "sessionToken": begun["sessionToken"]})

    def test_everybody_stays_signed_in_through_a_rotation(self) -> None:
        tokens = self.sign_in()
        first = self.kept()
        self.renew()
        second = self.kept()
        self.assertNotEqual(second["clientSecret"], first["clientSecret"])
        self.assertEqual(second["keys"], first["keys"])
        tokens = self.post("/auth/refresh", {"refreshToken": tokens["refreshToken"]})
        with self.assertRaisesRegex(Refusal, "wait until 10 minutes"):
            self.renew()

        self.now += datetime.timedelta(minutes=11)
        self.assertIn("removed", self.renew())
        left = self.cognito.list_user_pool_client_secrets(**self.client)["ClientSecrets"]
        self.assertEqual([each["ClientSecretId"] for each in left], [second["clientSecretId"]])
        # The functions have believed the first one until now.
        self.post("/auth/refresh", {"refreshToken": tokens["refreshToken"]})
        self.sign_in()
        self.assertEqual(self.kept(), second)

    def test_the_client_of_an_adopted_pool_is_found_whatever_the_pool_is_called(self) -> None:
        self.cognito.create_user_pool(PoolName="latchkey-local")
        with self.assertRaisesRegex(Refusal, "2 user pools"):
            rotate_keys.operations_client(self.cognito, "latchkey-local")
        found = rotate_keys.operations_client(self.cognito, "latchkey-local", self.ready["userPoolId"])
        self.assertEqual(found, self.client)

    def test_one_that_leaked_is_removed_at_once(self) -> None:
        self.sign_in()
        self.renew()
        self.renew(forget=True)
        self.assertEqual(len(self.cognito.list_user_pool_client_secrets(**self.client)["ClientSecrets"]), 1)
        self.sign_in()

    def test_a_secret_that_was_made_and_not_handed_on_is_made_anew(self) -> None:
        before = self.kept()
        self.cognito.add_user_pool_client_secret(**self.client)
        self.renew()
        self.assertEqual(self.kept(), before)
        self.assertEqual(len(self.cognito.list_user_pool_client_secrets(**self.client)["ClientSecrets"]), 1)
        self.renew()
        self.sign_in()


if __name__ == "__main__":
    unittest.main()
