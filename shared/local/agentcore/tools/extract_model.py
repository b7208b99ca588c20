#!/usr/bin/env python3
"""Writes src/model.json: the requirements of AWS's own service models for each request that
agentcore-local answers.

Run it with botocore installed: `python3 tools/extract_model.py > src/model.json`.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / ".." / ".." / "kit" / "tools"))

from service_model import extract  # noqa: E402: it lies beside the kit

if __name__ == "__main__":
    print(extract(["bedrock-agentcore", "bedrock-agentcore-control"], HERE / ".." / "src" / "operations.rs"))
