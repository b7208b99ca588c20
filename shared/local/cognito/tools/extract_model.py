#!/usr/bin/env python3
"""Writes src/model.json: what AWS's own service model demands of each request that cognito-local answers.

Run it with botocore installed: `python3 tools/extract_model.py > src/model.json`. The list of operations is read from
src/operations/mod.rs, so that an operation without its constraints cannot be served.
"""

import json
import pathlib
import re

import botocore.loaders

HERE = pathlib.Path(__file__).parent
DISPATCH = (HERE / ".." / "src" / "operations" / "mod.rs").read_text()
# Where the model is behind the service. It refuses every space in a password; the service refuses them at the ends only, and counts the
# others as symbols (developer guide, "Adding user pool password requirements").
CORRECTED = {"PasswordType": {"pattern": r"[\S]+.*[\S]+"}}
KEPT = ("type", "required", "min", "max", "pattern", "enum", "sensitive")


def main() -> None:
    model = botocore.loaders.Loader().load_service_model("cognito-idp", "service-2")
    served = re.findall(r'^\s*"(\w+)" => ', DISPATCH, re.MULTILINE)
    shapes, waiting, operations = {}, [], {}
    for name in sorted(served):
        operations[name] = model["operations"][name]["input"]["shape"]
        waiting.append(operations[name])
    while waiting:
        name = waiting.pop()
        if name in shapes:
            continue
        source = model["shapes"][name]
        shape = {key: source[key] for key in KEPT if source.get(key) not in (None, [], False)}
        if "members" in source:
            shape["members"] = {member: target["shape"] for member, target in source["members"].items()}
        for key in ("member", "key", "value"):
            if key in source:
                shape[key] = source[key]["shape"]
        waiting += shape.get("members", {}).values()
        waiting += [shape[key] for key in ("member", "key", "value") if key in shape]
        shapes[name] = shape | CORRECTED.get(name, {})
    print(json.dumps({"operations": operations, "shapes": shapes}, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
