"""The zips and their manifest, as scripts/package makes them, on their way into the artifact
bucket."""

import base64
import hashlib
import json
import pathlib
import subprocess
import sys

from deployment import ROOT, Refusal
from deployment.contract import contract
from deployment.releases import Bucket, Manifest

FOLDER = ROOT / "target/packages"
MANIFEST = "packages.tfvars.json"


def build() -> pathlib.Path:
    if subprocess.run((sys.executable, ROOT / "scripts/package", "--out", FOLDER), check=False).returncode != 0:
        raise Refusal("the packages could not be built")
    return FOLDER


def read(folder: pathlib.Path) -> Manifest:
    """A folder's manifest. Its zips must exist and match it."""
    try:
        manifest: Manifest = json.loads((folder / MANIFEST).read_text())["packages"]
    except FileNotFoundError:
        raise Refusal(f"{folder} has no {MANIFEST}; scripts/package makes it") from None
    if sorted(manifest) != contract().functions:
        wrong = ", ".join(sorted(set(manifest) ^ set(contract().functions)))
        raise Refusal(f"the packages in {folder} and the contract do not name the same functions: {wrong}. Build them again")
    for name, package in manifest.items():
        if digest(zip_file(folder, name)) != package["sha256"]:
            raise Refusal(f"{zip_file(folder, name)} is not what its manifest says. Build the packages again")
    return manifest


def upload(folder: pathlib.Path, manifest: Manifest, bucket: Bucket) -> int:
    """Returns the number of new zips. The manifest is uploaded last, so it never names a missing
    zip."""
    missing = [name for name in sorted(manifest) if not bucket.has(manifest[name]["key"])]
    for name in missing:
        package = manifest[name]
        # S3 refuses an object that was damaged on the way.
        bucket.s3.put_object(
            Bucket=bucket.name, Key=package["key"], Body=zip_file(folder, name).read_bytes(), ChecksumSHA256=package["sha256"]
        )
    if bucket.manifest() != manifest:
        bucket.put_manifest(manifest)
    return len(missing)


def zip_file(folder: pathlib.Path, name: str) -> pathlib.Path:
    return folder / f"{name}.zip"


def digest(file: pathlib.Path) -> str:
    """SHA-256 in base64, Lambda's form."""
    try:
        return base64.b64encode(hashlib.sha256(file.read_bytes()).digest()).decode()
    except FileNotFoundError:
        raise Refusal(f"{file} is not there") from None
