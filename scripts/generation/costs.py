"""The cost of a sign-in, from prices.json and calls.yaml."""

import functools
import math
import re
from collections import Counter, defaultdict

from deployment import contract
from deployment.contract import calls_by_case
from generation import filled, share, table
from generation.project import (
    Calls,
    Needs,
    Prices,
    codes_mailed,
    load,
    needs_by_function,
    read,
    seconds_of_case,
    setting,
)

# Dollars by service.
Cost = defaultdict[str, float]


def usd(name: str, prices: Prices) -> float:
    """Dollars of one unit of something with a price."""
    price = prices["prices"][name]
    return float(price["usd"] / price["per"])


def assumption(prices: Prices, name: str) -> float:
    value: float = prices["assumptions"][name]["value"]
    return value


def cost_of_calls(operation: str, calls: Calls, prices: Prices) -> Cost:
    """Dollars of AWS's requests, by service."""
    cost: Cost = defaultdict(float)
    if codes_mailed(operation, calls):
        cost["mail"] += usd("ses-mail", prices)
    for call, times in calls.items():
        resource, action = call.split(":")
        table_name = resource.removesuffix("/index")
        if table_name in contract.tables():
            if action in ("GetItem", "Query", "BatchGetItem"):
                cost["DynamoDB"] += times * usd("dynamodb-read", prices) * (0.5 if action == "Query" else 1)
            else:
                cost["DynamoDB"] += times * usd("dynamodb-write", prices) * prices["units"].get(call, 2)
        elif resource == "mail":
            cost["mail"] += times * usd("ses-mail", prices)
        elif resource == "sealing-key":
            cost["KMS"] += times * usd("kms-request", prices)
        elif resource in ("workload-identity", "token-vault"):
            cost["AgentCore"] += times * usd("agentcore-request", prices)
    return cost


def cost_of_invocation(operation: str, case: str, calls: Calls, prices: Prices, needs: Needs, over_http: bool = True) -> Cost:
    """Dollars of one invocation with its surroundings, by service. Cognito's users are paid by the
    month."""
    assumed = functools.partial(assumption, prices)
    cost = cost_of_calls(operation, calls, prices)
    billed = math.ceil(seconds_of_case(operation, case, calls, prices) * 1000) / 1000
    cost["Lambda"] += usd("lambda-request", prices) + usd("lambda-gb-second-arm", prices) * billed * needs.memory_mb / 1024
    cost["logs, traces"] += usd("log-gb", prices) * assumed("log-bytes") / 1e9 + usd("trace", prices) * assumed("traced")
    if needs.reads_secrets:
        cost["secrets"] += usd("secret-request", prices) * assumed("cold-starts")
    if over_http:
        cost["API, edge"] += usd("http-api-request", prices)
    if over_http and not needs.past_edge:
        cost["API, edge"] += (
            usd("cloudfront-request", prices)
            + usd("cloudfront-function", prices)
            + usd("waf-request", prices)
            + usd("cloudfront-gb", prices) * assumed("answer-bytes") / 1e9
        )
    return cost


SERVICES = ["Lambda", "API, edge", "DynamoDB", "mail", "KMS", "AgentCore", "secrets", "logs, traces"]


def million(cost: Cost) -> list[str]:
    return [f"{1e6 * cost[service]:,.2f}" if cost[service] else "" for service in SERVICES] + [f"{1e6 * sum(cost.values()):,.2f}"]


def functions_text() -> str:
    prices = load("prices")
    needs = needs_by_function()
    rows = []
    for (operation, case), calls in calls_by_case().items():
        if operation in needs:
            trigger = not math.isfinite(needs[operation].rate)
            rows.append(
                [operation, case, *million(cost_of_invocation(operation, case, calls, prices, needs[operation], over_http=not trigger))]
            )
    return table(["function", "case", *SERVICES, "US$ a million"], rows)


def mixed_sign_in(prices: Prices) -> tuple[Cost, Cost]:
    """The cost of an average sign-in, by service: with new users, second mails and wrong codes."""
    needs = needs_by_function()
    calls = calls_by_case()
    assumed = functools.partial(assumption, prices)
    total: Cost = defaultdict(float)

    def add(operation: str, case: str, times: float, over_http: bool = True, without: tuple[str, ...] = ()) -> None:
        if (operation, case) not in calls:
            return
        made = Counter({call: count for call, count in calls[operation, case].items() if call not in without})
        for service, dollars in cost_of_invocation(operation, case, made, prices, needs[operation], over_http).items():
            total[service] += dollars * times

    add("initiate-otp", "known guest", 1 - assumed("new-users"))
    add("initiate-otp", "new address", assumed("new-users"))
    add("resend-otp", "sent", assumed("resends"))
    add("verify-otp", "wrong code", assumed("wrong-codes"))
    known = 1 - assumed("new-users")
    add("verify-otp", "known guest", known * (1 - assumed("known-devices")))
    add("verify-otp", "known guest", known * assumed("known-devices"), without=("mail:SendEmail",))
    add("verify-otp", "first sign-in", assumed("new-users"))
    add("pre-token-generation", "operations' client", 1, over_http=False)
    signing_in = total.copy()
    add("refresh-token", "exchanged", assumed("refreshes-per-sign-in"))
    add("pre-token-generation", "operations' client", assumed("refreshes-per-sign-in"), over_http=False)
    return signing_in, total


