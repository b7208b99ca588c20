"""The scripts' common parts: the contract, an environment, Terraform, the releases, and the
doctor's checks."""

import importlib.util
import pathlib
import sys

# A script leaves no files in the source tree.
sys.dont_write_bytecode = True

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = pathlib.Path(sys.argv[0]).name
# These talk to no AWS.
WANTED = ("yaml",) if SCRIPT in ("generate", "local-environment", "new-operation", "simulate-storm", "smoke") else ("boto3", "yaml")

MISSING = [name for name in WANTED if importlib.util.find_spec(name) is None]
if MISSING:
    sys.exit(f"{SCRIPT}: Python has no {' and no '.join(MISSING)}: python3 -m pip install -r {ROOT}/scripts/deploy-requirements.txt")


class Refusal(Exception):
    """Why a script stops, as a sentence for its user."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status
