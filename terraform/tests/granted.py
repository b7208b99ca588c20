"""Holds the calls that aws_on_moto.py has seen since it was last asked against the policies of the
roles that workflows take.

    granted.py deploy             every call is one that the deploying role may make
    granted.py plan               every call is one that the planning role may make, within its boundary
    granted.py deploy,plan        every call is one that either role may make
    granted.py forget             asks, and judges nothing
    granted.py deploy ACTION…     every call but those of these actions, which it may not make

The calls are then in the file that CALLS names, as JSON, for what else a test asks of them.

Policies are read from moto, as they were deployed. Of a call, its action is judged, and its
resource as far as the request names it; conditions are not: a condition that fails is for AWS to
show.
"""

import json
import pathlib
import re
import sys
import urllib.request
from fnmatch import fnmatchcase
from os import environ
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import botocore.session

ACCOUNT = "123456789012"

# A signature's service => the service's name in botocore, if they differ.
SERVICES = {"apigateway": "apigatewayv2", "email": "ses", "monitoring": "cloudwatch"}
# A path's beginning => the service's name in botocore, if one signature covers two.
SECOND_SERVICES = {"/v2/email/": "sesv2"}

# A call => IAM's name of its action, if they differ.
ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
# A call => IAM's additional actions, of the service whose resource it is about. Such an action is
# no call, so it is never seen.
BESIDES = {
    "wafv2:AssociateWebACL": "cognito-idp:AssociateWebACL",
    "wafv2:DisassociateWebACL": "cognito-idp:DisassociateWebACL",
    "wafv2:GetWebACLForResource": "cognito-idp:GetWebACLForResource",
}
# A call that brings tags along needs TagResource of its service too, or what that service calls it.
TAGGING = {
    "acm:RequestCertificate": "acm:AddTagsToCertificate",
    "firehose:CreateDeliveryStream": "firehose:TagDeliveryStream",
    "iam:CreateOpenIDConnectProvider": "iam:TagOpenIDConnectProvider",
    "iam:CreatePolicy": "iam:TagPolicy",
    "iam:CreateRole": "iam:TagRole",
    "s3:PutObject": "s3:PutObjectTagging",
    "sqs:CreateQueue": "sqs:TagQueue",
}
# A member of a request that holds tags: Tags, Tags.member.1.Key, UserPoolTags; but not TagKeys.
TAGS = re.compile(r"\w*tags?(\.|$)", re.IGNORECASE)
# Needs no permission.
FREE = {"sts:GetCallerIdentity"}

# A member of a request => the resource that it names, unless it is an ARN anyway.
NAMES = {
    "alarmname": "arn:aws:cloudwatch:{region}:{account}:alarm:",
    "dashboardname": "arn:aws:cloudwatch::{account}:dashboard/",
    "functionname": "arn:aws:lambda:{region}:{account}:function:",
    "keyid": "arn:aws:kms:{region}:{account}:key/",
    "loggroupname": "arn:aws:logs:{region}:{account}:log-group:",
    "rolename": "arn:aws:iam::{account}:role/",
    "tablename": "arn:aws:dynamodb:{region}:{account}:table/",
    "userpoolid": "arn:aws:cognito-idp:{region}:{account}:userpool/",
}


def main() -> None:
    roles, *lacking = sys.argv[1:]
    with urllib.request.urlopen(f"{environ['AWS_ENDPOINT_URL']}/seen-by-the-test") as answer:
        calls = json.load(answer)
    if "CALLS" in environ:
        pathlib.Path(environ["CALLS"]).write_text(json.dumps(calls))
    if roles != "forget":
        for role in roles.split(","):
            judge(role, lacking, calls)


def judge(role, lacking, calls):
    iam = boto3.client("iam")
    attached = [policy["PolicyArn"] for policy in iam.list_attached_role_policies(RoleName=f"latchkey-dev-{role}")["AttachedPolicies"]]
    within = [[statement for arn in attached for statement in statements(iam, arn)]]
    if boundary := iam.get_role(RoleName=f"latchkey-dev-{role}")["Role"].get("PermissionsBoundary"):
        within.append(statements(iam, boundary["PermissionsBoundaryArn"]))
    refused, models = {}, {}
    for call in calls:
        action, resources = understood(call, models)
        for wanted in filter(None, (action, BESIDES.get(action), tagging(call, action))):
            if wanted not in FREE and not all(allows(policy, wanted, resources) for policy in within):
                refused.setdefault(wanted, resources)
    wrong = {action: resources for action, resources in refused.items() if action not in lacking}
    for action, resources in sorted(wrong.items()):
        print(f"granted: the role {role} may not {action} {' '.join(resources)}", file=sys.stderr)
    for action in sorted(set(lacking) - set(refused)):
        print(f"granted: the role {role} may {action}, or nobody has called it", file=sys.stderr)
    if wrong or set(lacking) - set(refused) or not calls:
        sys.exit(f"granted: {len(calls)} calls judged")


