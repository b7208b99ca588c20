"""All code that runs beside credentials is pinned by its content: Python's packages, Terraform's
providers, actions."""

import os
import pathlib
import re
import tempfile
import unittest
from typing import Any
from unittest import mock

import yaml

from deployment import ROOT
from deployment import terraform as of_terraform
from deployment.environment import Environment
from deployment.terraform import Terraform

WORKFLOWS = sorted((ROOT / ".github").rglob("*.yml"))
# Records how it is called.
FAKE = """#!/bin/sh
[ "$1" = version ] && { echo '{"terraform_version": "1.11.4"}'; exit; }
echo "$@" >>"$0.calls"
"""


def steps(document: Any) -> list[dict[str, Any]]:
    if isinstance(document, dict):
        own = [step for step in document.get("steps", []) if isinstance(step, dict)]
        return own + [step for part in document.values() for step in steps(part)]
    return [step for part in document for step in steps(part)] if isinstance(document, list) else []


class Supply(unittest.TestCase):
    def test_no_workflow_installs_what_it_does_not_know_by_its_hash(self) -> None:
        installs = 0
        for workflow in WORKFLOWS:
            for step in steps(yaml.safe_load(workflow.read_text())):
                for line in re.findall(r".*\bpip.* install .*", step.get("run", "")):
                    installs += 1
                    self.assertIn("--require-hashes", line, workflow.name)
                if "/" in (action := step.get("uses", "./")) and not action.startswith("./"):
                    self.assertRegex(action, "@[0-9a-f]{40}$", workflow.name)
        self.assertGreaterEqual(installs, 2)

    def test_a_zip_is_deployed_by_the_commit_that_it_was_built_from(self) -> None:
        runs = [step.get("run", "") for workflow in WORKFLOWS for step in steps(yaml.safe_load(workflow.read_text()))]
        verified = [run.replace("\\\n", " ") for run in runs if "gh attestation verify" in run]
        self.assertEqual(len(verified), 1)
        self.assertRegex(verified[0], r'--source-digest "\$GITHUB_SHA" +--signer-workflow')

    def test_every_requirement_has_its_hashes(self) -> None:
        for file in [*ROOT.glob("scripts/*-requirements.txt"), *ROOT.glob(".ci/*-requirements.txt")]:
            text = file.read_text().replace("\\\n", " ")
            for line in [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]:
                self.assertRegex(line, r"^[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", file.name)

    def test_the_lock_knows_the_provider_that_the_root_wants(self) -> None:
        wanted = re.search(r'version = "([\d.]+)"', (ROOT / "terraform/versions.tf").read_text())
        lock = (ROOT / "terraform/.terraform.lock.hcl").read_text()
        assert wanted
        self.assertEqual(re.findall(r'provider "(.*?)"', lock), ["registry.terraform.io/hashicorp/aws"])
        self.assertEqual(re.findall(r'  version += "(.*?)"', lock), [wanted[1]])
        # One of the packages' content, as a mirror has it; and those of all packages, as the
        # registry has them.
        self.assertTrue(re.search(r'"h1:[A-Za-z0-9+/]{43}="', lock))
        self.assertGreaterEqual(len(re.findall(r'"zh:[0-9a-f]{64}"', lock)), 10)

    def test_a_deployment_takes_no_provider_beyond_the_lock(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            fake = pathlib.Path(folder, "terraform")
            fake.write_text(FAKE)
            fake.chmod(0o700)
            changed = {"PATH": f"{folder}:{os.environ['PATH']}", "TF_DATA_DIR": f"{folder}/data"}
            with mock.patch.dict(os.environ, changed):
                of_terraform.version.cache_clear()
                Terraform(Environment("dev", "eu-west-1", protected=False, public_client="off"), "some-bucket").init()
                of_terraform.version.cache_clear()
            self.assertRegex(pathlib.Path(f"{fake}.calls").read_text(), "init .*-lockfile=readonly")


if __name__ == "__main__":
    unittest.main()
