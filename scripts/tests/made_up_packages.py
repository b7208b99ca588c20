"""Zips and a manifest for a deployment without a build: made_up_packages.py FOLDER [TEXT]. Another
text makes another zip of verify-otp, and the same of all others."""

import base64
import hashlib
import io
import json
import pathlib
import sys
import zipfile

from deployment.contract import contract

CHANGES = "verify-otp"


def main() -> None:
    folder, text = pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {name: package(folder, name, text if name == CHANGES else "") for name in contract().functions}
    (folder / "packages.tfvars.json").write_text(json.dumps({"packages": manifest}))


def package(folder: pathlib.Path, name: str, text: str) -> dict[str, str | int]:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(zipfile.ZipInfo("bootstrap"), f"#!/bin/sh\necho {name} {text}\n")
    content = zipped.getvalue()
    (folder / f"{name}.zip").write_bytes(content)
    digest = hashlib.sha256(content)
    return {
        "key": f"packages/{name}-{digest.hexdigest()[:16]}.zip",
        "sha256": base64.b64encode(digest.digest()).decode(),
        "bytes": len(content),
    }


if __name__ == "__main__":
    main()
