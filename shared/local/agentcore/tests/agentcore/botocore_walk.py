"""Calls each operation through boto3 and compares every raw answer with botocore's model of it.

boto3 checks the requests by itself. It is lenient with answers: it drops unknown members and
accepts any text as an enumeration's. So the bodies are checked here: no unknown member, none
missing, each of its type, pattern and length.
"""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config

URL, DISCOVERY, JWT, CLIENT_ID, CLIENT_SECRET = sys.argv[1:]
RETURN_URL = "https://app.example/cb"

# The patterns of these shapes name a service "acps", which no real ARN does.
MISTAKEN = {"CredentialProviderArnType"}

session = boto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name="eu-west-1")
config = Config(retries={"total_max_attempts": 1})
data = session.client("bedrock-agentcore", endpoint_url=URL, config=config)
control = session.client("bedrock-agentcore-control", endpoint_url=URL, config=config)
walked, faults = set(), []


def walk(shape, value, path):
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return faults.append(f"{path}: not an object")
        for name in shape.required_members:
            if name not in value:
                faults.append(f"{path}: {name} is missing")
        for name, member in value.items():
            if name in shape.members:
                walk(shape.members[name], member, f"{path}.{name}")
            else:
                faults.append(f"{path}: the model knows no {name}")
        if getattr(shape, "is_tagged_union", False) and len(value) != 1:
            faults.append(f"{path}: a union of {len(value)} members")
    elif kind == "list":
        for index, entry in enumerate(value):
            walk(shape.member, entry, f"{path}[{index}]")
    elif kind == "string":
        if not isinstance(value, str):
            return faults.append(f"{path}: not text")
        meta = shape.metadata
        if shape.enum and value not in shape.enum:
            faults.append(f"{path}: {value} is not one of {shape.enum}")
        if not meta.get("min", 0) <= len(value) <= meta.get("max", sys.maxsize):
            faults.append(f"{path}: {len(value)} characters")
        pattern = meta.get("pattern", "")
        if pattern and shape.name not in MISTAKEN and not re.fullmatch(pattern, value):
            faults.append(f"{path}: {value} does not match {pattern}")
    elif kind == "timestamp":
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            faults.append(f"{path}: not epoch seconds")
    else:
        faults.append(f"{path}: nobody here knows a {kind}")


def check(http_response, model, **_):
    status = http_response.status_code
    body = json.loads(http_response.content or "{}")
    if status < 300:
        walked.add(model.name)
        if status != model.http["responseCode"]:
            faults.append(f"{model.name}: {status} instead of {model.http['responseCode']}")
        return walk(model.output_shape, body, model.name)
    name = http_response.headers["x-amzn-errortype"]
    known = {shape.name: shape for shape in model.error_shapes}
    if name not in known:
        return faults.append(f"{model.name}: the model knows no {name} ({body.get('message')})")
    if status != known[name].metadata["error"]["httpStatusCode"]:
        faults.append(f"{model.name}: {name} with {status}")
    walk(known[name], body, f"{model.name}: {name}")


for client in (data, control):
    client.meta.events.register("after-call", lambda **kw: check(**kw))


def refused(name, call, /, **parameters):
    try:
        call(**parameters)
    except (data.exceptions.ClientError, control.exceptions.ClientError) as error:
        assert error.response["Error"]["Code"] == name, error
        return error.response
    raise AssertionError(f"{name} was expected")


class StayHere(urllib.request.HTTPRedirectHandler):
    """Follows redirects as long as they stay on this machine."""

    def redirect_request(self, request, body, code, message, headers, location):
        if urllib.parse.urlsplit(location).hostname != "127.0.0.1":
            return None
        return super().redirect_request(request, body, code, message, headers, location)


def browse(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), StayHere())
    request = urllib.request.Request(url, headers={"Cookie": "person=nina"})
    try:
        opener.open(request)
    except urllib.error.HTTPError as outside:
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(outside.headers["Location"]).query))
    raise AssertionError("the browser stayed here")


# The control plane.
NAME = {"name": "walker"}
control.create_workload_identity(**NAME, allowedResourceOauth2ReturnUrls=["https://app.example/old"], tags={"a": "b"})
refused("ConflictException", control.create_workload_identity, **NAME)
refused("ValidationException", control.update_workload_identity, **NAME, allowedResourceOauth2ReturnUrls=["https://[bad"])
control.update_workload_identity(**NAME, allowedResourceOauth2ReturnUrls=[RETURN_URL])
assert control.get_workload_identity(**NAME)["allowedResourceOauth2ReturnUrls"] == [RETURN_URL]
refused("ResourceNotFoundException", control.get_workload_identity, name="nobody")
first = control.list_workload_identities(maxResults=1)
second = control.list_workload_identities(maxResults=1, nextToken=first["nextToken"])
names = [page["workloadIdentities"][0]["name"] for page in (first, second)]
assert names == ["agent", "walker"] and "nextToken" not in second, names

