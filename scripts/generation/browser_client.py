"""The browser package's table of operations and its types, made from the contract."""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "shared/auth-api/openapi.yaml"
PACKAGE = ROOT / "shared/auth-browser"
WIDTH = 100
METHODS = ("get", "post", "patch", "delete")
HEAD = "// Made from shared/auth-api/openapi.yaml by scripts/generate.\n// Change the contract, and make it again.\n"

Schema = dict[str, Any]


def files() -> dict[Path, str]:
    """Each file's text, by its path."""
    document = yaml.safe_load(CONTRACT.read_text())
    operations = [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS and answers_json(document, operation)
    ]
    operations.sort(key=lambda each: str(each[2]["operationId"]))
    return {
        PACKAGE / "operations.js": table(document, operations),
        PACKAGE / "operations.d.ts": types(document, operations),
    }


def answers_json(document: Schema, operation: Schema) -> bool:
    """Pages and redirects are for the address bar, not for a client."""
    answers = [resolve(document, answer) for status, answer in operation["responses"].items() if status[0] in "23"]
    return all("application/json" in answer.get("content", {"application/json": {}}) for answer in answers) and not any(
        status[0] == "3" for status in operation["responses"] if status != "304"
    )


def resolve(document: Schema, value: Schema) -> Schema:
    while "$ref" in value:
        found: Any = document
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    return value


def input_of(operation: Schema) -> Schema | None:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema: Schema | None = body.get("schema")
    return schema


def fields_of(document: Schema, schema: Schema | None) -> set[str]:
    if schema is None:
        return set()
    schema = resolve(document, schema)
    own = set(schema.get("properties", {}))
    return own.union(*(fields_of(document, each) for each in schema.get("allOf", []) + schema.get("oneOf", [])))


def table(document: Schema, operations: list[tuple[str, str, Schema]]) -> str:
    lines = [HEAD]
    lines.append("/** Method, path, who may call (`jwt`, `either` with or without it, `iam`), how tokens come. */")
    lines.append("export const OPERATIONS = {")
    for method, path, operation in operations:
        entry = [method.upper(), path]
        schemes = [scheme for requirement in operation["security"] for scheme in requirement]
        caller = "jwt" if "cognitoJwt" in schemes else "iam" if "iam" in schemes else ""
        if caller == "jwt" and {} in operation["security"]:
            caller = "either"
        takes_delivery = "tokenDelivery" in fields_of(document, input_of(operation))
        if caller or takes_delivery:
            entry.append(caller)
        if takes_delivery:
            entry.append("tokenDelivery")
        lines.append(f"  {operation['operationId']}: [{', '.join(quoted(word) for word in entry)}],")
    lines.append("};\n")
    return "\n".join(lines)


def quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"


def types(document: Schema, operations: list[tuple[str, str, Schema]]) -> str:
    schemas = document["components"]["schemas"]
    used: list[str] = []
    parts: list[str] = []
    for _, _, operation in operations:
        parts.append(method_type(document, operation, used))
    methods = "\n".join(parts)
    problems = "\n".join(f"  {operation['operationId']}:{union(codes_of(document, operation), '    ')};" for _, _, operation in operations)
    declared: list[str] = []
    seen: set[str] = set()
    while used:
        name = used.pop(0)
        if name in seen:
            continue
        seen.add(name)
        declared.append(declaration(name, schemas[name], used))
    every = sorted(
        {code for _, _, operation in operations for code in codes_of(document, operation)}
        | {resolve(document, schema)["properties"]["code"]["const"] for schema in problem_schemas(document)}
    )
    return "\n".join(
        [
            HEAD,
            "/** What a call takes beside its input. */",
            "export interface CallOptions {",
            "  /** Ends the call; the promise rejects with the signal's reason. */",
            "  readonly signal?: AbortSignal;",
            "  /** How long one request may take; 30 seconds when absent, as long as the API itself waits. */",
            "  readonly timeoutMs?: number;",
            "}",
            "",
            "/** Every `code` that an operation's problem has. */",
            f"export type ProblemCode ={union(every, '  ')};",
            "",
            "/** The codes of each operation's problems. */",
            "export interface OperationProblems {",
            problems,
            "}",
            "",
            "/** The operations. Each rejects with a `LatchkeyProblem`. */",
            "export interface Operations {",
            methods,
            "}",
            "",
            *sorted(declared),
        ]
    )


def problem_schemas(document: Schema) -> list[Schema]:
    found = []
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Problem") and name != "Problem":
            found.append(merged(document, schema))
    return found


def merged(document: Schema, schema: Schema) -> Schema:
    schema = resolve(document, schema)
    properties = dict(schema.get("properties", {}))
    for each in schema.get("allOf", []):
        for name, value in merged(document, each)["properties"].items():
            properties[name] = value
    return {"properties": properties}


def codes_of(document: Schema, operation: Schema) -> list[str]:
    codes: set[str] = set()

    def walk(schema: Schema) -> None:
        if "$ref" in schema:
            name: str = schema["$ref"].rsplit("/", 1)[-1]
            if name == "Problem":
                return
        schema = resolve(document, schema)
        code = schema.get("properties", {}).get("code", {})
        if "const" in code:
            codes.add(code["const"])
        codes.update(code.get("enum", []))
        for key in ("allOf", "oneOf", "anyOf"):
            for each in schema.get(key, []):
                walk(each)

    for status, answer in operation["responses"].items():
        if status[0] in "45":
            content = resolve(document, answer).get("content", {}).get("application/problem+json")
            if content:
                walk(content["schema"])
    return sorted(codes)


def method_type(document: Schema, operation: Schema, used: list[str]) -> str:
    given = input_of(operation)
    parameters = [
        parameter
        for parameter in (resolve(document, each) for each in operation.get("parameters", []))
        if parameter["in"] in ("path", "query")
    ]
    pieces = [] if given is None else [type_of(given, used, "    ")]
    if parameters:
        fields = [f"{each['name']}{'' if each.get('required') else '?'}: {type_of(each['schema'], used, '    ')}" for each in parameters]
        pieces.append("{ " + "; ".join(fields) + " }")
    required = bool(parameters and any(each.get("required") for each in parameters)) or (
        given is not None and bool(resolve(document, given).get("required") or resolve(document, given).get("anyOf"))
    )
    argument = " & ".join(pieces) if pieces else "Record<string, never>"
    answers = []
    for status, answer in operation["responses"].items():
        if status[0] == "2":
            content = resolve(document, answer).get("content", {}).get("application/json")
            answers.append(type_of(content["schema"], used, "    ") if content else "void")
    outcome = " | ".join(dict.fromkeys(answers))
    question = "" if required else "?"
    return (
        f"{comment(operation['summary'] + '.', '  ')}  {operation['operationId']}(\n"
        f"    input{question}: {argument},\n"
        f"    options?: CallOptions,\n"
        f"  ): Promise<{outcome}>;"
    )


def comment(text: str, indent: str) -> str:
    text = text.strip()
    if "\n\n" not in text and len(text) + len(indent) + len("/**  */") <= WIDTH:
        return f"{indent}/** {' '.join(text.split())} */\n"
    width = WIDTH - len(indent) - len(" * ")
    lines = "\n\n".join(textwrap.fill(part, width, break_on_hyphens=False) for part in text.split("\n\n")).split("\n")
    body = "\n".join(f"{indent} * {line}".rstrip() for line in lines)
    return f"{indent}/**\n{body}\n{indent} */\n"


def declaration(name: str, schema: Schema, used: list[str]) -> str:
    doc = comment(schema["description"], "") if "description" in schema else ""
    return f"{doc}export type {name} = {type_of(schema, used, '')};\n"


def type_of(schema: Schema, used: list[str], indent: str) -> str:
    if "$ref" in schema:
        name: str = schema["$ref"].rsplit("/", 1)[-1]
        used.append(name)
        return name
    if "const" in schema:
        return json_type(schema["const"])
    if "enum" in schema:
        return " | ".join(json_type(value) for value in schema["enum"])
    for key, joint in (("oneOf", " | "), ("allOf", " & ")):
        if key in schema:
            return joint.join(bracketed(type_of(each, used, indent)) for each in schema[key])
    kinds = schema.get("type", "object")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return " | ".join(kind_of(kind, schema, used, indent) for kind in kinds)


def union(words: list[str], indent: str) -> str:
    return "".join(f"\n{indent}| {quoted(word)}" for word in words)


def bracketed(text: str) -> str:
    return text if re.fullmatch(r"\w+|\{[^{}]*\}", text) else f"({text})"


def json_type(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def kind_of(kind: str, schema: Schema, used: list[str], indent: str) -> str:
    if kind in ("string", "boolean", "null"):
        return kind
    if kind in ("integer", "number"):
        return "number"
    if kind == "array":
        return f"readonly {bracketed(type_of(schema['items'], used, indent))}[]"
    properties = schema.get("properties")
    if not properties:
        return "Record<string, unknown>"
    inner = indent + "  "
    lines = []
    for name, value in properties.items():
        # In a client's request, a null means an absent member; both are allowed.
        question = "" if name in schema.get("required", []) else "?"
        doc = comment(value["description"], inner) if "description" in value else ""
        lines.append(f"{doc}{inner}readonly {name}{question}: {type_of(value, used, inner)};")
    return "{\n" + "\n".join(lines) + f"\n{indent}}}"
