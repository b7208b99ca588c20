"""People of a file are imported into a local run, and then sign in."""

import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
from typing import Any

import boto3
from local_run import SCRIPTS, LocalRun, totp

from deployment import people

# Hashes of one password, by others' implementations.
PASSWORD = "Correct-Horse-7"
BCRYPT = "$2b$05$abcdefghijklmnopqrstuuprk/rqhgcPTYTHLq52sX1mIsVNYyi5u"
HASHES = {
    "bcrypt": BCRYPT,
    "scrypt": "16384$8$1$000102030405060708090a0b0c0d0e0f$4d763a94ae7f800d409a359cc1a22a7bcda64e295aab852194e8ea1e58422236",
    "argon2id": "$argon2id$v=19$m=4096,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$VuS7cPAd7hhUQyOAqCOgXuYlIlfLPndOJAgBe1KNFyw",
    "pbkdf2": "$pbkdf2-sha256$29000$AAECAwQFBgcICQoLDA0ODw$vmuc48XHwMRdJbxDmr8ofKf/pi8QeiKOiGiI5plzeQY",
}
LOGS_ROLE = ("--logs-role", "arn:aws:iam::000000000000:role/import")
SECRET = base64.b32encode(bytes(range(20))).decode()
FILE = f"""email,verified,name,created,externalId,passwordHash,totpSecret
Ada@example.com,true,Ada,2019-05-04T03:02:01Z,auth0|1,,{SECRET}
eve@example.com,false,Eve,,auth0|2,{BCRYPT},{SECRET}
not an address,true,,,,,
ada@EXAMPLE.com,true,,,,,
mia@example.com,maybe,,,,,
zoe@example.com,true,,,,,SHORT
"""


