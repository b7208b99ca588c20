"""The functions: callers get the right version, no one else calls them, and their rights are
exactly the contract's grants."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.exceptions

from deployment import environment
from deployment.contract import contract
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Finding, error, note, warning
from deployment.releases import ALIAS, Aliases

# Every function's rights besides its grants: write its log and its traces, and decrypt the data
# that it may read.
OWN_ACTIONS = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments", "kms:Decrypt"}
# AgentCore reads the provider's secret with the caller's rights.
WITH_VAULT = {"secretsmanager:GetSecretValue"}
LAMBDA = "lambda.amazonaws.com"


def live(deployed: Deployed) -> Iterator[Finding]:
    aliases = Aliases(deployed.where)
    for name in contract().functions:
        function = deployed.function_name(name)
        if deployed.function(name) is None:
            yield error(
                "function-missing",
                function,
                "the contract names it, and there is no such function with an alias live",
                "deploy phases 2 and 3",
            )
            continue
        weights = aliases.weights(name)
        for version, weight in weights.items():
            yield note(
                "canary",
                function,
                f"{weight:.0%} of its invocations go to version {version}",
                "scripts/canary ends it, or scripts/roll-back",
            )
        newest, current = aliases.versions(name)[-1], aliases.live(name)
        if not weights and newest != current:
            yield note(
                "held-back",
                function,
                f"version {current} is live, and {newest} is the newest",
                "the next deployment of another zip moves it on",
            )


def settings(deployed: Deployed) -> Iterator[Finding]:
    for name in contract().functions:
        function = deployed.function(name)
        if function is None:
            continue
        subject = deployed.function_name(name)
        if function.get("Architectures") != ["arm64"] or function.get("Runtime") != "provided.al2023":
            yield warning(
                "runtime",
                subject,
                f"it runs on {function.get('Runtime')} for {', '.join(function.get('Architectures', []))}, and its zip is for provided.al2023 on arm64",
            )
        if function.get("TracingConfig", {}).get("Mode") != "Active":
            yield warning("tracing", subject, "its invocations leave no traces, because active tracing is off")
        if function.get("LoggingConfig", {}).get("LogFormat") != "JSON":
            yield warning("log-format", subject, "Lambda's own lines in its log are no JSON, and queries miss them")
        yield from retention(deployed, function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{subject}")


def second_factor(deployed: Deployed) -> Iterator[Finding]:
    """Whether one factor is enough is the same at every sign-in, and for every client."""
    answers: dict[str, list[str]] = {}
    for name in contract().functions:
        variables = (deployed.function(name) or {}).get("Environment", {}).get("Variables", {})
        if "SECOND_FACTOR" in variables:
            answers.setdefault(variables["SECOND_FACTOR"], []).append(name)
    if len(answers) > 1:
        waits, ends = sorted(answers.get("required", [])), sorted(answers.get("optional", []))
        yield error(
            "second-factor",
            deployed.where.prefix,
            f"one factor is enough for {', '.join(ends)}, and not for {', '.join(waits)}, so a thief of one takes the former way",
            "deploy phase 3",
        )
    if "required" in answers and deployed.where.public_client == "api":
        yield error(
            "second-factor",
            deployed.where.prefix,
            "a second factor is required, and the public client, which asks for none, opens the API",
            "set public_client to sign-in or off",
        )


def retention(deployed: Deployed, group: str) -> Iterator[Finding]:
    groups = deployed.where.aws("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    kept = next((found.get("retentionInDays") for found in groups if found["logGroupName"] == group), None)
    if kept is None:
        yield warning("log-retention", group, "the log is kept for ever, with whatever traces of people are in it")


def callers(deployed: Deployed) -> Iterator[Finding]:
    """A function is called by its route, or by its pool, and has no address of its own."""
    awslambda = deployed.where.aws("lambda")
    for name in contract().functions:
        subject = deployed.function_name(name)
        if deployed.function(name) is None:
            continue
        for which in ({}, {"Qualifier": ALIAS}):
            for statement in resource_policy(awslambda, subject, which):
                yield from caller(subject, statement)
            if authorization := function_url(awslambda, subject, which):
                sentence = (
                    f"it answers at an address of its own (authorization {authorization}), past API Gateway, CloudFront and their limits"
                )
                yield error("function-url", subject, sentence, "delete the function URL")


def caller(subject: str, statement: dict[str, Any]) -> Iterator[Finding]:
    principal, condition = json.dumps(statement.get("Principal")), json.dumps(statement.get("Condition", {}))
    if "*" in principal and "aws:SourceArn" not in condition and "AWS:SourceArn" not in condition:
        yield error(
            "open-function",
            subject,
            "anybody with an AWS account may invoke it, and say in the event who they are",
            "remove the permission",
        )
    elif "apigateway.amazonaws.com" in principal and "sourcearn" not in condition.lower():
        yield error(
            "open-function", subject, "every API of every account may invoke it, because its permission names none", "remove the permission"
        )


def function_url(awslambda: Any, function: str, which: dict[str, str]) -> str | None:
    """The callers of the function's own address; none if it has no such address."""
    try:
        return str(awslambda.get_function_url_config(FunctionName=function, **which)["AuthType"])
    except awslambda.exceptions.ResourceNotFoundException:
        return None


