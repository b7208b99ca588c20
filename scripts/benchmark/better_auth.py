"""Better Auth as a peer of the local run. npm installs it below `target`, at first use."""

import json
import os
import pathlib
import subprocess
from collections.abc import Callable
from typing import TypeVar

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VERSION = "1.7.25"

Figures = TypeVar("Figures")


def run(measure: Callable[..., Figures]) -> Figures:
    """Measures sign-ins at a new process of Better Auth."""
    environment = {**os.environ, "NODE_ENV": "production"}
    command = ("node", HERE / "better_auth.mjs")
    with subprocess.Popen(command, cwd=installed(), env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            gateway = json.loads(process.stdout.readline())["gateway"]
            return measure(process.pid, gateway, "--better-auth")
        finally:
            process.kill()


def installed() -> pathlib.Path:
    folder = ROOT / f"target/bench/better-auth-{VERSION}"
    if not (folder / "node_modules/better-auth").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}\n")
        install = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", f"better-auth@{VERSION}")
        subprocess.run(install, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder
