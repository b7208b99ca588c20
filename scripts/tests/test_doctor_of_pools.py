"""The doctor's checks of pools and clients, at the Cognito stand-in, which checks the doctor's
requests by AWS's own model. Each fault is planted once, in an otherwise correct pool. Needs
target/debug/cognito-local, which cargo test builds."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from typing import Any

from deployment.doctor import pool as checked
from deployment.doctor.deployed import Deployed
from deployment.environment import Environment, client

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", SCRIPTS.parent / "target"))
TRIGGER = "arn:aws:lambda:eu-west-1:123456789012:function:latchkey-dev-pre-token-generation:live"
PASSWORD = "Correct-horse-battery-1"

POOL: dict[str, Any] = {
    "UserPoolTier": "ESSENTIALS",
    "UsernameAttributes": ["email"],
    "AutoVerifiedAttributes": ["email"],
    "UsernameConfiguration": {"CaseSensitive": False},
    "MfaConfiguration": "OFF",
    "Policies": {
        "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP", "WEB_AUTHN"]},
        "PasswordPolicy": {"MinimumLength": 12},
    },
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    "EmailConfiguration": {
        "EmailSendingAccount": "DEVELOPER",
        "SourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
        "From": "sign-in@example.com",
    },
    "LambdaConfig": {"PreTokenGenerationConfig": {"LambdaArn": TRIGGER, "LambdaVersion": "V2_0"}},
}
CLIENT: dict[str, Any] = {
    "GenerateSecret": True,
    "ExplicitAuthFlows": ["ALLOW_USER_AUTH"],
    "PreventUserExistenceErrors": "ENABLED",
    "EnableTokenRevocation": True,
    "AuthSessionValidity": 5,
    "AccessTokenValidity": 60,
    "IdTokenValidity": 60,
    "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes"},
    "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10},
}
HOSTED: dict[str, Any] = {
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid"],
    "CallbackURLs": ["https://example.com/"],
    "SupportedIdentityProviders": ["COGNITO"],
}


@dataclasses.dataclass(frozen=True)
class Fault:
    code: str
    pool: dict[str, Any] = dataclasses.field(default_factory=dict)
    client: dict[str, Any] = dataclasses.field(default_factory=dict)


FAULTS = {
    "the tier without codes by mail": Fault("tier", pool={"UserPoolTier": "LITE", "Policies": {"PasswordPolicy": {"MinimumLength": 12}}}),
    "no codes by mail": Fault("first-factors", pool={"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}}}),
    "no passkeys": Fault("first-factors", pool={"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}}),
    "names with letters of two cases": Fault("case-sensitive", pool={"UsernameConfiguration": {"CaseSensitive": True}}),
    "names that are no addresses": Fault("user-name", pool={"UsernameAttributes": []}),
    "registration at Cognito": Fault("self-registration", pool={"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False}}),
    "the default mail sender": Fault("default-mail-sender", pool={"EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"}}),
    "no trigger": Fault("admin-scope", pool={"LambdaConfig": {}}),
    "a client without a secret": Fault("public-client", client={"GenerateSecret": False}),
    "existence errors": Fault("existence-errors", client={"PreventUserExistenceErrors": "LEGACY"}),
    "no revocation": Fault("revocation", client={"EnableTokenRevocation": False}),
    "no rotation": Fault("rotation", client={"RefreshTokenRotation": {"Feature": "DISABLED"}}),
    "rotation without grace": Fault(
        "rotation-grace", client={"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}}
    ),
    "refreshing without rotation": Fault(
        "refresh-flow",
        client={"RefreshTokenRotation": {"Feature": "DISABLED"}, "ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]},
    ),
    "a flow that nobody needs": Fault("flows", client={"ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_USER_PASSWORD_AUTH"]}),
    "no way to sign in": Fault("flows", client={"ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]}),
    "a client that cannot tell the language": Fault("locale", client={"ReadAttributes": ["email", "email_verified", "name"]}),
    "tokens for a day": Fault(
        "token-lifetime", client={"AccessTokenValidity": 24, "TokenValidityUnits": {"AccessToken": "hours", "IdToken": "minutes"}}
    ),
    "the admin scope for the hosted pages": Fault(
        "admin-scope", client={**HOSTED, "AllowedOAuthScopes": ["aws.cognito.signin.user.admin"]}
    ),
    "sign-ins of fifteen minutes": Fault("sign-in-lifetime", client={"AuthSessionValidity": 15}),
}
# Findings that always come together.
COME_TOGETHER = {"refresh-flow": {"rotation"}, "tier": {"first-factors"}}


class Pools(unittest.TestCase):
    cognito: Any
    process: subprocess.Popen[str]
    where = Environment(name="", region="eu-west-1", protected=False, public_client="off")

    @classmethod
    def setUpClass(cls) -> None:
        command = (TARGET / "debug/cognito-local", "--memory", "--port", "0")
        cls.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert cls.process.stdout
        endpoint = cls.process.stdout.readline().split()[-1]
        of_nobody = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
        os.environ.update({**of_nobody, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": endpoint})
        # Clients are cached, and another class's stand-in has ended.
        client.cache_clear()
        cls.cognito = cls.where.aws("cognito-idp")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.process.terminate()
        cls.process.communicate()

    def made(self, pool: dict[str, Any], client: dict[str, Any]) -> tuple[str, str]:
        pool_id = self.cognito.create_user_pool(PoolName="latchkey-test", **{**POOL, **pool})["UserPool"]["Id"]
        made = self.cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="operations", **{**CLIENT, **client})
        return pool_id, made["UserPoolClient"]["ClientId"]

    def codes(self, pool_id: str, **settings: Any) -> set[str]:
        deployed = Deployed(dataclasses.replace(self.where, **settings), pool_id, None, None)
        return {finding.code for check in checked.CHECKS for finding in check(deployed)}

    def said(self, *options: str) -> tuple[int, set[str]]:
        """By the script itself."""
        ran = subprocess.run((sys.executable, SCRIPTS / "doctor", "--json", *options), capture_output=True, text=True, check=False)
        self.assertEqual(ran.stderr, "")
        return ran.returncode, {json.loads(line)["code"] for line in ran.stdout.splitlines()}

    def test_a_pool_as_terraform_makes_it_has_no_fault(self) -> None:
        self.assertEqual(self.said("--user-pool", self.made({}, {})[0]), (0, set()))

    def test_each_fault_is_found_and_no_other(self) -> None:
        for sentence, fault in FAULTS.items():
            with self.subTest(sentence):
                found = self.codes(self.made(fault.pool, fault.client)[0])
                self.assertIn(fault.code, found)
                self.assertLessEqual(found - {fault.code}, COME_TOGETHER.get(fault.code, set()))

    def test_cognitos_own_second_factor_is_found(self) -> None:
        # If Cognito requires a second factor, it accepts no passkey as the first.
        without_passkeys = {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}}
        for wanted, pool, found in (("OPTIONAL", {}, {"mfa"}), ("ON", without_passkeys, {"mfa", "first-factors"})):
            pool_id, _ = self.made(pool, {})
            self.cognito.set_user_pool_mfa_config(
                UserPoolId=pool_id, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration=wanted
            )
            self.assertEqual(self.codes(pool_id), found)

    def test_a_pool_with_people_is_protected_from_deletion(self) -> None:
        self.assertEqual(self.codes(self.made({}, {})[0], protected=True), {"pool-deletion-protection"})
        self.assertEqual(self.codes(self.made({"DeletionProtection": "ACTIVE"}, {})[0], protected=True), set())

    def test_a_browsers_client_is_no_fault_where_it_is_wanted_and_guarded(self) -> None:
        pool_id, _ = self.made({}, {"GenerateSecret": False})
        self.assertEqual(self.codes(pool_id, public_client="sign-in"), set())
        unguarded, _ = self.made({"LambdaConfig": {}}, {"GenerateSecret": False})
        self.assertEqual(self.codes(unguarded, public_client="sign-in"), {"public-client", "admin-scope"})

    def test_a_function_that_tells_without_a_credential_is_foreign(self) -> None:
        asking = {"LambdaConfig": {**POOL["LambdaConfig"], "PreAuthentication": TRIGGER}}
        self.assertEqual(self.codes(self.made(asking, {})[0]), {"foreign-trigger"})

    def test_agentcores_own_client_need_not_rotate_what_stays_in_its_vault(self) -> None:
        plain = {"ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"], "RefreshTokenRotation": {"Feature": "DISABLED"}}
        for callback, codes in (
            ("https://bedrock-agentcore.eu-west-1.amazonaws.com/x", set()),
            ("https://example.com/x", {"refresh-flow", "rotation"}),
        ):
            with self.subTest(callback):
                client = {**plain, **HOSTED, "CallbackURLs": [callback]}
                self.assertEqual(self.codes(self.made({}, client)[0]), codes)

    def test_a_consent_needs_the_pages_that_heed_a_fresh_sign_in(self) -> None:
        callback = "https://bedrock-agentcore.eu-west-1.amazonaws.com/x"
        for version, codes in ((2, set()), (1, {"managed-login"})):
            with self.subTest(version):
                pool_id, _ = self.made({}, {**HOSTED, "CallbackURLs": [callback]})
                self.cognito.create_user_pool_domain(UserPoolId=pool_id, Domain=f"latchkey-{version}", ManagedLoginVersion=version)
                self.assertEqual(self.codes(pool_id), codes)

    def test_the_pages_of_a_pool_without_agents_are_not_asked_for(self) -> None:
        """The deploying role may read a pool's domain only where there are agents."""

        def refused(**_: object) -> None:
            self.fail("the domain was read")

        pool_id, _ = self.made({}, {})
        self.cognito.create_user_pool_domain(UserPoolId=pool_id, Domain="latchkey-theirs", ManagedLoginVersion=1)
        self.cognito.meta.events.register("before-call.cognito-identity-provider.DescribeUserPoolDomain", refused)
        self.addCleanup(self.cognito.meta.events.unregister, "before-call.cognito-identity-provider.DescribeUserPoolDomain", refused)
        self.assertEqual(self.codes(pool_id), set())

    def test_a_token_with_the_admin_scope_is_found(self) -> None:
        """A real token, which Cognito fills by its own rules if no trigger is wired."""
        flows = {"ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"], "GenerateSecret": False}
        pool_id, client_id = self.made({"LambdaConfig": {}}, flows)
        self.cognito.admin_create_user(UserPoolId=pool_id, Username="ada@example.com", MessageAction="SUPPRESS")
        self.cognito.admin_set_user_password(UserPoolId=pool_id, Username="ada@example.com", Password=PASSWORD, Permanent=True)
        signed_in = self.cognito.admin_initiate_auth(
            UserPoolId=pool_id,
            ClientId=client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "ada@example.com", "PASSWORD": PASSWORD},
        )
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(signed_in["AuthenticationResult"]["AccessToken"])
            file.flush()
            told = self.said("--user-pool", self.made({}, {})[0], "--token", file.name)
        self.assertEqual(told, (1, {"admin-scope", "session-scope"}))


if __name__ == "__main__":
    unittest.main()
