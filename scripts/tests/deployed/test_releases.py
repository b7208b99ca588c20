"""Canary releases and roll-backs in a whole deployment of dev, at a stand-in account that
terraform/tests/apply-on-moto has filled. Each test moves the time."""

import functools
import io
import pathlib
import subprocess
import sys
import unittest
import zipfile
from collections.abc import Callable

from deployment import Refusal, environment
from deployment.canary import Canary
from deployment.releases import Aliases, Bucket, Hold, Record

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


class Releases(unittest.TestCase):
    """Each test begins with one live version, a newer one, and no records."""

    def setUp(self) -> None:
        self.aliases, self.bucket = Aliases(DEV), Bucket(DEV)
        self.said: list[str] = []
        live = self.aliases.live(NAME)
        assert live
        self.first = live
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

    def test_two_at_once_do_not_forget_each_other(self) -> None:
        one, other = self.bucket.record(), self.bucket.record()
        one.held[NAME] = Hold(self.newer, "a zip")
        self.bucket.put_record(one)
        with self.assertRaisesRegex(Refusal, "at this moment"):
            self.bucket.put_record(other)


if __name__ == "__main__":
    unittest.main()
