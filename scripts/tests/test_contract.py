"""The contract's content for the scripts that deploy."""

import unittest
from typing import Any

from deployment import Refusal
from deployment.contract import contract, iam_action, operation_of


def authorization(*security: dict[str, list[str]]) -> tuple[str, tuple[str, ...]]:
    described: dict[str, Any] = {
        "operationId": "startAuthorization",
        "security": list(security),
        "x-latchkey": {"throttle": {"ratePerSecond": 1, "burst": 2}},
    }
    operation = operation_of(described, "POST", "/auth/oauth2/authorize", [])
    return operation.authorization, operation.scopes


class Contracts(unittest.TestCase):
    def test_a_route_lets_in_whom_the_contract_names(self) -> None:
        self.assertEqual(authorization(), ("NONE", ()))
        self.assertEqual(authorization({"cognitoJwt": ["latchkey/session"]}), ("JWT", ("latchkey/session",)))
        self.assertEqual(authorization({"iam": []}), ("AWS_IAM", ()))

    def test_a_token_that_may_be_left_out_has_no_authorizer(self) -> None:
        self.assertEqual(authorization({"cognitoJwt": ["latchkey/session"]}, {}), ("NONE", ()))

    def test_a_grant_is_an_action_of_iam(self) -> None:
        self.assertEqual(iam_action("guests:GetItem"), "dynamodb:GetItem")
        self.assertEqual(iam_action("token-vault:GetResourceOauth2Token"), "bedrock-agentcore:GetResourceOauth2Token")
        with self.assertRaisesRegex(Refusal, "x-latchkey-resources does not have strangers"):
            iam_action("strangers:GetItem")

    def test_functions_are_named_after_their_operations(self) -> None:
        self.assertIn("verify-otp", contract().functions)
        self.assertIn("pre-token-generation", contract().functions)


if __name__ == "__main__":
    unittest.main()
