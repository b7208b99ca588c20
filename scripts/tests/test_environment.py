"""What the scripts read of an environment's tfvars."""

import pathlib
import tempfile
import unittest
from unittest import mock

from deployment import environment
from deployment.environment import Environment


class Environments(unittest.TestCase):
    def loaded(self, *lines: str) -> Environment:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "test.tfvars"
            file.write_text("\n".join(('environment = "test"', 'region = "eu-west-1"', *lines)))
            with mock.patch.object(environment, "FOLDER", file.parent):
                return environment.load("test")

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
