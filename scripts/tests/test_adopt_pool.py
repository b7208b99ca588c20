"""Existing pools, at the Cognito stand-in: one that fits, and the kinds of older ones. Needs
target/debug/cognito-local, which cargo test builds."""

import json
import subprocess
import sys
import unittest
from typing import Any

import test_doctor_of_pools as doctor


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

    def test_a_pool_that_is_not_there_is_said_in_a_sentence(self) -> None:
        ran = subprocess.run(
            (sys.executable, doctor.SCRIPTS / "adopt-pool", "eu-west-1_Nowhere00"), capture_output=True, text=True, check=False
        )
        self.assertEqual((ran.returncode, ran.stderr), (2, "adopt-pool: there is no pool eu-west-1_Nowhere00\n"))


if __name__ == "__main__":
    unittest.main()
