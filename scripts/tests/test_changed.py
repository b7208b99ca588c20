"""Which checks a pull request needs: .ci/changed."""

import json
import subprocess
import unittest

from deployment import ROOT

EVERY = subprocess.run([ROOT / ".ci/run", "--list"], capture_output=True, text=True, check=True).stdout.split()


def needed(*files: str) -> list[str]:
    listed = "".join(f"{file}\n" for file in files)
    said = subprocess.run([ROOT / ".ci/changed"], input=listed, capture_output=True, text=True, check=True)
    checks: list[str] = json.loads(said.stdout)
    return checks


class Changes(unittest.TestCase):
    def test_words_need_the_documents_check_alone(self) -> None:
        self.assertEqual(needed("README.md", "crates/README.md", ".env.example"), ["docs"])

    def test_a_guide_is_run(self) -> None:
        self.assertEqual(needed("shared/guides/consent.md"), ["page", "docs"])

    def test_terraform_needs_no_rust(self) -> None:
        self.assertEqual(needed("terraform/modules/edge/main.tf"), ["terraform", "docs", "scripts"])

    def test_tests_follow_the_terraform_that_they_read(self) -> None:
        self.assertIn("tests", needed("terraform/modules/user-pool/main.tf"))

    def test_several_files_need_the_checks_of_each(self) -> None:
        self.assertEqual(needed("README.md", "crates/verify-otp/src/lib.rs"), EVERY)

    def test_checks_and_unknown_files_need_every_check(self) -> None:
        for file in (".ci/run", ".github/workflows/check.yml", "Cargo.lock", "somewhere/new"):
            with self.subTest(file):
                self.assertEqual(needed(file), EVERY)

    def test_main_skips_none(self) -> None:
        said = subprocess.run([ROOT / ".ci/changed", "--all"], capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(said.stdout), EVERY)

    def test_an_unknown_check_is_refused_before_anything_is_done(self) -> None:
        said = subprocess.run([ROOT / ".ci/run", "nothing"], capture_output=True, text=True, check=False)
        self.assertEqual(said.returncode, 2)
        self.assertIn("no check is called nothing", said.stderr)


if __name__ == "__main__":
    unittest.main()
