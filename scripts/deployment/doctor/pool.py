"""The user pool and its app clients: no way to it may bypass Latchkey."""

import base64
import binascii
import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

from deployment import Refusal
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Finding, error, warning

ADMIN_SCOPE = "aws.cognito.signin.user.admin"
SESSION_SCOPE = "latchkey/session"
# Of pre token generation, those that can take a scope out of an access token.
ACCESS_TOKEN_VERSIONS = {"V2_0", "V3_0"}
# Besides USER_AUTH, which is codes and passwords both.
HARMLESS_FLOWS = {"ALLOW_USER_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"}
# The callback addresses of AgentCore's credential providers begin with this, in every region.
AGENTCORE = "https://bedrock-agentcore."
MINUTES = {"seconds": 1 / 60, "minutes": 1, "hours": 60, "days": 1440}


def first_factors(deployed: Deployed) -> Iterator[Finding]:
    pool, name = deployed.pool, deployed.pool["Name"]
    if pool.get("UserPoolTier") == "LITE":
        yield error("tier", name, "the pool is of the tier Lite, which has neither codes by mail nor a say in access tokens")
    factors = pool.get("Policies", {}).get("SignInPolicy", {}).get("AllowedFirstAuthFactors", ["PASSWORD"])
    missing = sorted({"PASSWORD", "EMAIL_OTP", "WEB_AUTHN"} - set(factors))
    if missing:
        yield error("first-factors", name, f"nobody can sign in by {' or '.join(missing)}, because the sign-in policy leaves it out")
    if pool.get("MfaConfiguration", "OFF") != "OFF":
        severe = error if pool["MfaConfiguration"] == "ON" else warning
        yield severe(
            "mfa",
            name,
            f"Cognito's own second factor is {pool['MfaConfiguration']}: a user with one gets no code by mail; Latchkey's authenticator guards both ways in",
        )


def passkeys(deployed: Deployed) -> Iterator[Finding]:
    """Whether the pool makes passkeys for the name that the front end's pages may use."""
    function = deployed.function("setup-passkey") if deployed.where.name else None
    if function is None:
        return
    variables = function.get("Environment", {}).get("Variables", {})
    named = variables.get("PASSKEY_RP_ID", "none")
    wanted = named if named != "none" else urllib.parse.urlsplit(variables.get("FRONTEND_URL", "")).hostname
    configured = deployed.where.aws("cognito-idp").get_user_pool_mfa_config(UserPoolId=deployed.user_pool_id)
    found = configured.get("WebAuthnConfiguration", {}).get("RelyingPartyId")
    if found is None:
        remedy = "give the deployment a domain, or name it in PASSKEY_RP_ID"
        yield warning(
            "relying-party", deployed.pool["Name"], "nobody registers a passkey, because the pool has no name to make them for", remedy
        )
    elif found != wanted:
        yield error(
            "relying-party",
            deployed.pool["Name"],
            f"the pool makes passkeys for {found}, and the front end's pages can use those of {wanted}: nobody signs in by passkey",
            "deploy phase 1; passkeys of another name are lost",
        )


def user_names(deployed: Deployed) -> Iterator[Finding]:
    pool, name = deployed.pool, deployed.pool["Name"]
    only_a_new_pool = "none but a new pool: it cannot be changed"
    if pool.get("UsernameConfiguration", {}).get("CaseSensitive", True):
        yield error("case-sensitive", name, "Ada@example.com and ada@example.com are two users, with a limit each", only_a_new_pool)
    if "email" not in pool.get("UsernameAttributes", []):
        yield error("user-name", name, "the address is not the user name, by which operations look people up", only_a_new_pool)
    if not pool.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly"):
        yield error("self-registration", name, "anybody who knows a client's id can register at Cognito's own endpoint, past every limit")


def safety(deployed: Deployed) -> Iterator[Finding]:
    if deployed.where.protected and deployed.pool.get("DeletionProtection") != "ACTIVE":
        yield error(
            "pool-deletion-protection",
            deployed.pool["Name"],
            "one call deletes the pool, and every user with it, because deletion protection is off",
        )


def mail_sender(deployed: Deployed) -> Iterator[Finding]:
    if deployed.pool.get("EmailConfiguration", {}).get("EmailSendingAccount", "COGNITO_DEFAULT") == "COGNITO_DEFAULT":
        severe = error if deployed.where.protected else warning
        remedy = "verify an identity in SES, leave its sandbox, and set mail_sender"
        yield severe(
            "default-mail-sender",
            deployed.pool["Name"],
            "Cognito's own sender sends fifty mails a day for the whole account, and after the fiftieth nobody can sign in by code",
            remedy,
        )