def resource_policy(awslambda: Any, function: str, which: dict[str, str]) -> list[dict[str, Any]]:
    try:
        policy = awslambda.get_policy(FunctionName=function, **which)["Policy"]
    except awslambda.exceptions.ResourceNotFoundException:
        return []
    return list(json.loads(policy)["Statement"])


def asked_by_a_service(statement: dict[str, Any]) -> bool:
    """Whether it lets a service alone, DynamoDB say, use a key for the function: no call of the
    function's own."""
    return "kms:ViaService" in json.dumps(statement.get("Condition", {}))


def grants(deployed: Deployed) -> Iterator[Finding]:
    for name in contract().functions:
        function = deployed.function(name)
        if function is None:
            continue
        role, subject = function["Role"].rpartition("/")[2], deployed.function_name(name)
        statements = [statement for statement in role_statements(deployed, role) if statement["Effect"] == "Allow"]
        yield from wildcards(subject, statements)
        granted, allowed = contract().actions[name], {action for statement in statements for action in listed(statement["Action"])}
        itself = {action for statement in statements if not asked_by_a_service(statement) for action in listed(statement["Action"])}
        vault = WITH_VAULT if any(action.startswith("bedrock-agentcore:") for action in granted) else set()
        more = sorted(action for action in itself - granted - OWN_ACTIONS - vault if "*" not in action)
        if more:
            yield error("grant", subject, f"its role may do what the contract does not grant: {', '.join(more)}")
        # Without a sender, there is no right to send to grant.
        less = sorted(granted - allowed - {"ses:SendEmail"})
        if less and not any("*" in action for action in allowed):
            yield error(
                "grant-missing", subject, f"its role may not do what the contract grants: {', '.join(less)}; its first call of that fails"
            )


def wildcards(subject: str, statements: list[dict[str, Any]]) -> Iterator[Finding]:
    for statement in statements:
        actions = listed(statement.get("Action", statement.get("NotAction", [])))
        if "NotAction" in statement or any("*" in action for action in actions):
            yield error("wildcard-action", subject, f"its role may do anything of {', '.join(actions)}")
        if "*" in listed(statement.get("Resource", "*")) and not all(action.startswith("xray:") for action in actions):
            yield error("wildcard-resource", subject, f"its role may do {', '.join(actions)} to everything in the account")


def role_statements(deployed: Deployed, role: str) -> Iterator[dict[str, Any]]:
    iam = deployed.where.aws("iam")
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield from listed(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"])
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        yield from listed(
            iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]["Statement"]
        )


def trust(deployed: Deployed) -> Iterator[Finding]:
    """A function's role is Lambda's to take. The deploying role may make roles with any trust
    policy: IAM has no condition on that."""
    for name in contract().functions:
        function = deployed.function(name)
        if function is None:
            continue
        role = function["Role"].rpartition("/")[2]
        document = deployed.where.aws("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        allowing = [statement for statement in listed(document["Statement"]) if statement["Effect"] == "Allow"]
        others = {one for statement in allowing for one in who(statement)} - {LAMBDA}
        if others:
            yield error("role-trust", role, f"others than Lambda may take a function's role: {', '.join(sorted(others))}")


def who(statement: dict[str, Any]) -> list[str]:
    principal = statement.get("Principal", "everybody but some")
    return [str(one) for ones in principal.values() for one in listed(ones)] if isinstance(principal, dict) else [str(principal)]


def deploy_role(deployed: Deployed) -> Iterator[Finding]:
    """The workflows that may deploy, if GitHub may at all."""
    iam, subject = deployed.where.aws("iam"), f"{deployed.where.prefix}-deploy"
    try:
        trust = iam.get_role(RoleName=subject)["Role"]["AssumeRolePolicyDocument"]
    except botocore.exceptions.ClientError as refused:
        if environment.code_of(refused) == "NoSuchEntity":
            return
        raise
    for statement in listed(trust["Statement"]):
        exact = statement.get("Condition", {}).get("StringEquals", {})
        subjects = [value for key, values in exact.items() if key.endswith(":sub") for value in listed(values)]
        if not subjects or any("*" in one or ":environment:" not in one for one in subjects):
            yield error(
                "deploy-role",
                subject,
                "workflows of other repositories, or of any branch, may take the role that deploys, because its trust names no environment exactly",
            )


def listed(value: Any) -> list[Any]:
    """IAM writes a list of one without the list."""
    return value if isinstance(value, list) else [value]


CHECKS = (live, settings, second_factor, callers, grants, trust, deploy_role)