def monthly_text() -> str:
    """The fixed costs of a month."""
    prices = load("prices")

    def a_month(name: str) -> float:
        return float(prices["prices"][name]["usd"])

    functions = len(needs_by_function())
    alarms = read("terraform/modules/observability/main.tf")
    counted = len(re.findall(r"^    \w+ += \{ threshold", alarms, re.MULTILINE))
    # An alarm is paid by its metrics, and a query by all its matches. Every function writes
    # ServerErrors, mostly two write the other metrics, and two alarms add up two metrics.
    others = counted + 6
    looked_at = 3 * functions + functions + 2 * (counted - 1) + 3 * 2 + 3
    bought: list[tuple[str, str, float]] = [
        ("web ACL and its rules", "one, 4 rules", a_month("waf-acl") + 4 * a_month("waf-rule")),
        ("keys", "2", 2 * a_month("kms-key")),
        ("secrets", "3", 3 * a_month("secret")),
        ("alarms", f"3 for each of {functions} functions, {others} more, which look at {looked_at} metrics", looked_at * a_month("alarm")),
        ("dashboard", "one; an account's first three are free", a_month("dashboard")),
        ("metrics that functions write", f"about 2 for each of {functions} functions", 2 * functions * a_month("metric")),
    ]
    bought.append(("together", "", sum(cost for *_, cost in bought)))
    return table(["what", "how many", "US$ a month"], [[what, many, f"{cost:,.2f}"] for what, many, cost in bought])


def journeys_text() -> str:
    prices = load("prices")
    signing_in, with_refreshes = mixed_sign_in(prices)
    assumed = functools.partial(assumption, prices)
    cognito = prices["prices"]["cognito-active-user"]["usd"] / assumed("sign-ins-per-user")
    rows = [
        ["a million sign-ins by code", *million(signing_in)],
        [f"and {assumed('refreshes-per-sign-in')} refreshes after each", *million(with_refreshes)],
    ]
    users = 1e6 / assumed("sign-ins-per-user")
    free = min(users, assumed("cognito-free-users"))
    paid = (users - free) * prices["prices"]["cognito-active-user"]["usd"]
    lines = [
        table(["what", *SERVICES, "US$"], rows),
        filled(
            f"Cognito charges for users, not for sign-ins. A million sign-ins in a month are {users:,.0f} active users with"
            f" {assumed('sign-ins-per-user')} sign-ins each, and {users - free:,.0f} of them are paid: **US$ {paid:,.0f}**"
            f" (US$ {1e6 * cognito:,.0f} without the free users). All other costs together are"
            f" {share(1e6 * sum(with_refreshes.values()), 1e6 * cognito)} of that."
        ),
    ]
    return "\n\n".join(lines)


def prices_text() -> str:
    prices = load("prices")
    rows = [
        [name, f"{price['usd']:g} for {price['per']:,}", price["unit"], "sure" if price["sure"] else "likely"]
        for name, price in prices["prices"].items()
    ]
    assumed = [[name, f"{entry['value']:,}", entry["why"]] for name, entry in prices["assumptions"].items()]
    return "\n\n".join(
        [
            filled(f"{prices['region']}, {prices['date']}. {prices['note']}"),
            table(["price", "US$", "unit", "how sure"], rows),
            table(["assumption", "value", "meaning"], assumed),
        ]
    )


def attack_text() -> str:
    """The costs that strangers can cause in a day by typing unknown addresses, and the price for
    them."""
    prices = load("prices")
    case = ("initiate-otp", "new address")
    needs = needs_by_function()["initiate-otp"]
    start = cost_of_invocation(*case, calls_by_case()[case], prices, needs)
    a_user = usd("cognito-active-user", prices)
    network = setting("OTP_STARTS_PER_IP") * 60 / setting("OTP_START_WINDOW_SECONDS")
    free, mails = setting("NEW_USERS_PER_MINUTE"), setting("OTP_STARTS_PER_MINUTE")
    iterations = assumption(prices, "proof-of-work-iterations")
    core_hours = iterations / assumption(prices, "iterations-per-core-second") / 3600
    rows = []
    for what, a_minute in [
        ("one network", network),
        ("the rate that asks for no work: `NEW_USERS_PER_MINUTE`", free),
        (
            "the strangers' share of the pool's mails: four fifths of `OTP_STARTS_PER_MINUTE`",
            mails - mails // 5,
        ),
    ]:
        users = a_minute * 60 * 24
        work = max(0, a_minute - free) * 60 * 24 * core_hours
        others = sum(start.values()) - start["mail"]
        figures = [f"{users * dollars:,.2f}" for dollars in (a_user, start["mail"], others)]
        networks = f"{a_minute / network:,.0f}"
        rows.append([what, f"{users:,.0f}", networks, f"{work:,.0f}", *figures])
    head = ["a day of", "new users", "networks", "core hours of work"]
    return table([*head, "Cognito, US$", "mails, US$", "the rest, US$"], rows)


def costs_text() -> str:
    return f"{journeys_text()}\n\nWithout any sign-in:\n\n{monthly_text()}\n\nA million invocations of each function, by case:\n\n{functions_text()}\n\n{prices_text()}"
