#!/usr/bin/env python3
"""Writes src/model.json: the requirements of AWS's own service model for each request that
cognito-local answers.

Run it with botocore installed: `python3 tools/extract_model.py > src/model.json`.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / ".." / ".." / "kit" / "tools"))

from service_model import extract  # noqa: E402: it lies beside the kit

# Corrections of the model, which is behind the service. It refuses every space in a password; the
# service refuses them only at the ends, and counts the others as symbols (developer guide, "Adding
# user pool password requirements").
CORRECTED = {"PasswordType": {"pattern": r"[\S]+.*[\S]+"}}

if __name__ == "__main__":
    print(extract(["cognito-idp"], HERE / ".." / "src" / "operations" / "mod.rs", CORRECTED))
