"""An export of a local run's guests."""

import json
import unittest
from typing import Any

from local_run import LocalRun, totp

PASSWORD = "long enough for anybody"


class Export(LocalRun):
    def exported(self, *options: str) -> tuple[list[dict[str, Any]], str]:
        ran = self.ran("export-guests", *options)
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
        self.assertEqual(said, "export-guests: 2 users and 1 guests; no hash of a password leaves Cognito\n")

    def test_an_authenticator_leaves_only_where_that_is_asked_for(self) -> None:
        email = "mia@example.com"
        begun = self.ask("/auth/register", {"email": email, "password": PASSWORD})
        confirmed = {"sessionToken": begun["sessionToken"], "code": self.mailed(email)}
        token = self.ask("/auth/register/confirm", confirmed)["accessToken"]
        secret = self.ask("/auth/mfa/setup", {"password": PASSWORD}, token)["secret"]
        self.ask("/auth/mfa/setup/verify", {"code": totp(secret)}, token)
        for options, wanted in (((), None), (("--authenticators",), secret)):
            line = next(line for line in self.exported(*options)[0] if line["user"]["attributes"]["email"] == email)
            self.assertEqual(line["authenticator"].get("totpSecret"), wanted)


if __name__ == "__main__":
    unittest.main()