def admin_scope(deployed: Deployed) -> Iterator[Finding]:
    """The trigger that takes the self-service scope out of access tokens: there, of a version that
    can, callable, and the live one."""
    name, triggers = deployed.pool["Name"], deployed.pool.get("LambdaConfig", {})
    trigger = triggers.get("PreTokenGenerationConfig", {})
    holder = f"so access tokens carry {ADMIN_SCOPE}, and their holder can change password, address and factors at Cognito's own endpoint"
    if not trigger.get("LambdaArn"):
        yield error("admin-scope", name, f"no pre-token-generation trigger is wired, {holder}")
    elif trigger.get("LambdaVersion") not in ACCESS_TOKEN_VERSIONS:
        yield error(
            "admin-scope",
            name,
            f"the pre-token-generation trigger gets events of version {trigger.get('LambdaVersion')}, which cannot change access tokens, {holder}",
        )


def triggers(deployed: Deployed) -> Iterator[Finding]:
    """Each trigger is a live alias that Cognito may call for this pool; a function that hears of
    codes and people is a known one."""
    wired = deployed.pool.get("LambdaConfig", {})
    for kind in sorted(set(wired) - {"CustomMessage", "PreTokenGeneration", "PreTokenGenerationConfig"}):
        yield warning(
            "foreign-trigger",
            deployed.pool["Name"],
            f"a {kind} trigger is wired, which the design does not know, and which sees people's data",
            "find out whose it is",
        )
    worded = wired.get("CustomMessage")
    if worded and deployed.pool.get("EmailConfiguration", {}).get("EmailSendingAccount") != "DEVELOPER":
        yield error(
            "worded-mails",
            deployed.pool["Name"],
            "a CustomMessage trigger is wired, and Cognito's own sender refuses every mail that one has worded, so nobody gets a code",
            "set mail_sender, or take the trigger out",
        )
    arns = {"CustomMessage": worded, "PreTokenGeneration": (wired.get("PreTokenGenerationConfig") or {}).get("LambdaArn")}
    for kind, arn in arns.items():
        if arn and deployed.where.name:
            yield from callable_by_pool(deployed, kind, arn)


def callable_by_pool(deployed: Deployed, kind: str, arn: str) -> Iterator[Finding]:
    awslambda = deployed.where.aws("lambda")
    function, _, qualifier = arn.partition(":function:")[2].partition(":")
    if qualifier != "live":
        yield error(
            "trigger-alias",
            function,
            f"the pool calls {qualifier or 'the newest code'} instead of the alias live, so a roll-back does not reach its {kind} trigger",
        )
    try:
        policy = json.loads(awslambda.get_policy(FunctionName=function, **({"Qualifier": qualifier} if qualifier else {}))["Policy"])
    except awslambda.exceptions.ResourceNotFoundException:
        policy = {"Statement": []}
    allowed = [statement for statement in policy["Statement"] if "cognito-idp.amazonaws.com" in json.dumps(statement.get("Principal"))]
    if not allowed:
        yield error("trigger-permission", function, f"Cognito may not call the {kind} trigger, so every sign-in fails")
    elif not any(deployed.user_pool_id in json.dumps(statement.get("Condition", {})) for statement in allowed):
        yield warning("trigger-permission", function, "every pool of every account may call the trigger, because its permission names none")


def clients(deployed: Deployed) -> Iterator[Finding]:
    for client in deployed.clients:
        yield from secret_of(deployed, client)
        yield from flows_of(client)
        yield from tokens_of(client)
        if not is_agentcores(client):
            yield from rotation_of(client)


def hosted_page(deployed: Deployed) -> Iterator[Finding]:
    """Whether the page on which people consent signs them in by code, and heeds the fresh sign-in
    that each consent asks for."""
    if not any(is_agentcores(client) for client in deployed.clients):
        return
    domain = deployed.hosted_domain
    if domain and domain.get("ManagedLoginVersion") != 2:
        yield error(
            "managed-login",
            domain["Domain"],
            "the pool's own pages are the classic ones, which mail no codes and do not heed prompt=login: "
            "nobody can consent, or consents of signed-in browsers are refused",
            "set managed_login_version to 2, as terraform/modules/agentcore does",
        )


def is_agentcores(client: dict[str, Any]) -> bool:
    """Whether its codes go only to AgentCore, which keeps the tokens in its vault. The API must
    accept none of them."""
    callbacks = client.get("CallbackURLs", [])
    return bool(client.get("ClientSecret")) and bool(callbacks) and all(url.startswith(AGENTCORE) for url in callbacks)


