"""The documents' copies of the contract: operations, settings, tables and the functions that use
them."""

import textwrap
from collections.abc import Callable
from typing import Any

from deployment import contract
from deployment.contract import calls_by_case
from generation import filled, table
from generation.project import requests_of

CALLERS = {
    "pre-authentication": "Cognito, when a sign-in begins",
    "pre-token-generation": "Cognito, before tokens are made",
    "custom-message": "Cognito, before a mail is sent",
    "schedule": "the clock, every {everyMinutes} minutes",
    "authorizer": "a team's own API",
    "mail-feedback": "SES, when a mail bounces or is complained of",
}
COUNTED = ("attempts", "mails", "requests", "users")
TIMES = ("seconds", "hours", "days")
# What ends after the time of a setting; nothing for a pause.
ENDS = {
    "REFRESH_TOKEN_DAYS": "a session: its refresh tokens, counted from the sign-in, and the cookie that keeps one",
    "REFRESH_GRACE_SECONDS": "a refresh token that was exchanged",
    "OTP_LIFETIME_SECONDS": "a sign-in until the right code or passkey; a registration's code; a fresh proof that was asked for",
    "OTP_RESEND_SECONDS": None,
    "MFA_LIFETIME_SECONDS": "a sign-in between its factors",
    "MFA_SETUP_SECONDS": "an authenticator's set-up, and a sign-in that waits for a set-up",
    "ADDRESS_CODE_SECONDS": "a code for another address",
    "RESET_WINDOW_SECONDS": "a code for a new password",
    "DEVICE_COOKIE_DAYS": "a device cookie",
    "REMEMBER_DEVICE_DAYS": "a browser's leave to skip the second factor",
    "FACTOR_RESET_DELAY_HOURS": "the delay of an operator's reset of second factors",
    "AUTHORIZATION_LIFETIME_SECONDS": "an authorization and its start link, until the person consents",
    "CONSENT_LIFETIME_SECONDS": "an agent's access to a completed authorization",
    "WORKLOAD_TOKEN_SECONDS": "a workload token, as long as it is handed out",
    "ACTIVITY_DAYS": "an event in a guest's activity",
    "UNPROVED_USER_HOURS": "an unproved user",
}
READS = ("BatchGetItem", "GetItem", "Query")
# A transaction checks an item by it, and neither returns nor changes it.
CHECKS = ("ConditionCheckItem",)


def operations_text() -> str:
    """The functions: routes in the contract's order, then those that no route leads to."""
    document = contract.read("openapi")
    rows = [
        [
            f"[{operation.name}](crates/{operation.name})",
            f"{operation.method} {operation.path}",
            callers_of(operation.path, document["paths"][operation.path][operation.method.lower()]["security"]),
            calls_of(operation.name),
        ]
        for operation in contract.contract().operations
    ]
    for name, function in document["x-latchkey-functions"].items():
        name = contract.kebab(name)
        rows.append([f"[{name}](crates/{name})", "", CALLERS[function["kind"]].format(**function), calls_of(name)])
    return table(["function", "route", "who calls", "AWS calls"], rows)


def callers_of(path: str, security: list[dict[str, list[str]]]) -> str:
    """Who can call a route, by the alternatives of its security."""
    match [next(iter(alternative), None) for alternative in security]:
        case []:
            return "anyone, within limits"
        case ["cognitoJwt"]:
            return "the signed-in guest"
        case ["cognitoJwt", None]:
            return "the signed-in guest, or anyone, within limits"
        case ["iam"]:
            return "operators, signed for IAM" if path.startswith("/admin/") else "agents, signed for IAM"
        case other:
            raise ValueError(f"no words for the security {other}")


def calls_of(function: str) -> str:
    """How many requests its cases send, from the fewest to the most."""
    counts = [requests_of(calls) for (name, _), calls in calls_by_case().items() if name == function]
    fewest, most = min(counts, default=0), max(counts, default=0)
    return str(fewest) if fewest == most else f"{fewest} to {most}"


def settings_text() -> str:
    """A file of settings as `cargo run -- --config` reads it, with every default."""
    lines = commented(
        "Every setting of the functions, with its default. Made from shared/auth-api/openapi.yaml by scripts/generate."
        " `cargo run -- --config FILE` reads such lines. A deployment takes them in `settings` of its tfvars,"
        " except those that Terraform makes."
    )
    for name, setting in contract.settings().items():
        makers = " and ".join({"terraform": "Terraform", "local": "the local run"}[maker] for maker in setting.get("madeBy", []))
        made = f" Made by {makers}." if makers else ""
        lines += ["", *commented(f"{setting['meaning']}."), *commented(kind_of(setting) + made)]
        line = f"{name} = {setting.get('default', '')}".rstrip()
        lines.append(f"# {line}" if "local" in setting.get("madeBy", []) or setting.get("default", "none") == "none" else line)
    return "\n".join(lines) + "\n"


