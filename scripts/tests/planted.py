"""Faults in a deployment, each planted once and taken out again. The fault's own check finds it."""

import contextlib
import unittest
from collections.abc import Callable, Iterator
from typing import Any

from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Finding
from deployment.environment import Environment

Check = Callable[[Deployed], Iterator[Finding]]
Plant = Callable[[], contextlib.AbstractContextManager[None]]

# What makes an alarm again. A description of one has more.
OF_ALARMS = (
    "AlarmName",
    "Namespace",
    "MetricName",
    "Dimensions",
    "Statistic",
    "Period",
    "EvaluationPeriods",
    "Threshold",
    "ComparisonOperator",
    "AlarmActions",
    "OKActions",
    "AlarmDescription",
    "TreatMissingData",
    "ActionsEnabled",
)


class Faults:
    """Faults of a deployment that has the known findings and no others."""

    def __init__(self, where: Environment, known: set[str]) -> None:
        self.where, self.known = where, known
        self.planted: list[tuple[Check, set[str], Plant]] = []

    def fault(self, check: Check, *found: str) -> Callable[[Callable[[], Iterator[None]]], None]:
        """Plants until its yield, and takes out again after it."""

        def keep(plant: Callable[[], Iterator[None]]) -> None:
            self.planted.append((check, set(found), contextlib.contextmanager(plant)))

        return keep

    def look(self) -> Deployed:
        return Deployed(self.where, None, None, None)

    def codes(self, check: Check) -> set[str]:
        return {finding.code for finding in check(self.look())}

    def are_found_one_by_one(self, test: unittest.TestCase) -> None:
        for check, found, plant in self.planted:
            with test.subTest(plant.__name__):
                with plant():
                    test.assertEqual(self.codes(check) - self.known, found)
                test.assertEqual(self.codes(check) - self.known, set(), "it was not taken out again")


def with_alarm(where: Environment, name: str, change: Callable[[dict[str, Any]], None] | None) -> Iterator[None]:
    """Another alarm, or none."""
    cloudwatch = where.aws("cloudwatch")
    alarm = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    before = {field: alarm[field] for field in OF_ALARMS if field in alarm}
    cloudwatch.delete_alarms(AlarmNames=[name])
    if change:
        changed = dict(before)
        change(changed)
        cloudwatch.put_metric_alarm(**changed)
    yield
    cloudwatch.put_metric_alarm(**before)
