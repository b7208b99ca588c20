"""Canary releases and roll-backs in a whole deployment of dev, at a stand-in account that
terraform/tests/apply-on-moto has filled. Each test moves the time."""

import dataclasses
import functools
import io
import pathlib
import subprocess
import sys
import types
import unittest
import zipfile
from collections.abc import Callable
from typing import Any

from deployment import Refusal, environment, old_versions
from deployment.canary import Canary
from deployment.releases import Aliases, Bucket, Hold, Move, Record

SCRIPTS = pathlib.Path(__file__).resolve().parents[2]

DEV = environment.load("dev")
NAME, FUNCTION = "verify-otp", "latchkey-dev-verify-otp"
PERCENT, LOOKS = 10, 3

awslambda, cloudwatch = DEV.aws("lambda"), DEV.aws("cloudwatch")


def publish(text: str) -> str:
    """A version that is not live."""
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(zipfile.ZipInfo("bootstrap"), text)
    return str(awslambda.update_function_code(FunctionName=FUNCTION, ZipFile=zipped.getvalue(), Publish=True)["Version"])


def ring(alarm: str, state: str) -> None:
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="a test")


class Deployed(unittest.TestCase):
    """Each test begins with one live version, and no records."""

    def setUp(self) -> None:
        self.aliases, self.bucket = Aliases(DEV), Bucket(DEV)
        self.said: list[str] = []
        live = self.aliases.live(NAME)
        assert live
        self.first = live


