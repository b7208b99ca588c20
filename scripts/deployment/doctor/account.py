"""AWS's limits on the account. They refuse people long before the deployment itself has a fault."""

from collections.abc import Iterator

from deployment import account
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Finding, error, warning

# Less refuses people as soon as some dozens sign in at once: a start waits for its floor of a
# second, and calls triggers meanwhile.
ENOUGH_AT_ONCE = 100
# Of the code storage. The rest lasts for dozens of releases, long enough to ask AWS for more.
NEARLY_FULL = 0.8


def mails(deployed: Deployed) -> Iterator[Finding]:
    """With a sender of one's own. Cognito's has limits of its own, and another finding."""
    if deployed.pool.get("EmailConfiguration", {}).get("EmailSendingAccount") != "DEVELOPER":
        return
    said, region = account.mails(deployed.where), deployed.where.region
    severe = error if deployed.where.protected else warning
    if not said.get("ProductionAccessEnabled"):
        yield severe(
            "mail-sandbox",
            f"SES in {region}",
            "it is in its sandbox: only addresses that were verified there get codes, and AWS's simulator, so smoke passes all the same",
            "ask AWS for production access: aws sesv2 put-account-details",
        )
    if not said.get("SendingEnabled"):
        yield error(
            "mail-paused", f"SES in {region}", "it sends nothing, so nobody can sign in by code", "read what AWS has written to the account"
        )


def concurrency(deployed: Deployed) -> Iterator[Finding]:
    at_once = account.concurrency(deployed.where)
    if at_once < ENOUGH_AT_ONCE:
        severe = error if deployed.where.protected else warning
        yield severe(
            "concurrency",
            f"Lambda in {deployed.where.region}",
            f"{at_once} functions run at once in the whole account, Cognito's triggers included, and more are refused",
            "ask for more in Service Quotas (Lambda, concurrent executions)",
        )


def code_storage(deployed: Deployed) -> Iterator[Finding]:
    used, limit = account.code_storage(deployed.where)
    if used > limit * NEARLY_FULL:
        yield warning(
            "code-storage",
            f"Lambda in {deployed.where.region}",
            f"the versions of the account's functions take {used / limit:.0%} of its code storage, and a full one refuses every deployment",
            "delete versions that no alias names (deploy-phased keeps few of this deployment's), or ask for more in Service Quotas",
        )


CHECKS = (mails, concurrency, code_storage)