class Import(LocalRun):
    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def imported(self, content: str, *options: str, name: str = "people.csv") -> dict[str, Any]:
        file = self.folder / name
        file.write_text(content, encoding="utf-8")
        key = ("--sealing-key", "alias/latchkey-local-sealing", "--per-second", "1000")
        ran = self.ran("import-guests", str(file), "--json", *key, *options)
        self.assertEqual(ran.stderr, "")
        return dict(json.loads(ran.stdout))

    def aws(self, service: str, endpoint: str) -> Any:
        return boto3.client(
            service, region_name="eu-west-1", endpoint_url=self.ready[endpoint], aws_access_key_id="LOCAL", aws_secret_access_key="local"
        )

    def users(self) -> list[Any]:
        return list(self.aws("cognito-idp", "cognito").list_users(UserPoolId=self.ready["userPoolId"])["Users"])

    def items(self) -> dict[str, Any]:
        scanned = self.aws("dynamodb", "dynamodb").scan(TableName=self.ready["tables"]["guests"])["Items"]
        return {item["pk"]["S"]: item for item in scanned}

    def test_a_dry_run_names_each_row_by_its_line_and_calls_nothing(self) -> None:
        file = self.folder / "people.csv"
        file.write_text(FILE, encoding="utf-8")
        ran = self.ran("import-guests", str(file), "--dry-run", "--trust-verified")
        self.assertEqual(ran.returncode, 1)
        self.assertNotIn("@", ran.stdout)
        refused = [line for line in ran.stdout.splitlines() if line.startswith("line ")]
        self.assertEqual([line.partition(":")[0] for line in refused], ["line 4", "line 5", "line 6", "line 7"])
        self.assertIn("would be 1 hashes of passwords that are not carried", ran.stdout)
        self.assertIn("1 guests with a user, 1 guests who wait, 4 refused", ran.stdout)
        self.assertEqual(self.users(), [])

    def test_a_proved_person_signs_in_with_the_authenticator_of_before(self) -> None:
        report = self.imported(FILE, "--trust-verified")
        self.assertEqual(len(report["refused"]), 4)
        held = self.signed_in("ada@example.com")
        self.assertTrue(held["mfaRequired"])
        signed_in = self.ask("/auth/mfa/verify", {"sessionToken": held["sessionToken"], "code": totp(SECRET)})
        self.assertEqual(signed_in["user"]["name"], "Ada")
        self.assertEqual(signed_in["user"]["createdAt"], "2019-05-04T03:02:01.000Z")

    def test_an_address_that_is_not_proved_brings_neither_password_nor_authenticator(self) -> None:
        report = self.imported(FILE)
        self.assertEqual(report["counts"]["guests who wait"], 2)
        self.assertEqual(report["counts"]["authenticators of unproved addresses, not carried"], 2)
        self.assertEqual(self.users(), [])
        signed_in = self.signed_in("eve@example.com")
        self.assertEqual(signed_in["user"]["name"], "Eve")
        self.assertNotIn("mfaRequired", signed_in)

    def test_again_and_after_an_interruption_nobody_is_changed_or_doubled(self) -> None:
        pool = {"UserPoolId": self.ready["userPoolId"]}
        attributes = [{"Name": "email", "Value": "ada@example.com"}, {"Name": "email_verified", "Value": "true"}]
        made = self.aws("cognito-idp", "cognito").admin_create_user(
            **pool, Username="ada@example.com", UserAttributes=attributes, MessageAction="SUPPRESS"
        )
        self.assertEqual(self.imported(FILE, "--trust-verified")["counts"]["guests with a user"], 1)
        items = self.items()
        sub = next(attribute["Value"] for attribute in made["User"]["Attributes"] if attribute["Name"] == "sub")
        self.assertIn(f"guest#{sub}", items)
        again = self.imported(FILE, "--trust-verified")
        self.assertEqual(again["counts"]["there already"], 2)
        self.assertEqual(self.items(), items)

    def test_a_user_with_a_password_of_somebody_is_not_taken_for_proved(self) -> None:
        cognito = self.aws("cognito-idp", "cognito")
        user = {"UserPoolId": self.ready["userPoolId"], "Username": "ada@example.com"}
        cognito.admin_create_user(**user, UserAttributes=[{"Name": "email", "Value": "ada@example.com"}], MessageAction="SUPPRESS")
        cognito.admin_set_user_password(**user, Password="a stranger's own words", Permanent=True)
        report = self.imported(FILE, "--trust-verified")
        self.assertIn("a user with a password", report["refused"][0]["reason"])
        self.assertNotIn("guests with a user", report["counts"])

    def test_people_of_a_pool_that_cannot_serve_come_with_their_ids_of_there(self) -> None:
        cognito, file = self.aws("cognito-idp", "cognito"), self.folder / "people.jsonl"
        older = cognito.create_user_pool(PoolName="older", UsernameConfiguration={"CaseSensitive": True})["UserPool"]["Id"]
        attributes = [{"Name": "email", "Value": "Ada@example.com"}, {"Name": "email_verified", "Value": "true"}]
        cognito.admin_create_user(UserPoolId=older, Username="countess", UserAttributes=attributes, MessageAction="SUPPRESS")
        [user] = cognito.list_users(UserPoolId=older)["Users"]
        sub = next(attribute["Value"] for attribute in user["Attributes"] if attribute["Name"] == "sub")
        command = (sys.executable, str(SCRIPTS / "adopt-pool"), older, "--people", str(file))
        ran = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.imported(file.read_text(), "--trust-verified", name="imported.jsonl")
        guest = self.signed_in("ada@example.com")["user"]
        self.assertEqual(self.items()[f"guest#{guest['cognitoSub']}"]["externalId"], {"S": sub})

    def test_exports_of_others_are_read(self) -> None:
        auth0 = {"email": "ada@example.com", "email_verified": True, "user_id": "auth0|1", "created_at": "2019-05-04T03:02:01.000Z"}
        factors = {"passwordHash": BCRYPT, "mfa_factors": [{"totp": {"secret": SECRET}}]}
        (self.folder / "auth0.json").write_text(json.dumps({**auth0, **factors}) + "\n", encoding="utf-8")
        firebase = {"localId": "u1", "email": "eve@example.com", "emailVerified": True, "createdAt": "1556938921000", "passwordHash": "x"}
        (self.folder / "firebase.json").write_text(json.dumps({"users": [firebase, {"localId": "u2"}]}), encoding="utf-8")
        [ada] = people.read(self.folder / "auth0.json", "auth0")
        assert isinstance(ada, people.Person)
        self.assertEqual((ada.says_proved, ada.external_id), (True, "auth0|1"))
        assert ada.password
        self.assertEqual(ada.password.algorithm, "BCRYPT")
        self.assertEqual(ada.totp_secret, bytes(range(20)))
        eve, nobody = people.read(self.folder / "firebase.json", "firebase")
        assert isinstance(eve, people.Person) and isinstance(nobody, people.Refused)
        self.assertEqual((eve.external_id, str(eve.created)), ("u1", "2019-05-04 03:02:01+00:00"))
        self.assertTrue(eve.has_foreign_password and not eve.password, "Firebase's own scrypt")
        report = self.imported((self.folder / "firebase.json").read_text(), "--kind", "firebase", "--trust-verified", *LOGS_ROLE)
        self.assertEqual(report["counts"], {"hashes of passwords that are not carried": 1, "guests with a user": 1})
        self.assertEqual(self.signed_in("eve@example.com")["user"]["email"], "eve@example.com")

    def with_passwords(self, *more: str) -> str:
        rows = [f'{name}@example.com,true,"{hashed}",' for name, hashed in HASHES.items()]
        return "\n".join(["email,verified,passwordHash,totpSecret", *rows, *more])

    def login(self, email: str, password: str = PASSWORD) -> Any:
        return self.ask("/auth/login", {"email": email, "password": password})

    def test_people_keep_their_passwords_by_each_algorithm(self) -> None:
        report = self.imported(self.with_passwords(), "--trust-verified", *LOGS_ROLE)
        self.assertEqual(report, {"counts": {"guests with a user and their password": 4}, "refused": []})
        self.assertEqual(self.ask("/_local/mailbox"), [])
        items = self.items()
        for name in HASHES:
            email = f"{name}@example.com"
            number = items[f"address#{email}"]["guestId"]["S"]
            with self.assertRaises(urllib.error.HTTPError) as wrong:
                self.login(email, "Wrong-Horse-7")
            self.assertEqual(wrong.exception.code, 401)
            self.assertEqual(self.login(email)["user"]["guestId"], number)

    def test_a_password_and_an_authenticator_both_guard_the_account(self) -> None:
        self.imported(self.with_passwords(f"ada@example.com,true,{BCRYPT},{SECRET}"), "--trust-verified", *LOGS_ROLE)
        held = self.login("ada@example.com")
        self.assertTrue(held["mfaRequired"])
        signed_in = self.ask("/auth/mfa/verify", {"sessionToken": held["sessionToken"], "code": totp(SECRET)})
        self.assertEqual(signed_in["user"]["email"], "ada@example.com")

    def test_an_import_that_ended_between_user_and_guest_goes_on(self) -> None:
        content = self.with_passwords()
        self.imported(content, "--trust-verified", *LOGS_ROLE)
        subs = {user["Username"] for user in self.users()}
        self.forget_guests()
        again = self.imported(content, "--trust-verified", *LOGS_ROLE)
        self.assertEqual(again["counts"], {"guests with a user and their password": 4})
        self.assertEqual({user["Username"] for user in self.users()}, subs)
        for name in HASHES:
            self.login(f"{name}@example.com")
        third = self.imported(content, "--trust-verified", *LOGS_ROLE)
        self.assertEqual(third["counts"], {"there already": 4})

    def test_an_import_that_is_killed_goes_on(self) -> None:
        people = 400
        file = self.folder / "many.jsonl"
        rows = ({"email": f"n{number}@example.com", "verified": True, "passwordHash": BCRYPT} for number in range(people))
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        options = ("--trust-verified", *LOGS_ROLE, "--sealing-key", "alias/latchkey-local-sealing", "--per-second", "1000")
        with subprocess.Popen(
            self.command("import-guests", str(file), *options), env=self.environment(), stdout=subprocess.DEVNULL
        ) as first:
            cognito, pool = self.aws("cognito-idp", "cognito"), self.ready["userPoolId"]
            while first.poll() is None and not cognito.list_user_import_jobs(UserPoolId=pool, MaxResults=1)["UserImportJobs"]:
                time.sleep(0.05)
            first.kill()
        report = self.imported(file.read_text(), "--trust-verified", *LOGS_ROLE, name="again.jsonl")
        counts = report["counts"]
        self.assertEqual(counts["guests with a user and their password"] + counts.get("there already", 0), people)
        self.assertEqual(report["refused"], [])
        self.login("n0@example.com")
        self.login(f"n{people - 1}@example.com")

    def forget_guests(self) -> None:
        dynamodb, table = self.aws("dynamodb", "dynamodb"), self.ready["tables"]["guests"]
        for key in self.items():
            dynamodb.delete_item(TableName=table, Key={"pk": {"S": key}})

    def test_an_unproved_address_brings_no_password_and_a_user_without_one_gets_none(self) -> None:
        attributes = [{"Name": "email", "Value": "bcrypt@example.com"}, {"Name": "email_verified", "Value": "true"}]
        self.aws("cognito-idp", "cognito").admin_create_user(
            UserPoolId=self.ready["userPoolId"], Username="bcrypt@example.com", UserAttributes=attributes, MessageAction="SUPPRESS"
        )
        content = self.with_passwords(f"eve@example.com,false,{BCRYPT},")
        report = self.imported(content, "--trust-verified", *LOGS_ROLE)
        self.assertEqual(
            report["counts"],
            {
                "guests with a user and their password": 3,
                "guests with a user who was there without a password, theirs not carried": 1,
                "guests who wait": 1,
                "hashes of passwords that are not carried": 1,
            },
        )
        for email in ("eve@example.com", "bcrypt@example.com"):
            with self.assertRaises(urllib.error.HTTPError):
                self.login(email)
            self.signed_in(email)

    def test_hashes_that_cognito_would_skip_are_named_by_a_dry_run(self) -> None:
        argon2id = HASHES["argon2id"]
        hashes = [
            BCRYPT.replace("$05$", "$13$"),
            BCRYPT.replace("$2b$", "$2x$"),
            BCRYPT[:-1],
            HASHES["scrypt"].replace("16384", "131072"),
            HASHES["scrypt"].replace("16384", "16383"),
            argon2id.replace("t=2", "t=3"),
            argon2id.replace("m=4096", "m=19457"),
            argon2id.replace("$argon2id$", "$argon2i$"),
            HASHES["pbkdf2"].replace("29000", "600001"),
            "5f4dcc3b5aa765d61d8327deb882cf99",
        ]
        rows = [f'n{number}@example.com,true,"{hashed}"' for number, hashed in enumerate(hashes)]
        content = "\n".join(["email,verified,passwordHash", *rows])
        report = self.imported(content, "--dry-run", "--trust-verified", *LOGS_ROLE)
        self.assertEqual([each["line"] for each in report["refused"]], list(range(2, len(hashes) + 2)))
        self.assertEqual(report["counts"], {})
        for each in report["refused"]:
            self.assertTrue(each["reason"].endswith("leave it out"), each)


if __name__ == "__main__":
    unittest.main()
