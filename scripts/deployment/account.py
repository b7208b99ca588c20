"""The account's part, for all its deployments: AWS's limits on it, and its single resources."""

from collections.abc import Callable
from typing import Any

import botocore.exceptions

from deployment import environment
from deployment.environment import Environment

# The console keeps shareable test events there, and makes it when a person first saves one.
TEST_EVENTS = "lambda-testevent-schemas"
GITHUB = "token.actions.githubusercontent.com"


def mails(where: Environment) -> dict[str, Any]:
    """SES's settings of the account: ProductionAccessEnabled, SendingEnabled, SendQuota."""
    return dict(where.aws("sesv2").get_account())


def is_in_sandbox(where: Environment) -> bool:
    """Whether SES sends only to addresses that are verified in it."""
    return not mails(where).get("ProductionAccessEnabled", False)


def concurrency(where: Environment) -> int:
    """Functions of all deployments that run at once, at most."""
    return int(where.aws("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"])


def code_storage(where: Environment) -> tuple[int, int]:
    """The bytes that all versions of all functions take in the region, and that they may take."""
    settings = where.aws("lambda").get_account_settings()
    return int(settings["AccountUsage"]["TotalCodeSize"]), int(settings["AccountLimit"]["TotalCodeSize"])


def has_test_events(where: Environment) -> bool:
    return exists(lambda: where.aws("schemas").describe_registry(RegistryName=TEST_EVENTS))


def has_github(where: Environment) -> bool:
    arn = f"arn:{where.partition}:iam::{where.account}:oidc-provider/{GITHUB}"
    return exists(lambda: where.aws("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn))


def exists(look: Callable[[], object]) -> bool:
    try:
        look()
    except botocore.exceptions.ClientError as refused:
        if environment.code_of(refused) in ("NotFoundException", "NoSuchEntity"):
            return False
        raise
    return True
