"""Existing pools, at the Cognito stand-in: one that fits, and the kinds of older ones. Needs
target/debug/cognito-local, which cargo test builds."""

import datetime
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
from typing import Any

import test_doctor_of_pools as doctor

from deployment import adoption, people


class Pools(unittest.TestCase):
    cognito: Any

    @classmethod
    def setUpClass(cls) -> None:
        doctor.Pools.setUpClass()
        cls.cognito = doctor.Pools.cognito

    @classmethod
    def tearDownClass(cls) -> None:
        doctor.Pools.tearDownClass()

    def made(self, pool: dict[str, Any], client: dict[str, Any] | None = None) -> str:
        pool_id = str(self.cognito.create_user_pool(PoolName="older", **{**doctor.POOL, **pool})["UserPool"]["Id"])
        self.cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="app", **{**doctor.CLIENT, **(client or {})})
        return pool_id

    def said(self, *options: str) -> tuple[int, list[dict[str, str]]]:
        ran = subprocess.run(
            (sys.executable, doctor.SCRIPTS / "adopt-pool", "--json", *options), capture_output=True, text=True, check=False
        )
        self.assertEqual(ran.stderr, "")
        return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()]

    def subjects(self, pool_id: str, verdict: str) -> set[str]:
        return {point["subject"] for point in self.said(pool_id)[1] if point["verdict"] == verdict}

    def test_a_pool_as_terraform_makes_it_fits(self) -> None:
        status, points = self.said(self.made({}))
        self.assertEqual(status, 0, points)
        self.assertEqual({point["verdict"] for point in points}, {"fits", "know"})

    def test_what_can_be_changed_is_told_from_what_cannot(self) -> None:
        factors = {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}}}
        changeable = self.made({**factors, "LambdaConfig": {}, "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"}})
        self.assertEqual(self.said(changeable)[0], 1)
        self.assertEqual(self.subjects(changeable, "change"), {"tier and first factors", "access tokens", "mail sender"})
        older = self.made({"UsernameAttributes": [], "UsernameConfiguration": {"CaseSensitive": True}})
        self.assertEqual(self.said(older)[0], 3)
        self.assertEqual(self.subjects(older, "cannot"), {"user names"})
        name = {"Name": "family_name", "AttributeDataType": "String", "Required": True}
        self.assertEqual(self.subjects(self.made({"Schema": [name]}), "cannot"), {"required attributes"})

    def test_each_change_says_who_makes_it_and_what_adopting_ends_is_told(self) -> None:
        factors = {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}}}
        ended = {"DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True}, "UserPoolTags": {"team": "theirs"}}
        pool_id = self.made({**factors, **ended}, {"PreventUserExistenceErrors": "LEGACY"})
        remedies = {point["subject"]: point["remedy"] for point in self.said(pool_id)[1] if point["verdict"] == "change"}
        self.assertEqual(remedies["tier and first factors"], "adopting sets it")
        self.assertIn("delete the client, or set it", remedies["app clients"])
        known = {point["subject"]: point["sentence"] for point in self.said(pool_id)[1] if point["verdict"] == "know"}
        self.assertEqual(known["settings"], "adopting ends these: remembered devices, tags (team)")

    def test_users_are_counted_and_never_named(self) -> None:
        pool_id = self.made({})
        for name, proved, password in (("ada", "true", None), ("eve", "false", None), ("bob", "true", "Temporary-horse-1")):
            attributes = [{"Name": "email", "Value": f"{name}@example.com"}, {"Name": "email_verified", "Value": proved}]
            temporary = {"TemporaryPassword": password} if password else {}
            self.cognito.admin_create_user(
                UserPoolId=pool_id, Username=f"{name}@example.com", UserAttributes=attributes, MessageAction="SUPPRESS", **temporary
            )
        status, points = self.said(pool_id)
        of_users = " ".join(point["sentence"] for point in points if point["subject"] == "users")
        self.assertEqual(status, 0)
        for sentence in ("3 in all", "1 have an address that is not proved", "1 have a temporary password"):
            self.assertIn(sentence, of_users)
        self.assertNotIn("@", of_users)
        self.assertNotIn("users", {point["subject"] for point in self.said(pool_id, "--no-users")[1]})

    def test_passwords_and_sessions_from_before_the_proof_are_ended_and_no_others(self) -> None:
        pool_id = self.made(
            {"LambdaConfig": {}},
            {
                "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
                "RefreshTokenRotation": {"Feature": "DISABLED"},
                "GenerateSecret": False,
            },
        )
        client = self.cognito.list_user_pool_clients(UserPoolId=pool_id, MaxResults=1)["UserPoolClients"][0]["ClientId"]
        password = "Correct-horse-9"
        for name, proved in (("ada", "true"), ("eve", "false"), ("bob", None), ("new", "false")):
            attributes = [{"Name": "email", "Value": f"{name}@example.com"}]
            attributes += [{"Name": "email_verified", "Value": proved}] if proved else []
            temporary = {"TemporaryPassword": password} if name == "new" else {}
            self.cognito.admin_create_user(
                UserPoolId=pool_id, Username=f"{name}@example.com", UserAttributes=attributes, MessageAction="SUPPRESS", **temporary
            )
            if name != "new":
                self.cognito.admin_set_user_password(UserPoolId=pool_id, Username=f"{name}@example.com", Password=password, Permanent=True)

        def signed_in(name: str, **with_: str) -> dict[str, Any]:
            flow = "REFRESH_TOKEN_AUTH" if with_ else "ADMIN_USER_PASSWORD_AUTH"
            given = with_ or {"USERNAME": f"{name}@example.com", "PASSWORD": password}
            answer = self.cognito.admin_initiate_auth(UserPoolId=pool_id, ClientId=client, AuthFlow=flow, AuthParameters=given)
            return dict(answer)

        def ran(*options: str) -> str:
            command = [sys.executable, str(doctor.SCRIPTS / "adopt-pool"), pool_id, "--end-unproved-passwords", *options]
            return str(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

        tokens = {name: signed_in(name)["AuthenticationResult"]["RefreshToken"] for name in ("ada", "eve", "bob")}
        count = "adopt-pool: passwords and sessions of 2 users whose address is not proved"
        self.assertEqual(ran("--dry-run"), f"{count} would be ended\n")
        signed_in("eve")
        for _ in ("once", "again"):
            self.assertEqual(ran(), f"{count} ended\n")
            for name in ("eve", "bob"):
                for with_ in ({}, {"REFRESH_TOKEN": tokens[name]}):
                    with self.assertRaises(self.cognito.exceptions.NotAuthorizedException):
                        signed_in(name, **with_)
            self.assertIn("AuthenticationResult", signed_in("ada"))
            self.assertIn("AuthenticationResult", signed_in("ada", REFRESH_TOKEN=tokens["ada"]))
            self.assertEqual(signed_in("new")["ChallengeName"], "NEW_PASSWORD_REQUIRED")

    def test_people_of_a_pool_that_cannot_serve_leave_it_in_a_file_for_an_import(self) -> None:
        pool_id = self.made({"UsernameConfiguration": {"CaseSensitive": True}})
        for email, proved, name in (
            ("Ada@example.com", "true", "Ada"),
            ("eve@example.com", "false", None),
            ("Bob@example.com", "true", None),
            ("bob@example.com", "false", None),
            ("off@example.com", "true", None),
        ):
            attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": proved}]
            attributes += [{"Name": "name", "Value": name}] if name else []
            self.cognito.admin_create_user(UserPoolId=pool_id, Username=email, UserAttributes=attributes, MessageAction="SUPPRESS")
        self.cognito.admin_disable_user(UserPoolId=pool_id, Username="off@example.com")
        users = {each["Username"]: each for each in self.cognito.list_users(UserPoolId=pool_id)["Users"]}
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "people.jsonl"

            def wrote() -> subprocess.CompletedProcess[str]:
                command = (sys.executable, doctor.SCRIPTS / "adopt-pool", pool_id, "--people", str(file))
                return subprocess.run(command, capture_output=True, text=True, check=False)

            ran = wrote()
            self.assertEqual((ran.returncode, ran.stderr), (0, ""))
            self.assertEqual(ran.stdout, "adopt-pool: 2 people written; left out: 2 at an address of several, 1 disabled\n")
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
            written = file.read_text()
            lines = {line["externalId"]: line for line in map(json.loads, written.splitlines())}
            self.assertEqual(len(lines), 2)
            eve = next(line for line in lines.values() if line["email"] == "eve@example.com")
            self.assertEqual(eve.keys(), {"email", "verified", "created", "externalId"})
            subs = {attribute["Value"] for user in users.values() for attribute in user["Attributes"] if attribute["Name"] == "sub"}
            self.assertLessEqual(lines.keys(), subs)

            again = wrote()
            self.assertEqual((again.returncode, again.stderr), (2, f"adopt-pool: {file} is there already\n"))
            self.assertEqual(file.read_text(), written)
            command = (sys.executable, doctor.SCRIPTS / "import-guests", str(file), "--dry-run", "--trust-verified", "--json")
            tried = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(json.loads(tried.stdout), {"counts": {"guests with a user": 1, "guests who wait": 1}, "refused": []})

    def test_every_line_of_people_is_one_that_an_import_takes(self) -> None:
        at = datetime.datetime(2024, 2, 3, 4, 5, 6, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))

        def user(sub: str, **attributes: str) -> dict[str, Any]:
            described = [{"Name": name, "Value": value} for name, value in {"sub": sub, **attributes}.items()]
            return {"Attributes": described, "UserCreateDate": at, "Enabled": True}

        left_out, lines = adoption.rows(
            [
                user("1", email="ada@example.com", email_verified="true", name="Ada"),
                user("2", email="eve@example.com", name="E" * 101),
                user("3", email="bob@example.com", name="B\tob", email_verified="TRUE"),
                user("4", phone_number="+15550100"),
                user("5", email="no..dots@example.com"),
            ]
        )
        self.assertEqual(left_out, {"without an address that Latchkey takes": 2})
        self.assertEqual([line.get("name") for line in lines], ["Ada", None, None])
        self.assertEqual(lines[0]["created"], "2024-02-03T03:05:06Z")
        persons = [people.parsed(people.Row(1, line)) for line in lines]
        self.assertEqual([(each.external_id, each.says_proved) for each in persons], [("1", True), ("2", False), ("3", False)])

    def test_a_pool_that_is_not_there_is_said_in_a_sentence(self) -> None:
        ran = subprocess.run(
            (sys.executable, doctor.SCRIPTS / "adopt-pool", "eu-west-1_Nowhere00"), capture_output=True, text=True, check=False
        )
        self.assertEqual((ran.returncode, ran.stderr), (2, "adopt-pool: there is no pool eu-west-1_Nowhere00\n"))


if __name__ == "__main__":
    unittest.main()
