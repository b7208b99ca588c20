"""What the scripts read of an environment's tfvars."""

import contextlib
import pathlib
import tempfile
import unittest
from collections.abc import Iterator
from unittest import mock

from deployment import environment
from deployment.doctor.deployed import Deployed
from deployment.environment import Environment


class Environments(unittest.TestCase):
    @contextlib.contextmanager
    def written(self, *lines: str) -> Iterator[None]:
        """Within it, the environment test has these lines."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "test.tfvars"
            file.write_text("\n".join(('environment = "test"', 'region = "eu-west-1"', *lines)))
            with mock.patch.object(environment, "FOLDER", file.parent):
                yield

    def loaded(self, *lines: str) -> Environment:
        with self.written(*lines):
            return environment.load("test")

    def test_an_adopted_pool_is_found_by_its_id_and_another_by_its_name(self) -> None:
        line = 'adopted_pool = "eu-west-1_Theirs" # with its users'
        self.assertEqual(Deployed(self.loaded(line), None, None, None).user_pool_id, "eu-west-1_Theirs")
        with self.written(line), mock.patch.object(environment, "pool_named", side_effect=AssertionError):
            self.assertEqual(environment.user_pool("test", "eu-west-1"), "eu-west-1_Theirs")
        for lines in ((), ("adopted_pool = null",)):
            self.assertIsNone(self.loaded(*lines).adopted_pool)
            with self.written(*lines), mock.patch.object(environment, "pool_named", return_value="eu-west-1_Ours") as named:
                self.assertEqual(environment.user_pool("test", "eu-west-1"), "eu-west-1_Ours")
                self.assertEqual(environment.user_pool("elsewhere", "eu-west-1"), "eu-west-1_Ours")
            named.assert_called_with("latchkey-elsewhere", "eu-west-1")

    def test_events_are_on_with_any_value_but_null(self) -> None:
        for lines in (("events = {}",), ("events = { # all", "}"), ("events = {", '  types = ["guest.created"]', "}")):
            self.assertTrue(self.loaded(*lines).events, lines)
        for line in ("", "events = null", "# events = {}", 'other = "events = {}"'):
            self.assertFalse(self.loaded(line).events, line)

    def test_a_copy_has_its_days(self) -> None:
        self.assertEqual(self.loaded("audit_copy_days = 400 # for the auditors").audit_copy_days, 400)
        for line in ("", "audit_copy_days = null"):
            self.assertIsNone(self.loaded(line).audit_copy_days)


if __name__ == "__main__":
    unittest.main()