def secret_of(deployed: Deployed, client: dict[str, Any]) -> Iterator[Finding]:
    if client.get("ClientSecret"):
        return
    name = client["ClientName"]
    if deployed.where.public_client == "off":
        yield error(
            "public-client",
            name,
            "the client has no secret, so anyone with its id can call Cognito directly, past Latchkey's limits and second factor",
            "delete it, or set public_client if browsers are meant to",
        )
    elif not deployed.pool.get("LambdaConfig", {}).get("PreTokenGenerationConfig"):
        yield error(
            "public-client",
            name,
            "the client has no secret and no pre-token-generation trigger refuses it to people who have an authenticator, which it steps round",
        )


def flows_of(client: dict[str, Any]) -> Iterator[Finding]:
    name, flows = client["ClientName"], set(client.get("ExplicitAuthFlows", []))
    if client.get("PreventUserExistenceErrors") != "ENABLED":
        yield error("existence-errors", name, "Cognito says whether an address is known, because PreventUserExistenceErrors is off")
    if "ALLOW_USER_AUTH" not in flows:
        yield error("flows", name, "nobody can sign in through the client, which lacks ALLOW_USER_AUTH")
    others = sorted(flows - HARMLESS_FLOWS - {"ALLOW_REFRESH_TOKEN_AUTH"})
    if others:
        yield warning("flows", name, f"sign-in flows are on that no operation uses: {', '.join(others)}")
    if "locale" not in client.get("ReadAttributes", ["locale"]):
        yield warning("locale", name, "the client may not read the attribute locale, so notices are in the deployment's language")
    if ADMIN_SCOPE in client.get("AllowedOAuthScopes", []):
        yield error("admin-scope", name, f"tokens of the hosted pages carry {ADMIN_SCOPE}, with which their holder walks round Latchkey")
    if "implicit" in client.get("AllowedOAuthFlows", []):
        yield error(
            "implicit-flow", name, "tokens are handed out in addresses of pages (the implicit flow), where histories and logs keep them"
        )


def tokens_of(client: dict[str, Any]) -> Iterator[Finding]:
    name = client["ClientName"]
    if not client.get("EnableTokenRevocation"):
        yield error("revocation", name, "signing out ends nothing, because refresh tokens cannot be revoked")
    units = client.get("TokenValidityUnits", {})
    for kind in ("AccessToken", "IdToken"):
        minutes = client.get(f"{kind}Validity", 1) * MINUTES[units.get(kind, "hours")]
        if minutes > 60:
            yield warning("token-lifetime", name, f"an {kind} lasts {minutes:.0f} minutes, and API Gateway takes it until then")
    if client.get("AuthSessionValidity", 3) != 5:
        yield warning(
            "sign-in-lifetime",
            name,
            f"Cognito ends a sign-in after {client.get('AuthSessionValidity', 3)} minutes, and Latchkey promises five",
        )


def rotation_of(client: dict[str, Any]) -> Iterator[Finding]:
    name = client["ClientName"]
    if "ALLOW_REFRESH_TOKEN_AUTH" in client.get("ExplicitAuthFlows", []):
        sentence = "refresh tokens can be used without being rotated, because ALLOW_REFRESH_TOKEN_AUTH is on"
        yield error("refresh-flow", name, sentence)
    rotation = client.get("RefreshTokenRotation", {})
    if rotation.get("Feature") != "ENABLED":
        yield error("rotation", name, "a stolen refresh token goes on working beside its owner's, because rotation is off")
    elif not rotation.get("RetryGracePeriodSeconds"):
        yield warning("rotation-grace", name, "two tabs that refresh at once sign the guest out, because rotation has no grace period")


def access_token(token: str) -> Iterator[Finding]:
    """The claims of a real access token, whatever the settings do."""
    try:
        payload = token.strip().split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        scopes = claims["scope"].split()
    except (IndexError, KeyError, ValueError, binascii.Error) as unreadable:
        raise Refusal("what --token names is no access token: a JWT with a scope") from unreadable
    if ADMIN_SCOPE in scopes:
        yield error(
            "admin-scope",
            "the access token",
            f"it carries {ADMIN_SCOPE}, with which its holder changes password, address and factors at Cognito's own endpoint",
            "wire the pre-token-generation trigger, version V2_0",
        )
    if SESSION_SCOPE not in scopes:
        yield error(
            "session-scope",
            "the access token",
            f"it lacks {SESSION_SCOPE}, without which the API's routes refuse it",
            "wire the pre-token-generation trigger, version V2_0",
        )


CHECKS = (first_factors, passkeys, user_names, safety, mail_sender, admin_scope, triggers, clients, hosted_page)
