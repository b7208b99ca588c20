"""What a deployment knows of its state, by a Terraform that keeps one in a file."""

import json
import os
import pathlib
import tempfile
import unittest
from unittest import mock

from deployment import plan
from deployment.environment import Environment
from deployment.terraform import Terraform

FAKE = """#!/bin/sh
echo "$@" >>"$0.calls"
case "$2 $3" in
  "state pull") cat "$0.state" ;;
  "state list") echo aws_iam_role.this ;;
  *) echo '{}' >"$0.state" ;;
esac
"""


class State(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        folder = temporary.name
        self.fake = pathlib.Path(folder, "terraform")
        self.fake.write_text(FAKE)
        self.fake.chmod(0o700)
        pathlib.Path(f"{self.fake}.state").write_text(json.dumps({"resources": [{"mode": "managed", "type": "aws_iam_role"}]}))
        changed = mock.patch.dict(os.environ, {"PATH": f"{folder}:{os.environ['PATH']}", "TF_DATA_DIR": f"{folder}/data"})
        changed.start()
        self.addCleanup(changed.stop)
        self.terraform = Terraform(Environment("dev", "eu-west-1", protected=False, public_client="off"), "some-bucket")

    def pulls(self) -> int:
        return pathlib.Path(f"{self.fake}.calls").read_text().count("state pull")

    def test_it_is_read_once(self) -> None:
        self.assertTrue(self.terraform.has_made("aws_iam_role"))
        self.assertEqual((self.terraform.modules(), self.terraform.has_functions(), self.terraform.pool()), ({""}, False, None))
        self.assertEqual(self.pulls(), 1)

    def test_it_is_read_again_after_an_apply_and_after_what_is_forgotten(self) -> None:
        for change in (lambda: self.terraform.apply(plan.read("plan", str, {})), lambda: self.terraform.forget(("aws_iam_role.",))):
            with self.subTest():
                self.terraform.made = [{"mode": "managed", "type": "aws_iam_role"}]
                change()
                self.assertFalse(self.terraform.has_made("aws_iam_role"))


if __name__ == "__main__":
    unittest.main()
