"""scripts/guests against the local run. Wants target/debug/auth-local, which cargo test builds."""

import importlib.machinery
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
from typing import Any

import boto3

from deployment.contract import contract

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", SCRIPTS.parent / "target"))
LOADER = importlib.machinery.SourceFileLoader("guests", str(SCRIPTS / "guests"))
SPEC = importlib.util.spec_from_loader("guests", LOADER)
assert SPEC
script: Any = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(script)

ADA = "ada@example.com"


class Guests(unittest.TestCase):
    def setUp(self) -> None:
        process = subprocess.Popen(
            (str(TARGET / "debug/auth-local"), "--port", "0", "--memory", "--json", "--quiet"), stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        assert process.stdout
        self.addCleanup(process.stdout.close)
        self.ready = json.loads(process.stdout.readline())

    def run_script(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SCRIPTS / "guests"), "--api", self.ready["gateway"], *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def does(self, *arguments: str) -> str:
        done = self.run_script(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def finds(self, guest: str) -> dict[str, Any]:
        return dict(json.loads(self.does("find", guest, "--json")))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(self.ready["gateway"] + path, json.dumps(body).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    def control(self, what: str, body: dict[str, Any]) -> None:
        with urllib.request.urlopen(f"{self.ready['gateway']}/_local/{what}", json.dumps(body).encode()) as answer:
            self.assertIn(answer.status, (200, 202))

    def sign_in(self) -> dict[str, Any]:
        urllib.request.urlopen(urllib.request.Request(self.ready["mailbox"], method="DELETE")).close()
        begun = self.post("/auth/otp/initiate", {"email": ADA})
        with urllib.request.urlopen(f"{self.ready['mailbox']}/latest?to={ADA}&wait=5") as mail:
            code = json.load(mail)["code"]
        return self.post("/auth/otp/verify", {"email": ADA, "code": code, "sessionToken": begun["sessionToken"]})

    def test_a_guest_is_found_disabled_enabled_and_signed_out(self) -> None:
        user = self.sign_in()["user"]
        found = self.finds(ADA)
        self.assertEqual(found["user"], user)
        for name in (user["guestId"], user["cognitoSub"]):
            self.assertEqual(self.finds(name)["user"], user)
        table = self.does("find", ADA)
        for said in (user["guestId"], "active", "codes by mail alone", "otp-failure"):
            self.assertIn(said, table)

        self.assertIn("done", self.does("disable", ADA, "--reason", "Ticket 4711"))
        self.assertEqual(self.finds(ADA)["status"], "disabled")
        self.assertEqual(self.finds(ADA)["sessions"], [])
        self.assertEqual(json.loads(self.does("--json", "enable", user["guestId"])), {"done": "enable"})
        self.assertEqual(self.finds(ADA)["status"], "active")
        self.does("sign-out", user["guestId"])
        self.control("bounces", {"to": ADA, "kind": "permanent"})
        self.assertIn("bounced", self.does("find", ADA))
        self.does("clear-limits", ADA)
        self.assertEqual(self.finds(ADA)["undeliverable"]["why"], "bounced")
        self.assertIn("the mark is gone", self.does("clear-limits", ADA, "--mail-works"))
        self.assertNotIn("undeliverable", self.finds(ADA))
        events = json.loads(self.does("activity", ADA, "--json"))["events"]
        types = [each["type"] for each in events]
        self.assertEqual(types[:4], ["limits-cleared", "limits-cleared", "mail-undeliverable", "all-sessions-ended"])
        self.assertEqual(events[0]["by"], "operator")
        self.assertIn("account-disabled", self.does("activity", user["guestId"]))

    def test_a_guest_is_deleted_only_after_a_yes(self) -> None:
        user = self.sign_in()["user"]
        unasked = self.run_script("delete", ADA)
        self.assertEqual(unasked.returncode, 2)
        self.assertIn(f"Delete everything of {user['guestId']}?", unasked.stderr)
        self.assertEqual(self.finds(ADA)["status"], "active")
        self.assertIn("done", self.does("delete", ADA, "--yes", "--reason", "Ticket 4711"))
        self.assertEqual(self.run_script("find", ADA).returncode, 1)

    def test_a_guest_whose_user_was_deleted_is_relinked_to_the_one_of_today(self) -> None:
        user = self.sign_in()["user"]
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": self.ready["region"]}
        cognito = boto3.client("cognito-idp", endpoint_url=self.ready["cognito"], **keys)
        cognito.admin_delete_user(UserPoolId=self.ready["userPoolId"], Username=user["cognitoSub"])
        made = cognito.admin_create_user(
            UserPoolId=self.ready["userPoolId"],
            Username=ADA,
            UserAttributes=[{"Name": "email", "Value": ADA}, {"Name": "email_verified", "Value": "true"}],
            MessageAction="SUPPRESS",
        )
        sub = made["User"]["Username"]
        self.control("clock", {"advanceSeconds": 31})  # until the next code
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.sign_in()
        with refused.exception as answer:
            self.assertEqual(json.load(answer)["code"], "USER_MISMATCH")
        self.assertIn("user-missing", self.does("find", ADA))

        self.assertEqual(self.run_script("relink", ADA).returncode, 2)
        self.assertIn(f"done: relink {user['guestId']}", self.does("relink", ADA, sub, "--reason", "Ticket 4713"))
        self.control("clock", {"advanceSeconds": 31})
        again = self.sign_in()["user"]
        self.assertEqual((again["guestId"], again["cognitoSub"]), (user["guestId"], sub))
        of_another = self.run_script("relink", user["guestId"], user["cognitoSub"])
        self.assertEqual(of_another.returncode, 1)

    def test_every_route_under_admin_is_an_act(self) -> None:
        wanted = {(each.method, each.path) for each in contract().operations if each.path.startswith("/admin/")}
        self.assertEqual(set(script.ROUTES.values()), wanted)
        acts = self.does("--help")
        for act in script.ROUTES:
            self.assertRegex(acts, rf"(?m)^    {act}\b")

    def test_a_refusal_is_a_sentence_and_a_status(self) -> None:
        unknown = self.run_script("disable", "GST-2026-7K3QXB")
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("Not found", unknown.stderr)
        nonsense = self.run_script("disable", "nonsense")
        self.assertIn("guestId must look like", nonsense.stderr)
        elsewhere = self.run_script("--api", "http://api.example.com", "find", ADA)
        self.assertEqual(elsewhere.returncode, 2)


if __name__ == "__main__":
    unittest.main()
