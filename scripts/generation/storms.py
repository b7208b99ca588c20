"""A storm of sign-ins: a simulation against Cognito's quotas, and the first quota that
saturates."""

import dataclasses
import heapq
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from deployment.contract import calls_by_case
from generation import filled, share, table
from generation.project import (
    Prices,
    Quotas,
    Retry,
    codes_mailed,
    floor_of,
    load,
    needs_by_function,
    our_retry,
    seconds_of,
    seconds_of_case,
    setting,
)

# An operation and its case, as calls.yaml has them; and several, one after another.
Step = tuple[str, str]
Journey = list[Step]


class Bucket:
    """A quota a second: a bucket that holds one second's worth. AWS does not document its counting;
    this is the usual way."""

    def __init__(self, rate: float, burst: float | None = None) -> None:
        self.rate = rate
        self.size = rate if burst is None else burst
        self.level = self.size
        self.at = 0.0
        self.granted = 0
        self.refused = 0

    def take(self, now: float) -> bool:
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            self.granted += 1
            return True
        self.refused += 1
        return False


class PerMinute:
    """Our own total of mails: so many in each minute of the clock."""

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self.taken: Counter[int] = Counter()
        self.granted = 0
        self.refused = 0

    def take(self, now: float) -> bool:
        minute = int(now // 60)
        if self.taken[minute] < self.quota:
            self.taken[minute] += 1
            self.granted += 1
            return True
        self.refused += 1
        return False


class AtOnce:
    """Lambda's concurrency."""

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self.busy = 0
        self.most = 0
        self.refused = 0

    def enter(self) -> bool:
        if self.busy >= self.quota:
            self.refused += 1
            return False
        self.busy += 1
        self.most = max(self.most, self.busy)
        return True

    def leave(self) -> None:
        self.busy -= 1


# Cognito's quotas, by the calls that they count.
QUOTA_OF = {
    "user-pool:AdminInitiateAuth": "cognito-sign-in",
    "user-pool:GetTokensFromRefreshToken": "cognito-sign-in",
    "user-pool:AdminRespondToAuthChallenge": "cognito-answer",
    "user-pool:AdminCreateUser": "cognito-creation",
    "user-pool:RevokeToken": "cognito-token",
    "user-pool:StartWebAuthnRegistration": "cognito-token",
    "user-pool:CompleteWebAuthnRegistration": "cognito-token",
    "user-pool:DeleteWebAuthnCredential": "cognito-token",
}

# People's behaviour. Orders of magnitude, with little effect on the tables: the quotas decide.
SECONDS_TO_READ_THE_MAIL = (20, 12)  # mean, spread
SECONDS_UNTIL_THEY_TRY_AGAIN = (3, 12)
TIMES_THEY_TRY = 3


@dataclasses.dataclass(frozen=True)
class Storm:
    """A number of people within a number of seconds. In a sharp storm most come at the
    beginning."""

    name: str
    people: int
    seconds: float
    journey: str  # "sign-in", "first sign-in" or "refresh"
    sharp: bool = False


STORMS = [
    Storm("a shift begins: 3,000 sign-ins in 10 minutes", 3000, 600, "sign-in"),
    Storm("a push message: 5,000 sign-ins, half of them in the first 40 seconds", 5000, 300, "sign-in", sharp=True),
    Storm("a launch: 5,000 new addresses in 5 minutes", 5000, 300, "first sign-in"),
    Storm("a televised moment: 20,000 sign-ins in 5 minutes", 20000, 300, "sign-in", sharp=True),
    Storm("everybody's tokens end at once: 45,000 refreshes in 5 minutes", 45000, 300, "refresh"),
]

JOURNEYS: dict[str, Journey] = {
    "sign-in": [("initiate-otp", "known guest"), ("verify-otp", "known guest")],
    "first sign-in": [("initiate-otp", "new address"), ("verify-otp", "first sign-in")],
    "refresh": [("refresh-token", "exchanged")],
}


@dataclasses.dataclass
class Outcome:
    people: int = 0
    done: int = 0
    gave_up: int = 0
    at_first_try: int = 0
    # from the first click to the mail, or to the new token
    waits: list[float] = dataclasses.field(default_factory=list)
    refused_by: Counter[str] = dataclasses.field(default_factory=Counter)
    cognito_calls: int = 0
    cognito_needed: int = 0
    most_at_once: int = 0
    ended: float = 0.0
    # (quota, time), for the checks
    grants: list[tuple[str, float]] = dataclasses.field(default_factory=list)


class World:
    """Quotas, and the calls that run into them."""

    def __init__(self, quotas: Quotas, starts_per_minute: int, retry: Retry, prices: Prices, seed: int, keep_grants: bool = False) -> None:
        self.rng = random.Random(seed)
        self.retry = retry
        self.prices = prices
        self.table = calls_by_case()
        self.needs = needs_by_function()
        self.steps: dict[Step, tuple[list[str], float]] = {}
        self.buckets = {name: Bucket(quota["per_second"]) for name, quota in quotas.items() if "per_second" in quota}
        self.concurrency = AtOnce(quotas["concurrency"]["at_once"])
        self.starts = PerMinute(starts_per_minute)
        self.routes: dict[str, Bucket] = {}
        self.queue: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self.order = 0
        self.outcome = Outcome()
        self.keep_grants = keep_grants

    def later(self, at: float, action: Callable[..., None], *arguments: Any) -> None:
        self.order += 1  # of two at the same time, the first that was said
        heapq.heappush(self.queue, (at, self.order, action, arguments))

    def run(self, storm: Storm) -> Outcome:
        self.outcome.people = storm.people
        for _ in range(storm.people):
            share = self.rng.random()
            # Sharp: half of all come within an eighth of the time.
            at = storm.seconds * (share**3 if storm.sharp else share)
            self.later(at, self.step, at, JOURNEYS[storm.journey], 0, 1)
        while self.queue:
            now, _, action, arguments = heapq.heappop(self.queue)
            self.outcome.ended = now
            action(now, *arguments)
        self.outcome.most_at_once = self.concurrency.most
        return self.outcome

    def step(self, now: float, began: float, journey: Journey, index: int, tries: int) -> None:
        """One request of one person."""
        operation, case = journey[index]
        needs = self.needs[operation]
        route = self.routes.setdefault(operation, Bucket(needs.rate, needs.burst))
        if not route.take(now):
            return self.refuse(now, "the route's throttle", began, journey, index, tries)
        if not self.concurrency.enter():
            return self.refuse(now, "Lambda's concurrency", began, journey, index, tries)
        cognito, others = self.parts(operation, case)
        answer_from = now + floor_of(operation, case, calls_by_case()[operation, case])
        if operation == "initiate-otp" and not self.starts.take(now):
            return self.later(max(now + others, answer_from), self.leave, "our own total of mails", began, journey, index, tries)
        self.outcome.cognito_needed += len(cognito)
        self.later(now + others, self.call, cognito, 1, answer_from, began, journey, index, tries)

    def parts(self, operation: str, case: str) -> tuple[list[str], float]:
        """A step's calls to Cognito in their order, and the seconds that all others take."""
        if (operation, case) not in self.steps:
            calls = self.table[operation, case]
            # Users are made before they are signed in.
            cognito = sorted((call for call in calls.elements() if call in QUOTA_OF), key=lambda call: call != "user-pool:AdminCreateUser")
            others = sum(times * seconds_of(operation, call, self.prices) for call, times in calls.items() if call not in QUOTA_OF)
            self.steps[operation, case] = cognito, others
        return self.steps[operation, case]

    def call(
        self, now: float, cognito: list[str], tried: int, answer_from: float, began: float, journey: Journey, index: int, tries: int
    ) -> None:
        """One try of the next call to Cognito."""
        if not cognito:
            return self.later(max(now, answer_from), self.leave, None, began, journey, index, tries)
        name = QUOTA_OF[cognito[0]]
        self.outcome.cognito_calls += 1
        refused = None if self.take(name, now) else name
        # Cognito hands the mail to SES before it answers, and does not ask twice.
        if refused is None and codes_mailed(journey[index][0], Counter(cognito[:1])) and not self.take("mail", now):
            return self.later(max(now, answer_from), self.leave, "SES's sending rate", began, journey, index, tries)
        if refused is None:
            return self.later(
                now + seconds_of(journey[index][0], cognito[0], self.prices),
                self.call,
                cognito[1:],
                1,
                answer_from,
                began,
                journey,
                index,
                tries,
            )
        if tried < self.retry.tries:
            return self.later(
                now + self.retry.wait(tried, self.rng), self.call, cognito, tried + 1, answer_from, began, journey, index, tries
            )
        return self.later(
            max(now, answer_from), self.leave, f"Cognito's quota ({name.removeprefix('cognito-')})", began, journey, index, tries
        )

    def take(self, name: str, now: float) -> bool:
        granted = self.buckets[name].take(now)
        if granted and self.keep_grants:
            self.outcome.grants.append((name, now))
        return granted

    def leave(self, now: float, refused_by: str | None, began: float, journey: Journey, index: int, tries: int) -> None:
        self.concurrency.leave()
        if refused_by:
            return self.refuse(now, refused_by, began, journey, index, tries)
        if index == 0:
            self.outcome.waits.append(now - began)
            self.outcome.at_first_try += tries == 1
        if index + 1 == len(journey):
            self.outcome.done += 1
        else:
            mean, spread = SECONDS_TO_READ_THE_MAIL
            self.later(now + max(2.0, self.rng.gauss(mean, spread)), self.step, began, journey, index + 1, 1)

    def refuse(self, now: float, by: str, began: float, journey: Journey, index: int, tries: int) -> None:
        self.outcome.refused_by[by] += 1
        if tries >= TIMES_THEY_TRY:
            self.outcome.gave_up += 1
            return
        again = now + self.rng.uniform(*SECONDS_UNTIL_THEY_TRY_AGAIN)
        self.later(again, self.step, began, journey, index, tries + 1)


def raised(quotas: Quotas, factor: float) -> Quotas:
    """The same quotas, so many times as large."""
    return {
        name: {key: value * factor if isinstance(value, (int, float)) else value for key, value in quota.items()}
        for name, quota in quotas.items()
    }


def simulate(
    storm: Storm,
    seed: int,
    factor: float = 1,
    retry: Retry | None = None,
    starts_per_minute: int | None = None,
    keep_grants: bool = False,
    route_factor: float = 1,
) -> Outcome:
    quotas = raised(load("quotas")["quotas"], factor)
    starts = starts_per_minute if starts_per_minute is not None else setting("OTP_STARTS_PER_MINUTE")
    world = World(quotas, starts, retry or our_retry(), load("prices"), seed, keep_grants)
    world.needs = {
        name: dataclasses.replace(needs, rate=needs.rate * route_factor, burst=needs.burst * route_factor)
        for name, needs in world.needs.items()
    }
    return world.run(storm)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan


def outcome_row(name: str, outcome: Outcome) -> list[str]:
    stopped = ", ".join(f"{by} ({times:,})" for by, times in outcome.refused_by.most_common(3)) or "nothing"
    return [
        name,
        share(outcome.at_first_try, outcome.people),
        share(outcome.done, outcome.people),
        f"{percentile(outcome.waits, 0.5):.1f} / {percentile(outcome.waits, 0.99):.1f} s",
        stopped,
        f"{outcome.cognito_calls / max(1, outcome.cognito_needed):.2f}",
        f"{outcome.most_at_once:,}",
    ]


STORM_HEAD = [
    "storm",
    "at once",
    "in the end",
    "to mail or token, p50 / p99",
    "refused by (times)",
    "Cognito calls per call needed",
    "functions at once",
]


def starts_that_quotas_bear(quotas: Quotas) -> int:
    """Starts a minute that the mail rate and Cognito admit."""
    return int(60 * min(quotas["mail"]["per_second"], quotas["cognito-sign-in"]["per_second"]))


def storms_text(seed: int) -> str:
    quotas = load("quotas")["quotas"]
    as_it_comes = [outcome_row(storm.name, simulate(storm, seed)) for storm in STORMS]
    tuned = starts_that_quotas_bear(quotas)
    factor = 10
    lifted = [
        outcome_row(storm.name, simulate(storm, seed, factor=factor, starts_per_minute=tuned * factor, route_factor=factor))
        for storm in STORMS
    ]
    retry = our_retry()
    sharp = STORMS[-1]
    policies = [
        ("no second try", Retry(1, 0, 0)),
        (f"ours: {retry.tries} tries, waits up to {retry.first_wait * 1000:.0f} ms and double", retry),
        ("10 tries, waits up to 50 ms", Retry(10, 0.05, 0.05)),
        ("10 tries, waits up to 5 s", Retry(10, 0.05, 5)),
    ]
    # Of the other quotas, so that Cognito's alone is looked at.
    tried = [outcome_row(name, simulate(sharp, seed, retry=policy, route_factor=10)) for name, policy in policies]
    return "\n\n".join(
        [
            f"With AWS's default quotas and our defaults ({setting('OTP_STARTS_PER_MINUTE')} mails a minute):",
            table(STORM_HEAD, as_it_comes),
            filled(
                f"With every quota and throttle raised {factor} times, and `OTP_STARTS_PER_MINUTE` at the most that mail and Cognito"
                f" then allow ({tuned * factor:,}):"
            ),
            table(STORM_HEAD, lifted),
            filled(f'What retries do: "{sharp.name}", without throttles and with Cognito\'s default quota:'),
            table(["policy", *STORM_HEAD[1:]], tried),
        ]
    )


def capacity_text() -> str:
    """The saturation points: each quota, in sign-ins a second."""
    quotas = load("quotas")
    table_of_calls = calls_by_case()
    prices = load("prices")
    needs = needs_by_function()
    known = [table_of_calls[step] for step in JOURNEYS["sign-in"]]
    by_quota = defaultdict(list)
    for call, quota in QUOTA_OF.items():
        by_quota[quota].append(call)
    rows: list[tuple[float, list[str]]] = []

    def row(what: str, a_second: float, raise_it: str) -> None:
        shown = f"{a_second:.2f} ({a_second * 86400:,.0f} a day)" if a_second < 1 else f"{a_second:,.0f}"
        rows.append((a_second, [what, shown, raise_it]))

    row(
        f"mail a day: {quotas['per_day']['cognito-sender']['what']}",
        quotas["per_day"]["cognito-sender"]["value"] / 86400,
        "set `mail_sender`",
    )
    row(f"mail a day: {quotas['per_day']['mail']['what']}", quotas["per_day"]["mail"]["value"] / 86400, "a request with SES")
    row(
        "mails a minute: `OTP_STARTS_PER_MINUTE`, ours",
        setting("OTP_STARTS_PER_MINUTE") / 60,
        "the setting, as far as mail and Cognito bear",
    )
    row(quotas["quotas"]["mail"]["what"], quotas["quotas"]["mail"]["per_second"], quotas["quotas"]["mail"]["raise"])
    for name in ("cognito-sign-in", "cognito-answer"):
        needed = sum(calls[call] for calls in known for call in by_quota[name])
        row(quotas["quotas"][name]["what"], quotas["quotas"][name]["per_second"] / needed, quotas["quotas"][name]["raise"])
    creation = quotas["quotas"]["cognito-creation"]
    row(f"{creation['what']} (first sign-ins alone)", creation["per_second"], creation["raise"])
    for operation, _ in JOURNEYS["sign-in"]:
        row(f"the route's throttle of {operation}", needs[operation].rate, "`ratePerSecond` in the contract")
    seconds = sum(seconds_of_case(operation, case, table_of_calls[operation, case], prices) for operation, case in JOURNEYS["sign-in"])
    concurrency = quotas["quotas"]["concurrency"]
    row(f"{concurrency['what']} ({seconds:.2f} s of functions a sign-in)", concurrency["at_once"] / seconds, concurrency["raise"])
    row("the same in a new account: 10", 10 / seconds, concurrency["raise"])
    row(
        "one item's writes in DynamoDB: the counter of the pool's mails",
        quotas["per_item"]["dynamodb-writes"]["per_second"],
        "count it in several items",
    )
    rows.sort(key=lambda pair: pair[0])
    return table(["what", "sign-ins a second", "to raise it"], [cells for _, cells in rows])
