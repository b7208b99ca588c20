"""Every script explains itself with --help, and does nothing else."""

import os
import subprocess
import tempfile
import unittest

from deployment import ROOT

FOLDERS = (".ci", "scripts", "terraform/tests")


class Help(unittest.TestCase):
    def test_every_script_answers_and_leaves_everything_as_it_was(self) -> None:
        scripts = [path for folder in FOLDERS for path in sorted((ROOT / folder).iterdir()) if path.is_file() and os.access(path, os.X_OK)]
        self.assertGreater(len(scripts), 15)
        for script in scripts:
            with self.subTest(script.name), tempfile.TemporaryDirectory() as nowhere:
                environment = {"PATH": os.environ["PATH"], "HOME": nowhere, "TMPDIR": nowhere}
                said = subprocess.run(
                    [script, "--help"], cwd=nowhere, env=environment, capture_output=True, text=True, timeout=20, check=False
                )
                self.assertEqual(said.returncode, 0, said.stderr)
                self.assertGreater(len(said.stdout), 60)
                self.assertEqual(os.listdir(nowhere), [])


if __name__ == "__main__":
    unittest.main()
