"""Documents agree with the sources that they repeat, where scripts/generate does not write them."""

import importlib.machinery
import importlib.util
import json
import re
import unittest
from collections import Counter

from deployment import ROOT
from deployment.contract import calls_by_case
from generation.project import requests_of

# The cases of performance.md's rows, as calls.yaml names them.
TIMED = {
    "`initiateOtp`, known guest": ("initiate-otp", "known guest"),
    "`initiateOtp`, known device": ("initiate-otp", "known device"),
    "`verifyOtp`, known guest": ("verify-otp", "known guest"),
    "`verifyOtp`, known device": ("verify-otp", "known device"),
    "`loginUser`, new device": ("login-user", "guest on a new device"),
    "`refreshToken`": ("refresh-token", "exchanged"),
}
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table."""
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("| ")]


class Figures(unittest.TestCase):
    def test_a_request_that_names_several_tables_counts_once(self) -> None:
        batch = Counter({"guests:BatchGetItem": 1, "user-sessions:BatchGetItem": 1})
        self.assertEqual(requests_of(batch), 1)
        transactions = Counter({"guests:TransactWriteItems": 1, "user-sessions:TransactWriteItems": 1, "activity:TransactWriteItems": 2})
        self.assertEqual(requests_of(batch + transactions), 3)
        # One table each.
        self.assertEqual(requests_of(Counter({"activity:BatchWriteItem": 1, "user-sessions:BatchWriteItem": 1})), 2)
        self.assertEqual(requests_of(Counter({"challenges:UpdateItem": 3, "user-pool:AdminInitiateAuth": 1})), 4)

    def test_the_round_trips_are_those_of_the_list(self) -> None:
        section = read("shared/guides/performance.md").partition("## Round trips")[2].partition("\n## ")[0]
        told = {cells[0]: cells[1] for cells in rows(section)[2:]}
        self.assertEqual(told, {name: str(requests_of(calls_by_case()[case])) for name, case in TIMED.items()})

    def test_a_sign_in_by_code_writes_ten_times(self) -> None:
        def writes(function: str) -> int:
            calls = calls_by_case()[function, "known guest"]
            return requests_of(Counter({call: times for call, times in calls.items() if call.split(":")[1] in WRITES}))

        self.assertEqual((writes("initiate-otp"), writes("verify-otp")), (4, 6))
        for path in ("shared/guides/performance.md", "terraform/SCALE.md"):
            words = " ".join(re.split(r"\s+", read(path)))
            self.assertRegex(words, r"\bten (small writes|times to DynamoDB): four at its start, six at its end", path)

    def test_the_readme_has_the_figures_of_the_measurements(self) -> None:
        [[_, answer]] = [cells for cells in rows(read("README.md")) if cells[0] == "How fast is it?"]
        figures = re.findall(r"\b\d+\b", answer)
        self.assertEqual(len(figures), 6)
        measured = read("shared/guides/performance.md").partition("## The local run")[2].partition("\n## ")[0]
        for figure in figures:
            self.assertRegex(measured, rf"\b{figure}\b")


class Tests(unittest.TestCase):
    def test_the_architecture_names_every_folder_of_tests(self) -> None:
        section = read("ARCHITECTURE.md").partition("\n## Tests")[2]
        for pattern in ("scripts/tests", "shared/*/tests", "shared/local/*/tests", "terraform/tests"):
            for folder in ROOT.glob(pattern):
                self.assertIn(f"`{folder.relative_to(ROOT)}", section)


class Generated(unittest.TestCase):
    def test_the_page_lists_every_file(self) -> None:
        # The script has no extension.
        loader = importlib.machinery.SourceFileLoader("generate", str(ROOT / "scripts/generate"))
        spec = importlib.util.spec_from_loader("generate", loader)
        assert spec
        generate = importlib.util.module_from_spec(spec)
        loader.exec_module(generate)
        section = read("scripts/README.md").partition("\n## Generated files")[2].partition("\n## ")[0]
        listed = {str((ROOT / "scripts" / link).resolve().relative_to(ROOT)) for link in re.findall(r"\]\(([^)]+)\)", section)}
        packages = {str(path.relative_to(ROOT)) for path in generate.browser_client.files()}
        self.assertEqual(listed, generate.BETWEEN_MARKERS.keys() | generate.WHOLE.keys() | packages)


class Versions(unittest.TestCase):
    def test_the_changelog_begins_with_the_version(self) -> None:
        [newest, *_] = re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)
        self.assertIn(f'\nversion = "{newest}"\n', read("Cargo.toml"))
        self.assertEqual(json.loads(read("shared/auth-browser/package.json"))["version"], newest)
        self.assertIn(f"**Status: {newest}.**", read("README.md"))


class LocalRun(unittest.TestCase):
    def test_its_own_defaults_are_listed(self) -> None:
        source = read("shared/local/run/src/world/settings.rs").partition("const LOCAL_DEFAULTS")[2].partition("];")[0]
        own = dict(re.findall(r'\("(\w+)", "([\w-]+)"\)', source))
        section = read("shared/local/run/README.md").partition("## Configuration")[2].partition("\n## ")[0]
        listed = {name.strip("`"): value.strip("`") for name, value, _ in rows(section)[2:]}
        self.assertEqual(listed, own)


class GuestsTable(unittest.TestCase):
    def test_the_page_has_every_attribute(self) -> None:
        items = read("shared/auth-aws/src/guest_items.rs")
        stored = set(re.findall(r'"([a-z]+[A-Z]?[A-Za-z]*)"', items)) - {"pk"}
        parts = [path.relative_to(ROOT) for path in (ROOT / "shared/auth-aws/src/guests").glob("*.rs")]
        self.assertTrue(parts)
        for part in [*parts, *(f"shared/auth-aws/src/{part}.rs" for part in ("authenticators", "factor_resets", "passkey_list"))]:
            source = read(str(part))
            stored |= set(re.findall(r"(?<![#:.\w])([a-z][A-Za-z]+) = :", source))
        # Only import-guests writes it.
        stored.add("externalId")
        page = read("shared/guides/guests-table.md").partition("## `guest#<sub>`")[2]
        values = {"bounced", "complained"}
        self.assertEqual(set(re.findall(r"`([a-z][A-Za-z]*)`", page)) - values, stored)


if __name__ == "__main__":
    unittest.main()