def statements(iam, arn):
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]["Statement"]


def allows(policy, action, resources):
    def speaks_of(statement):
        named = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in statement["Action"])
        return named and (not resources or any(fnmatchcase(arn, pattern) for arn in resources for pattern in statement["Resource"]))

    said = {statement["Effect"] for statement in policy if speaks_of(statement)}
    return said == {"Allow"}


def understood(call, models):
    """IAM's action of a call, and the ARNs of its possible resources."""
    service = SERVICES.get(call["service"], call["service"])
    url = urlsplit(call["url"])
    path, query = url.path, parse_qs(url.query, keep_blank_values=True)
    body = members(call["body"])
    named = {}
    in_form = body.get("Action") if "Version" in body else None
    operation = call["target"].rpartition(".")[2] or in_form or path.partition("/operation/")[2]
    if not operation:
        model = next((name for begin, name in SECOND_SERVICES.items() if path.startswith(begin)), service)
        if model not in models:
            models[model] = rest_operations(model)
        operation, named = rest_operation(models[model], call["method"], path, query)
    if service == "apigatewayv2":
        return f"apigateway:{call['method']}", [f"arn:aws:apigateway:{call['region']}::{path.removeprefix('/v2')}"]
    action = f"{service}:{operation}"
    return ACTIONS.get(action, action), resources_of(service, call["region"], {**body, **named})


def tagging(call, action):
    """IAM's additional action of a call that tags what it makes; none of a call that only tags."""
    brings = call["tags"] or "<Tags>" in call["body"] or any(TAGS.match(name) and value for name, value in members(call["body"]).items())
    return (
        TAGGING.get(action, f"{action.partition(':')[0]}:TagResource") if brings and not re.search(":(Un)?Tag|Tagging$", action) else None
    )


def members(body):
    """The top members of a request's body, in JSON or as a form; names are bare."""
    try:
        return {str(name): value for name, value in json.loads(body).items()}
    except (ValueError, AttributeError):
        return {name: values[0] for name, values in parse_qs(body).items()} if "=" in body and "<" not in body else {}


def resources_of(service, region, given):
    if service == "s3":
        bucket, key = given.get("Bucket"), given.get("Key")
        return [f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"] if bucket else []
    found = []
    for name, value in given.items():
        if not isinstance(value, str):
            continue
        if value.startswith("arn:aws:") and re.search("arn|resource|^(Secret|Key|Function|Table)", name, re.IGNORECASE):
            found.append(value)
        elif prefix := NAMES.get(name.lower()):
            found.append(prefix.format(region=region, account=ACCOUNT) + value)
    if service == "events" and not found and (rule := given.get("Rule", given.get("Name"))):
        bus = given.get("EventBusName", "default")
        found.append(f"arn:aws:events:{region}:{ACCOUNT}:rule/{rule if bus == 'default' else f'{bus}/{rule}'}")
    return found


def rest_operations(service):
    model = botocore.session.get_session().get_service_model(service)
    operations = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        shape = operation.input_shape
        asked = {member: shape.members[member].serialization for member in shape.required_members} if shape else {}
        # S3 distinguishes some by a header, such as copies; none of those is called here.
        if service == "s3" and any(place.get("location") == "header" for place in asked.values()):
            continue
        http = operation.http
        path, _, query = http["requestUri"].partition("?")
        pieces, names = re.split(r"\{([\w-]+)(\+?)\}", path), []
        pattern = re.escape(pieces.pop(0))
        while pieces:
            member, long, text = pieces[:3]
            del pieces[:3]
            names.append(member)
            pattern += ("(.+)" if long else "([^/]+)") + re.escape(text)
        wanted = {part.partition("=")[0] for part in query.split("&") if part}
        wanted |= {place["name"] for place in asked.values() if place.get("location") == "querystring"}
        operations.append((len(wanted), len(path), name, http["method"], re.compile(pattern + "/?"), names, wanted))
    # The most specific ones come first.
    return sorted(operations, key=lambda operation: operation[:2], reverse=True)


def rest_operation(operations, method, path, query):
    for _, _, name, of_method, pattern, names, wanted in operations:
        if of_method == method and wanted <= query.keys() and (found := pattern.fullmatch(path)):
            return name, {member: unquote(value) for member, value in zip(names, found.groups(), strict=True)}
    raise LookupError(f"no operation is {method} {path}?{'&'.join(query)}")


main()
