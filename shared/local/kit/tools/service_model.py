"""Extracts a stand-in's `model.json` from botocore's description of its services.

A stand-in's own `tools/extract_model.py` names the services, and the file that dispatches its
operations: an operation without its constraints cannot be served. With several services, a shape
carries the name of its service in front, because two services may have different shapes of one
name.
"""

import json
import pathlib
import re

import botocore.loaders

KEPT = ("type", "required", "min", "max", "pattern", "enum", "sensitive", "union")


def extract(services: list[str], dispatch: pathlib.Path, corrected: dict[str, dict] | None = None) -> str:
    """The model of every operation that `dispatch` has an arm for. `corrected` replaces constraints
    of shapes in which AWS's own model is behind the service."""
    arms = re.findall(r'^\s*("\w+"(?: \| "\w+")*) => ', dispatch.read_text(), re.MULTILINE)
    served = sorted({name for arm in arms for name in re.findall(r"\w+", arm)})
    shapes, operations = {}, {}
    for service in services:
        model = botocore.loaders.Loader().load_service_model(service, "service-2")
        prefix = f"{service}." if len(services) > 1 else ""
        waiting = []
        for name in (name for name in served if name in model["operations"]):
            operation = model["operations"][name]
            waiting.append(operation["input"]["shape"])
            operations[name] = {
                "input": prefix + operation["input"]["shape"],
                "path": operation["http"]["requestUri"],
                "status": operation["http"].get("responseCode", 200),
            }
        while waiting:
            name = waiting.pop()
            if prefix + name in shapes:
                continue
            source = model["shapes"][name]
            shape = {key: source[key] for key in KEPT if source.get(key) not in (None, [], False)}
            targets = {member: target["shape"] for member, target in source.get("members", {}).items()}
            if targets:
                shape["members"] = {member: prefix + target for member, target in targets.items()}
            waiting += targets.values()
            for key in ("member", "key", "value"):
                if key in source:
                    shape[key] = prefix + source[key]["shape"]
                    waiting.append(source[key]["shape"])
            shapes[prefix + name] = shape | (corrected or {}).get(name, {})
    missing = set(served) - set(operations)
    if missing:
        raise SystemExit(f"no service of {', '.join(services)} has {', '.join(sorted(missing))}")
    return json.dumps({"operations": operations, "shapes": shapes}, indent=1, sort_keys=True)
