"""The contract's operations as requests, in the format that the REST clients of editors read."""

import json
import re
from typing import Any

from deployment import contract

METHODS = ("get", "post", "patch", "delete")
HEAD = """\
# Every operation of the API as a request, for the REST clients of editors. Made from
# shared/auth-api/openapi.yaml by scripts/generate.
#
# As it stands it asks a local run (`cargo run`). Send initiateOtp, take the code from the mailbox,
# and fill in what the answers give.
"""
# A person fills these in from the earlier answers: an example would be refused.
FILLED_IN = ("email", "code", "sessionToken", "accessToken", "refreshToken")
VARIABLES = {
    "api": "http://127.0.0.1:8787",
    "email": "ada@example.com",
    "code": "paste-it-here",
    "sessionToken": "paste-it-here",
    "accessToken": "paste-it-here",
    "refreshToken": "paste-it-here",
    "accessKeyId": "LOCAL",
    "secretAccessKey": "local",
    "region": "eu-west-1",
}


def requests_text() -> str:
    document = contract.read("openapi")
    requests = [
        request(document, method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]
    used = {name for text in requests for name in re.findall(r"{{(\w+)}}", text)}
    variables = VARIABLES | {name: "paste-it-here" for name in sorted(used - VARIABLES.keys())}
    filled = [f"@{name} = {value}" for name, value in variables.items()]
    return "\n".join([HEAD, *filled, "", "\n".join(requests)])


def request(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    schemes = {scheme for requirement in operation["security"] for scheme in requirement}
    lines = [
        f"### {operation['operationId']}: {lower_first(operation['summary'])}",
        f"{method} {{{{api}}}}{path.replace('{', '{{').replace('}', '}}')}",
    ]
    if "cognitoJwt" in schemes:
        lines.append("Authorization: Bearer {{accessToken}}")
    if "iam" in schemes:
        lines.append("Authorization: AWS {{accessKeyId}} {{secretAccessKey}} region:{{region}} service:execute-api")
    content = resolve(document, operation.get("requestBody", {})).get("content", {})
    if "application/json" in content:
        example = first_example(content["application/json"])
        lines += ["Content-Type: application/json", "", json.dumps(filled_in(example), indent=2, ensure_ascii=False)]
    return "\n".join(lines) + "\n"


def resolve(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        found: Any = document
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    return value


def first_example(content: dict[str, Any]) -> Any:
    if "example" in content:
        return content["example"]
    examples = content.get("examples", {})
    return next(iter(examples.values()))["value"] if examples else {}


def filled_in(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: f"{{{{{name}}}}}" if name in FILLED_IN else filled_in(inner) for name, inner in value.items()}
    return value


def lower_first(text: str) -> str:
    return text[0].lower() + text[1:]