def limits_text() -> str:
    """Every setting that counts, and every window in which one is counted."""
    rows = []
    for name, setting in contract.settings().items():
        if setting.get("unit") in COUNTED or name.endswith(("_WINDOW_SECONDS", "_QUIET_SECONDS")):
            bounds = f"{setting['minimum']:,} to {setting['maximum']:,}"
            rows.append([f"`{name}`", f"{setting['default']:,} {setting['unit']}", bounds, setting["meaning"]])
    return table(["setting", "default", "bounds", "limits"], rows)


def networks_text() -> str:
    """The operations that count attempts by network."""
    counting = [
        f"`{operation['operationId']}`"
        for operation, _, _ in contract.routes(contract.read("openapi"))
        if "ATTEMPTS_PER_NETWORK" in operation["x-latchkey"]["environment"]
    ]
    return filled(f"`ATTEMPTS_PER_NETWORK` counts at {', '.join(counting[:-1])} and {counting[-1]}.")


def lifetimes_text() -> str:
    """Every time after which something ends: those that the pool's settings fix, then settings."""
    client = contract.read("user-pool")["every-client"]
    units = client["TokenValidityUnits"]
    rows = [
        ["an access token", f"{client['AccessTokenValidity']} {units['AccessToken']}", ""],
        ["an id token", f"{client['IdTokenValidity']} {units['IdToken']}", ""],
        ["Cognito's own session between two steps of a sign-in", f"{client['AuthSessionValidity']} minutes", ""],
    ]
    settings = contract.settings()
    timed = {
        name
        for name, setting in settings.items()
        if setting.get("unit") in TIMES and not name.endswith(("_WINDOW_SECONDS", "_QUIET_SECONDS"))
    }
    if timed - ENDS.keys():
        raise ValueError(f"ENDS has no words for {', '.join(sorted(timed - ENDS.keys()))}")
    for name, what in ENDS.items():
        if what:
            rows.append([what, f"{settings[name]['default']:,} {settings[name]['unit']}", f"`{name}`"])
    return table(["what", "by default", "setting"], rows)


def commented(text: str) -> list[str]:
    return textwrap.wrap(text, width=100, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def kind_of(setting: dict[str, Any]) -> str:
    optional = ", or none" if setting.get("default") == "none" else ""
    if "minimum" in setting:
        return f"{setting['minimum']} to {setting['maximum']} {setting['unit']}{optional}."
    if "enum" in setting:
        return f"One of {', '.join(setting['enum'])}{optional}."
    return f"{'An absolute URL' if setting['type'] == 'url' else 'Text'}{optional}."


def tables_text() -> str:
    """Every table, its items, and the functions whose grants let them write and read it."""
    grants = {name: needs["grants"] for name, needs in contract.needs_by_function().items()}
    resources = contract.read("openapi")["x-latchkey-resources"]
    rows: list[list[str]] = []
    for name, described in contract.tables().items():
        expiry = f"Items end by `{described['ttl']}`." if "ttl" in described else "Nothing expires."
        indexes = "".join(f" Index `{index}` on {asked_by(by)}." for index, by in described.get("indexes", {}).items())
        rows += [
            [f"**{name}**", f"{resources[name]['meaning']}. Key {asked_by(described)}. {expiry}{indexes}"],
            *([f"`{key}`", meaning] for key, meaning in described["items"].items()),
            ["*read by*", functions_with(grants, name, lambda action: action in READS)],
            ["*written by*", functions_with(grants, name, lambda action: action not in READS + CHECKS)],
        ]
    return table(["table, and its items", "what it holds"], rows)


def asked_by(index: dict[str, str]) -> str:
    return f"`{index['key']}`, sorted by `{index['sort']}`" if "sort" in index else f"`{index['key']}`"


def functions_with(grants: dict[str, list[str]], resource: str, fits: Callable[[str], bool]) -> str:
    """The functions that are granted an action on the resource that fits."""
    found = []
    for function, granted in grants.items():
        here = [grant.split(":")[1] for grant in granted if grant.split(":")[0] == resource]
        if any(map(fits, here)):
            found.append(function)
    return ", ".join(found) or "none"
