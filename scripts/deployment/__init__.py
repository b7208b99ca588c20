"""What the scripts beside this folder share: the contract, an environment, Terraform, what was released, and what the doctor looks at."""

import pathlib
import sys

# A script leaves nothing behind in the source tree.
sys.dont_write_bytecode = True

ROOT = pathlib.Path(__file__).resolve().parents[2]

try:
    import boto3 as _boto3  # noqa: F401
    import yaml as _yaml  # noqa: F401
except ModuleNotFoundError as missing:
    sys.exit(
        f"{pathlib.Path(sys.argv[0]).name}: Python has no {missing.name}: python3 -m pip install -r {ROOT}/scripts/deploy-requirements.txt"
    )


class Refusal(Exception):
    """Why a script stops, as a sentence for whoever runs it."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status
