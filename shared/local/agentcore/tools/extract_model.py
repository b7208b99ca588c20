#!/usr/bin/env python3
"""Writes src/model.json: what AWS's own service models demand of each request that agentcore-local answers.

Run it with botocore installed: `python3 tools/extract_model.py > src/model.json`. The list of operations is read from
src/operations.rs, so that an operation without its constraints cannot be served. Shapes carry the name of their service in
front, because the two services have different shapes of one name.
"""

import json
import pathlib
import re

import botocore.loaders

HERE = pathlib.Path(__file__).parent
DISPATCH = (HERE / ".." / "src" / "operations.rs").read_text()
KEPT = ("type", "required", "min", "max", "pattern", "enum", "sensitive", "union")


def main() -> None:
    served = re.findall(r'^\s*"(\w+)" => ', DISPATCH, re.MULTILINE)
    shapes, operations = {}, {}
    for service in ("bedrock-agentcore", "bedrock-agentcore-control"):
        model = botocore.loaders.Loader().load_service_model(service, "service-2")
        waiting = []
        for name in served:
            if name not in model["operations"]:
                continue
            operation = model["operations"][name]
            waiting.append(operation["input"]["shape"])
            operations[name] = {
                "input": f"{service}.{operation['input']['shape']}",
                "path": operation["http"]["requestUri"],
                "status": operation["http"]["responseCode"],
            }
        while waiting:
            name = waiting.pop()
            if f"{service}.{name}" in shapes:
                continue
            source = model["shapes"][name]
            shape = {key: source[key] for key in KEPT if source.get(key) not in (None, [], False)}
            targets = {member: target["shape"] for member, target in source.get("members", {}).items()}
            if targets:
                shape["members"] = {member: f"{service}.{target}" for member, target in targets.items()}
            waiting += targets.values()
            for key in ("member", "key", "value"):
                if key in source:
                    shape[key] = f"{service}.{source[key]['shape']}"
                    waiting.append(source[key]["shape"])
            shapes[f"{service}.{name}"] = shape
    missing = set(served) - set(operations)
    if missing:
        raise SystemExit(f"neither service has {', '.join(sorted(missing))}")
    print(json.dumps({"operations": operations, "shapes": shapes}, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