class Releases(Deployed):
    """Each test begins with a newer version, too."""

    def setUp(self) -> None:
        super().setUp()
        self.newer = publish(self.id())
        self.addCleanup(self.restore, self.first, self.newer)

    def restore(self, first: str, newer: str) -> None:
        self.aliases.move(NAME, first)
        awslambda.delete_function(FunctionName=FUNCTION, Qualifier=newer)
        self.bucket.put_record(Record({}, {}, self.bucket.record().etag))

    def canary(self, pause: Callable[[], None]) -> None:
        Canary(DEV, [NAME], self.said.append).run(PERCENT, LOOKS, pause)

    def script(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run((sys.executable, SCRIPTS / "roll-back", "dev", *arguments), capture_output=True, text=True, check=False)

    def test_a_new_version_gets_a_share_and_in_the_end_everything(self) -> None:
        shares: list[dict[str, float]] = []
        self.canary(lambda: shares.append(self.aliases.weights(NAME)))
        self.assertEqual(shares, [{self.newer: 0.1}] * LOOKS)
        self.assertEqual((self.aliases.live(NAME), self.aliases.weights(NAME)), (self.newer, {}))

    def test_an_alarm_takes_the_new_version_back_for_good(self) -> None:
        for alarm in (f"{FUNCTION}-errors", "latchkey-dev-api-5xx"):
            with self.subTest(alarm):
                self.addCleanup(ring, alarm, "OK")
                with self.assertRaisesRegex(Refusal, alarm):
                    self.canary(functools.partial(ring, alarm, "ALARM"))
                self.assertEqual((self.aliases.live(NAME), self.aliases.weights(NAME)), (self.first, {}))
                self.assertEqual(self.bucket.record().held[NAME].version, self.first)
                ring(alarm, "OK")
                self.assertEqual(Canary(DEV, [NAME], self.said.append).moves, {}, "the same zip is not tried again")
                self.bucket.put_record(Record({}, {}, self.bucket.record().etag))

    def test_stopping_it_takes_the_share_back(self) -> None:
        def stop() -> None:
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            self.canary(stop)
        self.assertEqual((self.aliases.live(NAME), self.aliases.weights(NAME)), (self.first, {}))
        self.assertEqual(self.bucket.record().held, {}, "nothing was learnt about it")

    def test_it_does_not_begin_while_an_alarm_rings(self) -> None:
        self.addCleanup(ring, f"{FUNCTION}-p99", "OK")
        ring(f"{FUNCTION}-p99", "ALARM")
        with self.assertRaisesRegex(Refusal, "ring already"):
            self.canary(self.fail)
        self.assertEqual(self.said, [])

    def test_a_roll_back_undoes_the_last_release_at_once_and_stays(self) -> None:
        self.canary(lambda: None)
        ran = self.script()
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertIn(f"version {self.newer} was live, {self.first} is", ran.stdout)
        self.assertEqual(self.aliases.live(NAME), self.first)
        rolled_back = {NAME: {"sha256": self.aliases.zip_of(NAME, self.newer)}}
        self.assertEqual(self.bucket.record().kept_back(rolled_back), {NAME: self.first}, "Terraform is told to leave it there")
        self.assertEqual(self.bucket.record().kept_back({NAME: {"sha256": "another"}}), {}, "until there is another zip")
        again = self.script()
        self.assertEqual(again.returncode, 1)
        self.assertIn("taken back already", again.stderr)
        self.assertEqual(self.script("--lift").returncode, 0)
        self.assertEqual(self.bucket.record().held, {})

    def test_a_roll_back_during_a_canary_ends_it(self) -> None:
        self.aliases.move(NAME, self.newer, {self.first: 0.5})
        self.assertEqual(self.script(NAME).returncode, 0)
        self.assertEqual((self.aliases.live(NAME), self.aliases.weights(NAME)), (self.first, {}))

    def test_a_roll_back_to_what_is_not_there_is_refused(self) -> None:
        for arguments in ((NAME, "--to", "999"), (NAME, "--to", str(self.first)), ("no-such-function",)):
            with self.subTest(arguments):
                self.assertIn(self.script(*arguments).returncode, (1, 2))
                self.assertEqual(self.aliases.live(NAME), self.first)

    def test_a_version_that_lacks_a_grant_is_left_alone_unless_told_otherwise(self) -> None:
        self.canary(lambda: None)
        record = self.bucket.record()
        record.narrowed = {NAME: self.first}
        self.bucket.put_record(record)
        for arguments in ((), (NAME,), (NAME, "--to", self.first)):
            with self.subTest(arguments):
                ran = self.script(*arguments)
                self.assertEqual((ran.returncode, self.aliases.live(NAME)), (1, self.newer))
                self.assertIn(f"{NAME} (version {self.first})", ran.stderr)
                self.assertIn("revert the change and deploy it", ran.stderr)
        self.assertEqual(self.script("--without-grants").returncode, 0)
        self.assertEqual(self.aliases.live(NAME), self.first)
        self.assertEqual(self.bucket.record().narrowed, {NAME: self.first}, "the next roll-back knows it too")

    def test_a_version_after_the_lost_grant_can_be_gone_back_to(self) -> None:
        self.canary(lambda: None)
        record = self.bucket.record()
        record.narrowed = {NAME: str(int(self.first) - 1)}
        self.bucket.put_record(record)
        self.assertEqual(self.script().returncode, 0)
        self.assertEqual(self.aliases.live(NAME), self.first)

    def test_two_at_once_do_not_forget_each_other(self) -> None:
        one, other = self.bucket.record(), self.bucket.record()
        one.held[NAME] = Hold(self.newer, "a zip")
        self.bucket.put_record(one)
        with self.assertRaisesRegex(Refusal, "at this moment"):
            self.bucket.put_record(other)


class OldVersions(Deployed):
    """Each test begins with three more newer versions than are kept."""

    def setUp(self) -> None:
        super().setUp()
        self.newer = [publish(f"{self.id()} {number}") for number in range(old_versions.NEWEST_KEPT + 3)]
        self.addCleanup(self.restore, self.first)

    def restore(self, first: str) -> None:
        self.aliases.move(NAME, first)
        for version in set(self.newer) & set(self.aliases.versions(NAME)):
            awslambda.delete_function(FunctionName=FUNCTION, Qualifier=version)
        self.bucket.put_record(Record({}, {}, self.bucket.record().etag))

    def release(self, version: str, held: dict[str, Hold] | None = None) -> None:
        self.aliases.move(NAME, version)
        record = self.bucket.record()
        record.moved, record.held = {NAME: Move(self.first, version)}, held or {}
        self.bucket.put_record(record)

    def left_of_newer(self) -> list[str]:
        return [version for version in self.aliases.versions(NAME) if version in self.newer]

    def remove(self) -> None:
        old_versions.remove(self.aliases, self.bucket, [NAME], self.said.append)

    def test_the_newest_and_the_live_one_stay(self) -> None:
        self.remove()
        self.assertEqual(self.left_of_newer(), self.newer[3:])
        self.assertIn(self.first, self.aliases.versions(NAME))
        self.assertEqual(self.said, ["3 old versions of functions removed"])
        self.remove()
        self.assertEqual(len(self.said), 1, "nothing is left to remove")

    def test_versions_that_a_roll_back_returns_to_stay(self) -> None:
        self.release(self.newer[-1], held={NAME: Hold(self.newer[1], "a zip")})
        self.remove()
        self.assertEqual(self.left_of_newer(), [self.newer[1], *self.newer[3:]])
        self.assertIn(self.first, self.aliases.versions(NAME), "the last release moved the alias from it")

    def test_versions_of_a_canary_and_before_the_live_one_stay(self) -> None:
        self.release(self.newer[2])
        self.aliases.move(NAME, self.newer[2], {self.newer[0]: 0.1})
        self.remove()
        self.assertEqual(self.left_of_newer(), self.newer)

    def test_a_version_that_lambda_does_not_delete_is_named_and_stops_nothing(self) -> None:
        def refused(params: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]] | None:
            kept = params["query_string"]["Qualifier"] == self.newer[1]
            answer = {"Error": {"Code": "ResourceConflictException"}, "ResponseMetadata": {}}
            return (types.SimpleNamespace(status_code=409), answer) if kept else None

        awslambda.meta.events.register("before-call.lambda.DeleteFunction", refused)
        self.addCleanup(awslambda.meta.events.unregister, "before-call.lambda.DeleteFunction", refused)
        self.release(self.newer[-1])
        self.remove()
        self.assertEqual(self.left_of_newer(), [self.newer[1], *self.newer[3:]])
        self.assertEqual(self.said[-1], f"NOTE: old versions of {NAME} ({self.newer[1]}) could not be removed: ResourceConflictException")

    def test_without_the_record_nothing_is_removed(self) -> None:
        old_versions.remove(self.aliases, Bucket(dataclasses.replace(DEV, name="elsewhere")), [NAME], self.said.append)
        self.assertEqual(self.left_of_newer(), self.newer)
        self.assertRegex(self.said[0], "^NOTE: old versions of every function could not be removed: there is no bucket")


if __name__ == "__main__":
    unittest.main()