CUSTOM = {"customOauth2ProviderConfig": {"oauthDiscovery": {"discoveryUrl": DISCOVERY}, "clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}}
WRONG = {"customOauth2ProviderConfig": {"oauthDiscovery": {"discoveryUrl": DISCOVERY}, "clientId": "other", "clientSecret": "other"}}
made = control.create_oauth2_credential_provider(name="walked", credentialProviderVendor="CustomOauth2", oauth2ProviderConfigInput=WRONG)
updated = control.update_oauth2_credential_provider(name="walked", credentialProviderVendor="CustomOauth2", oauth2ProviderConfigInput=CUSTOM)
assert made["callbackUrl"] == updated["callbackUrl"]
shown = control.get_oauth2_credential_provider(name="walked")
assert shown["oauth2ProviderConfigOutput"]["customOauth2ProviderConfig"]["clientId"] == CLIENT_ID
assert CLIENT_SECRET not in str(shown)
refused("ConflictException", control.create_oauth2_credential_provider, name="walked", credentialProviderVendor="CustomOauth2", oauth2ProviderConfigInput=CUSTOM)
refused("ValidationException", control.create_oauth2_credential_provider, name="other", credentialProviderVendor="CognitoOauth2", oauth2ProviderConfigInput=CUSTOM)
INCLUDED = {"includedOauth2ProviderConfig": {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}}
refused("ValidationException", control.create_oauth2_credential_provider, name="pool", credentialProviderVendor="CognitoOauth2", oauth2ProviderConfigInput=INCLUDED)
ISSUER = DISCOVERY.removesuffix("/.well-known/openid-configuration")
INCLUDED["includedOauth2ProviderConfig"]["issuer"] = ISSUER
control.create_oauth2_credential_provider(name="pool", credentialProviderVendor="CognitoOauth2", oauth2ProviderConfigInput=INCLUDED)
INCLUDED["includedOauth2ProviderConfig"] |= {"authorizationEndpoint": f"{ISSUER}/authorize?tenant=blue", "tokenEndpoint": f"{ISSUER}/token"}
control.update_oauth2_credential_provider(name="pool", credentialProviderVendor="CognitoOauth2", oauth2ProviderConfigInput=INCLUDED)
GOOGLE = {"googleOauth2ProviderConfig": {"clientId": "a", "clientSecret": "b"}}
refused("ValidationException", control.create_oauth2_credential_provider, name="google", credentialProviderVendor="GoogleOauth2", oauth2ProviderConfigInput=GOOGLE)
listed = control.list_oauth2_credential_providers()["credentialProviders"]
assert [one["name"] for one in listed] == ["mail", "pool", "walked"], listed

# The data plane.
data.get_workload_access_token(workloadName="walker")
by_id = data.get_workload_access_token_for_user_id(workloadName="walker", userId="tenant#nina")["workloadAccessToken"]
by_jwt = data.get_workload_access_token_for_jwt(workloadName="walker", userToken=JWT)["workloadAccessToken"]
answer = refused("ValidationException", data.get_workload_access_token, workloadName="a b c")
assert answer["reason"] == "FieldValidationFailed" and answer["fieldList"][0]["name"] == "workloadName", answer
refused("ResourceNotFoundException", data.get_workload_access_token, workloadName="nobody")
refused("UnauthorizedException", data.get_workload_access_token_for_jwt, workloadName="walker", userToken="a.b.c")

for provider in ("walked", "pool"):
    for token, who in ((by_id, {"userId": "tenant#nina"}), (by_jwt, {"userToken": JWT})):
        ask = {
            "workloadIdentityToken": token,
            "resourceCredentialProviderName": provider,
            "scopes": ["openid"],
            "oauth2Flow": "USER_FEDERATION",
            "resourceOauth2ReturnUrl": RETURN_URL,
            "customState": "s1",
            "customParameters": {"prompt": "login"},
        }
        begun = data.get_resource_oauth2_token(**ask)
        poll = ask | {"sessionUri": begun["sessionUri"]}
        assert data.get_resource_oauth2_token(**poll)["sessionStatus"] == "IN_PROGRESS"
        landed = browse(begun["authorizationUrl"])
        assert landed == {"session_id": begun["sessionUri"], "state": "s1"}, landed
        assert "accessToken" not in data.get_resource_oauth2_token(**poll)
        refused("AccessDeniedException", data.complete_resource_token_auth, sessionUri=landed["session_id"], userIdentifier={"userId": "otto"})
        data.complete_resource_token_auth(sessionUri=landed["session_id"], userIdentifier=who)
        assert data.get_resource_oauth2_token(**poll)["accessToken"].startswith("access|nina|openid|")
        refused("ValidationException", data.complete_resource_token_auth, sessionUri=landed["session_id"], userIdentifier=who)
refused("ResourceNotFoundException", data.get_resource_oauth2_token, **(ask | {"resourceCredentialProviderName": "nothing"}))

# A deleted resource no longer exists, and neither do its parts.
control.delete_oauth2_credential_provider(name="walked")
refused("ResourceNotFoundException", control.delete_oauth2_credential_provider, name="walked")
control.create_oauth2_credential_provider(name="walked", credentialProviderVendor="CustomOauth2", oauth2ProviderConfigInput=CUSTOM)
again = data.get_resource_oauth2_token(**(ask | {"resourceCredentialProviderName": "walked"}))
assert "authorizationUrl" in again, again
control.delete_workload_identity(**NAME)
refused("ResourceNotFoundException", control.delete_workload_identity, **NAME)
refused("ResourceNotFoundException", data.get_resource_oauth2_token, **ask)

assert not faults, "\n".join(faults)
print(f"operations held against the models: {len(walked)}")
