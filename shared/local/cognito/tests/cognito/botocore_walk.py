"""Calls each operation through boto3 and compares every raw answer with botocore's model of it.

boto3 checks the requests by itself. It is lenient with answers: it drops unknown members and
accepts any text as an enumeration's. So the bodies are checked here: no unknown member, none
missing, each of its type, pattern and length.
"""

import base64
import hashlib
import hmac
import json
import re
import struct
import sys
import time
import urllib.request

import boto3
from botocore.config import Config

URL, POOL, CLIENT, MAILBOX = sys.argv[1:]

# In the service for longer than in the model that botocore ships.
NEWER = {("RespondToAuthChallengeResponse", "AvailableChallenges")}

session = boto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name="eu-west-1")
cognito = session.client("cognito-idp", endpoint_url=URL, config=Config(retries={"total_max_attempts": 1}))
model = cognito.meta.service_model
walked, faults = set(), []


def walk(shape, value, path):
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return
    if kind == "structure":
        if not isinstance(value, dict):
            return faults.append(f"{path}: not an object")
        for name in shape.required_members:
            if name not in value:
                faults.append(f"{path}: {name} is missing")
        for name, member in value.items():
            if name in shape.members:
                walk(shape.members[name], member, f"{path}.{name}")
            elif (shape.name, name) not in NEWER:
                faults.append(f"{path}: the model knows no {name}")
    elif kind == "list":
        for index, entry in enumerate(value):
            walk(shape.member, entry, f"{path}[{index}]")
    elif kind == "map":
        for name, entry in value.items():
            walk(shape.key, name, f"{path}<key>")
            walk(shape.value, entry, f"{path}.{name}")
    elif kind == "string":
        if not isinstance(value, str):
            return faults.append(f"{path}: not text")
        meta = shape.metadata
        if shape.enum and value not in shape.enum:
            faults.append(f"{path}: {value} is not one of {shape.enum}")
        if not meta.get("min", 0) <= len(value) <= meta.get("max", sys.maxsize):
            faults.append(f"{path}: {len(value)} characters")
        pattern = meta.get("pattern", "")
        if pattern and "\\p" not in pattern and not re.fullmatch(pattern, value):
            faults.append(f"{path}: does not match {pattern}")
    elif kind == "boolean":
        if not isinstance(value, bool):
            faults.append(f"{path}: not a boolean")
    elif kind in ("integer", "long"):
        if not isinstance(value, int) or isinstance(value, bool):
            faults.append(f"{path}: not a whole number")
    elif kind == "timestamp":
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            faults.append(f"{path}: not epoch seconds")


def check(http_response, parsed, model, **_):
    body = json.loads(http_response.content)
    if http_response.status_code == 200:
        walked.add(model.name)
        if model.output_shape is not None:
            walk(model.output_shape, body, model.name)
        return
    known = {shape.name for shape in model.error_shapes}
    if body["__type"] not in known:
        faults.append(f"{model.name}: the model knows no {body['__type']} ({body.get('message')})")


cognito.meta.events.register("after-call.cognito-identity-provider", lambda **kw: check(**kw))


def code():
    with urllib.request.urlopen(MAILBOX) as answer:
        return answer.read().decode()


def refused(name, call, *arguments, **parameters):
    try:
        call(*arguments, **parameters)
    except cognito.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == name, error
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        return
    raise AssertionError(f"{name} was expected")


def totp(secret, at):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    tag = hmac.new(key, struct.pack(">Q", at // 30), hashlib.sha1).digest()
    offset = tag[19] & 15
    return f"{(struct.unpack('>I', tag[offset:offset + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"


# The hash of the password "Correct-Horse-7".
BCRYPT = "$2b$05$abcdefghijklmnopqrstuuprk/rqhgcPTYTHLq52sX1mIsVNYyi5u"
NAME = "nina@example.com"
WHO = {"UserPoolId": POOL, "Username": NAME}

cognito.admin_create_user(**WHO, MessageAction="SUPPRESS", UserAttributes=[{"Name": "email", "Value": NAME}])
refused("UsernameExistsException", cognito.admin_create_user, **WHO, MessageAction="SUPPRESS")
cognito.admin_update_user_attributes(**WHO, UserAttributes=[{"Name": "email_verified", "Value": "true"}, {"Name": "name", "Value": "Nina"}])
cognito.admin_delete_user_attributes(**WHO, UserAttributeNames=["name"])
cognito.admin_get_user(**WHO)
cognito.list_users(UserPoolId=POOL, Filter=f'email = "{NAME}"')
cognito.list_groups(UserPoolId=POOL)
cognito.admin_list_groups_for_user(**WHO)
cognito.list_identity_providers(UserPoolId=POOL, MaxResults=10)
cognito.list_resource_servers(UserPoolId=POOL, MaxResults=10)

begun = cognito.admin_initiate_auth(UserPoolId=POOL, ClientId=CLIENT, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": NAME, "PREFERRED_CHALLENGE": "EMAIL_OTP"})
answer = {"UserPoolId": POOL, "ClientId": CLIENT, "ChallengeName": "EMAIL_OTP", "Session": begun["Session"]}
refused("CodeMismatchException", cognito.admin_respond_to_auth_challenge, **answer, ChallengeResponses={"USERNAME": NAME, "EMAIL_OTP_CODE": "none"})
tokens = cognito.admin_respond_to_auth_challenge(**answer, ChallengeResponses={"USERNAME": NAME, "EMAIL_OTP_CODE": code()})["AuthenticationResult"]
access = tokens["AccessToken"]

begun = cognito.initiate_auth(ClientId=CLIENT, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": NAME})
cognito.respond_to_auth_challenge(ClientId=CLIENT, ChallengeName="EMAIL_OTP", Session=begun["Session"], ChallengeResponses={"USERNAME": NAME, "EMAIL_OTP_CODE": code()})
cognito.initiate_auth(ClientId=CLIENT, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]})
cognito.get_tokens_from_refresh_token(ClientId=CLIENT, RefreshToken=tokens["RefreshToken"])
refused("NotAuthorizedException", cognito.get_tokens_from_refresh_token, ClientId=CLIENT, RefreshToken="garbage")

cognito.get_user(AccessToken=access)
cognito.get_user_auth_factors(AccessToken=access)

def text(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


# A passkey as an authenticator makes it. The private key is one, so the public key is the curve's
# base point.
def passkey(options):
    data = {"type": "webauthn.create", "challenge": options["challenge"], "origin": "https://" + options["rp"]["id"], "crossOrigin": False}
    x, y = (bytes.fromhex(half) for half in POINT)
    key = bytes([0xA5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]) + x + bytes([0x22, 0x58, 32]) + y
    credential = hashlib.sha256(b"credential").digest()
    flags = bytes([0x45])  # present, verified, with a key
    made = hashlib.sha256(options["rp"]["id"].encode()).digest() + flags + bytes(4) + bytes(16) + struct.pack(">H", 32) + credential + key
    attestation = bytes([0xA3, 0x63]) + b"fmt" + bytes([0x64]) + b"none" + bytes([0x67]) + b"attStmt" + bytes([0xA0, 0x68]) + b"authData" + bytes([0x58, len(made)]) + made
    response = {"clientDataJSON": text(json.dumps(data, separators=(",", ":")).encode()), "attestationObject": text(attestation), "transports": ["internal"]}
    return {"id": text(credential), "rawId": text(credential), "type": "public-key", "authenticatorAttachment": "platform", "clientExtensionResults": {}, "response": response}


def integer(value):
    """As DER has it: the shortest octets whose first bit is the sign."""
    octets = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes([2, len(octets)]) + octets


def assertion(begun, registered):
    """What the authenticator answers, as text.

    The key and ECDSA's random number are one. So r is the base point's x, and s is hash plus r.
    """
    options = json.loads(begun["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])
    data = {"type": "webauthn.get", "challenge": options["challenge"], "origin": "https://" + options["rpId"], "crossOrigin": False}
    seen = json.dumps(data, separators=(",", ":")).encode()
    made = hashlib.sha256(options["rpId"].encode()).digest() + bytes([0x05]) + bytes(4)  # present, verified
    r = int(POINT[0], 16)
    s = (int.from_bytes(hashlib.sha256(made + hashlib.sha256(seen).digest()).digest(), "big") + r) % ORDER
    halves = integer(r) + integer(s)
    signature = bytes([0x30, len(halves)]) + halves
    response = {"clientDataJSON": text(seen), "authenticatorData": text(made), "signature": text(signature), "userHandle": text(SUB.encode())}
    return json.dumps({**registered, "response": response})


ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
POINT = ("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296", "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
started = cognito.start_web_authn_registration(AccessToken=access)["CredentialCreationOptions"]
refused("WebAuthnRelyingPartyMismatchException", cognito.complete_web_authn_registration, AccessToken=access, Credential=passkey(started) | {"response": passkey({**started, "rp": {"id": "other.example"}})["response"] | {"clientDataJSON": passkey(started)["response"]["clientDataJSON"]}})
refused("WebAuthnChallengeNotFoundException", cognito.complete_web_authn_registration, AccessToken=access, Credential=passkey(started))
registered = passkey(cognito.start_web_authn_registration(AccessToken=access)["CredentialCreationOptions"])
cognito.complete_web_authn_registration(AccessToken=access, Credential=registered)
again = cognito.start_web_authn_registration(AccessToken=access)["CredentialCreationOptions"]
assert [each["id"] for each in again["excludeCredentials"]] == [registered["id"]], again
[listed] = cognito.list_web_authn_credentials(AccessToken=access)["Credentials"]
assert "WEB_AUTHN" in cognito.admin_get_user_auth_factors(**WHO)["ConfiguredUserAuthFactors"]
begun = cognito.initiate_auth(ClientId=CLIENT, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": NAME, "PREFERRED_CHALLENGE": "WEB_AUTHN"})
assert json.loads(begun["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])["allowCredentials"][0]["id"] == listed["CredentialId"]
refused("NotAuthorizedException", cognito.respond_to_auth_challenge, ClientId=CLIENT, ChallengeName="WEB_AUTHN", Session=begun["Session"], ChallengeResponses={"USERNAME": NAME, "CREDENTIAL": "{}"})
SUB = next(each["Value"] for each in cognito.get_user(AccessToken=access)["UserAttributes"] if each["Name"] == "sub")
begun = cognito.initiate_auth(ClientId=CLIENT, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": NAME, "PREFERRED_CHALLENGE": "WEB_AUTHN"})
done = cognito.respond_to_auth_challenge(ClientId=CLIENT, ChallengeName="WEB_AUTHN", Session=begun["Session"], ChallengeResponses={"USERNAME": NAME, "CREDENTIAL": assertion(begun, registered)})
assert "AccessToken" in done["AuthenticationResult"], done
begun = cognito.admin_initiate_auth(UserPoolId=POOL, ClientId=CLIENT, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": NAME})
assert begun["ChallengeName"] == "SELECT_CHALLENGE" and "WEB_AUTHN" in begun["AvailableChallenges"], begun
chosen = cognito.admin_respond_to_auth_challenge(UserPoolId=POOL, ClientId=CLIENT, ChallengeName="SELECT_CHALLENGE", Session=begun["Session"], ChallengeResponses={"USERNAME": NAME, "ANSWER": "WEB_AUTHN"})
answer = {"UserPoolId": POOL, "ClientId": CLIENT, "ChallengeName": "WEB_AUTHN", "Session": chosen["Session"], "ChallengeResponses": {"USERNAME": NAME, "CREDENTIAL": assertion(chosen, registered)}}
assert "AccessToken" in cognito.admin_respond_to_auth_challenge(**answer)["AuthenticationResult"]
refused("NotAuthorizedException", cognito.admin_respond_to_auth_challenge, **answer)
assert cognito.list_web_authn_credentials(AccessToken=access, MaxResults=1)["Credentials"] == [listed]
cognito.delete_web_authn_credential(AccessToken=access, CredentialId=listed["CredentialId"])
assert "WEB_AUTHN" not in cognito.admin_get_user_auth_factors(**WHO).get("ConfiguredUserAuthFactors", [])
refused("ResourceNotFoundException", cognito.delete_web_authn_credential, AccessToken=access, CredentialId=listed["CredentialId"])
third = cognito.create_user_pool(PoolName="third", Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}})["UserPool"]["Id"]
cognito.set_user_pool_mfa_config(UserPoolId=third, WebAuthnConfiguration={"RelyingPartyId": "example.com", "UserVerification": "required"})
cognito.get_user_pool_mfa_config(UserPoolId=third)
cognito.delete_user_pool(UserPoolId=third)

cognito.change_password(AccessToken=access, ProposedPassword="Correct-Horse-7")
cognito.update_user_attributes(AccessToken=access, UserAttributes=[{"Name": "email", "Value": "nina@example.org"}])
NAME = WHO["Username"] = "nina@example.org"
cognito.get_user_attribute_verification_code(AccessToken=access, AttributeName="email")
cognito.verify_user_attribute(AccessToken=access, AttributeName="email", Code=code())
cognito.update_user_attributes(AccessToken=access, UserAttributes=[{"Name": "name", "Value": "N"}])
cognito.delete_user_attributes(AccessToken=access, UserAttributeNames=["name"])

secret = cognito.associate_software_token(AccessToken=access)["SecretCode"]
beginning = int(cognito.admin_get_user(**WHO)["UserCreateDate"].timestamp())
refused("EnableSoftwareTokenMFAException", cognito.verify_software_token, AccessToken=access, UserCode="000000" if totp(secret, beginning) != "000000" else "000001")
cognito.verify_software_token(AccessToken=access, UserCode=totp(secret, beginning))
cognito.set_user_mfa_preference(AccessToken=access, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True})
cognito.admin_get_user(**WHO)
cognito.initiate_auth(ClientId=CLIENT, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": NAME})
cognito.initiate_auth(ClientId=CLIENT, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": NAME, "PASSWORD": "Correct-Horse-7"})
cognito.admin_set_user_mfa_preference(**WHO, SoftwareTokenMfaSettings={"Enabled": False})

cognito.forgot_password(ClientId=CLIENT, Username=NAME)
cognito.confirm_forgot_password(ClientId=CLIENT, Username=NAME, ConfirmationCode=code(), Password="Another-Horse-8")
cognito.admin_set_user_password(**WHO, Password="Temporary-1!", Permanent=False)
cognito.admin_initiate_auth(UserPoolId=POOL, ClientId=CLIENT, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters={"USERNAME": NAME, "PASSWORD": "Temporary-1!"})
cognito.admin_set_user_password(**WHO, Password="Another-Horse-8", Permanent=True)
cognito.admin_reset_user_password(**WHO)
cognito.admin_disable_user(**WHO)
cognito.admin_enable_user(**WHO)
cognito.admin_user_global_sign_out(**WHO)
refused("NotAuthorizedException", cognito.get_user, AccessToken=access)
refused("NotAuthorizedException", cognito.global_sign_out, AccessToken=access)
cognito.revoke_token(ClientId=CLIENT, Token=tokens["RefreshToken"])
refused("UnsupportedTokenTypeException", cognito.revoke_token, ClientId=CLIENT, Token=access)

signed_up = cognito.sign_up(ClientId=CLIENT, Username="omar@example.com", Password="Correct-Horse-7")
cognito.resend_confirmation_code(ClientId=CLIENT, Username="omar@example.com")
confirmed = cognito.confirm_sign_up(ClientId=CLIENT, Username="omar@example.com", ConfirmationCode=code(), Session=signed_up["Session"])
tokens = cognito.initiate_auth(ClientId=CLIENT, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": "omar@example.com"}, Session=confirmed["Session"])["AuthenticationResult"]
cognito.global_sign_out(AccessToken=tokens["AccessToken"])
tokens = cognito.initiate_auth(ClientId=CLIENT, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "omar@example.com", "PASSWORD": "Correct-Horse-7"})["AuthenticationResult"]
cognito.delete_user(AccessToken=tokens["AccessToken"])
cognito.sign_up(ClientId=CLIENT, Username="pia@example.com", Password="Correct-Horse-7")
cognito.admin_confirm_sign_up(UserPoolId=POOL, Username="pia@example.com")
cognito.admin_delete_user(UserPoolId=POOL, Username="pia@example.com")
refused("UserNotFoundException", cognito.admin_get_user, UserPoolId=POOL, Username="pia@example.com")

# An import job from its file to its end.
header = cognito.get_csv_header(UserPoolId=POOL)["CSVHeader"] + ["password_hash"]
job = cognito.create_user_import_job(UserPoolId=POOL, JobName="people", CloudWatchLogsRoleArn="arn:aws:iam::000000000000:role/import", PasswordHashingAlgorithm="BCRYPT")["UserImportJob"]
ids = {"UserPoolId": POOL, "JobId": job["JobId"]}
refused("PreconditionNotMetException", cognito.start_user_import_job, **ids)
row = {"cognito:username": "quentin@example.com", "email": "quentin@example.com", "email_verified": "true", "cognito:mfa_enabled": "false", "password_hash": BCRYPT}
file = "\n".join([",".join(header), ",".join(row.get(column, "") for column in header)])
urllib.request.urlopen(urllib.request.Request(job["PreSignedUrl"], file.encode(), {"x-amz-server-side-encryption": "aws:kms"}, method="PUT"))
cognito.start_user_import_job(**ids)
while (job := cognito.describe_user_import_job(**ids)["UserImportJob"])["Status"] in ("Pending", "InProgress"):
    time.sleep(0.05)
assert (job["Status"], job["ImportedUsers"]) == ("Succeeded", 1), job
assert cognito.list_user_import_jobs(UserPoolId=POOL, MaxResults=60)["UserImportJobs"][0]["JobId"] == job["JobId"]
refused("PreconditionNotMetException", cognito.stop_user_import_job, **ids)
job = cognito.create_user_import_job(UserPoolId=POOL, JobName="more", CloudWatchLogsRoleArn="arn:aws:iam::000000000000:role/import")["UserImportJob"]
assert "PasswordHashingAlgorithm" not in job
# Long enough to be stopped before its end.
rows = ({**row, "cognito:username": f"n{n}@example.com", "email": f"n{n}@example.com"} for n in range(20_000))
file = "\n".join([",".join(header[:-1]), *(",".join(each.get(column, "") for column in header[:-1]) for each in rows)])
urllib.request.urlopen(urllib.request.Request(job["PreSignedUrl"], file.encode(), {"x-amz-server-side-encryption": "aws:kms"}, method="PUT"))
cognito.start_user_import_job(UserPoolId=POOL, JobId=job["JobId"])
assert cognito.stop_user_import_job(UserPoolId=POOL, JobId=job["JobId"])["UserImportJob"]["Status"] == "Stopping"
cognito.initiate_auth(ClientId=CLIENT, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "quentin@example.com", "PASSWORD": "Correct-Horse-7"})

second = cognito.create_user_pool(PoolName="second", UsernameAttributes=["email"], Schema=[{"Name": "colour", "AttributeDataType": "String"}])["UserPool"]["Id"]
cognito.update_user_pool(UserPoolId=second, Policies={"PasswordPolicy": {"MinimumLength": 12}})
cognito.set_user_pool_mfa_config(UserPoolId=second, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True})
cognito.get_user_pool_mfa_config(UserPoolId=second)
cognito.describe_user_pool(UserPoolId=second)
cognito.list_user_pools(MaxResults=1)
client = cognito.create_user_pool_client(UserPoolId=second, ClientName="c", GenerateSecret=True)["UserPoolClient"]
ids = {"UserPoolId": second, "ClientId": client["ClientId"]}
cognito.update_user_pool_client(**ids, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
cognito.describe_user_pool_client(**ids)
cognito.list_user_pool_clients(UserPoolId=second, MaxResults=1)

# A second secret beside the first; then the first alone again.
added = cognito.add_user_pool_client_secret(**ids)["ClientSecretDescriptor"]
refused("LimitExceededException", cognito.add_user_pool_client_secret, **ids, ClientSecret="x" * 24)
listed = cognito.list_user_pool_client_secrets(**ids)["ClientSecrets"]
assert len(listed) == 2 and all("ClientSecretValue" not in each for each in listed), listed
cognito.delete_user_pool_client_secret(**ids, ClientSecretId=added["ClientSecretId"])
refused("ResourceNotFoundException", cognito.delete_user_pool_client_secret, **ids, ClientSecretId=added["ClientSecretId"])
[last] = cognito.list_user_pool_client_secrets(**ids)["ClientSecrets"]
refused("InvalidParameterException", cognito.delete_user_pool_client_secret, **ids, ClientSecretId=last["ClientSecretId"])

# An authenticator that has to be set up in the middle of a sign-in.
hashed = lambda name: base64.b64encode(hmac.new(client["ClientSecret"].encode(), (name + client["ClientId"]).encode(), hashlib.sha256).digest()).decode()
QUIN = "quin@example.com"
cognito.admin_create_user(UserPoolId=second, Username=QUIN, TemporaryPassword="Temporary-1!", MessageAction="SUPPRESS")
cognito.admin_set_user_password(UserPoolId=second, Username=QUIN, Password="Correct-Horse-7", Permanent=True)
begun = cognito.initiate_auth(ClientId=client["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": QUIN, "PASSWORD": "Correct-Horse-7", "SECRET_HASH": hashed(QUIN)})
assert begun["ChallengeName"] == "MFA_SETUP", begun
setup = cognito.associate_software_token(Session=begun["Session"])
verified = cognito.verify_software_token(Session=setup["Session"], UserCode=totp(setup["SecretCode"], beginning))
done = cognito.respond_to_auth_challenge(ClientId=client["ClientId"], ChallengeName="MFA_SETUP", Session=verified["Session"], ChallengeResponses={"USERNAME": QUIN, "SECRET_HASH": hashed(QUIN)})
assert "AccessToken" in done["AuthenticationResult"]

# Email as second factor, and the choice between the two.
cognito.update_user_pool(UserPoolId=second, MfaConfiguration="ON", EmailConfiguration={"EmailSendingAccount": "DEVELOPER"})
cognito.set_user_pool_mfa_config(UserPoolId=second, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True}, EmailMfaConfiguration={"Message": "{####}", "Subject": "Code"})
cognito.get_user_pool_mfa_config(UserPoolId=second)
cognito.admin_set_user_mfa_preference(UserPoolId=second, Username=QUIN, SoftwareTokenMfaSettings={"Enabled": True}, EmailMfaSettings={"Enabled": True})
cognito.admin_get_user(UserPoolId=second, Username=QUIN)
begun = cognito.initiate_auth(ClientId=client["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": QUIN, "PASSWORD": "Correct-Horse-7", "SECRET_HASH": hashed(QUIN)})
assert json.loads(begun["ChallengeParameters"]["MFAS_CAN_CHOOSE"]) == ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"], begun
chosen = cognito.respond_to_auth_challenge(ClientId=client["ClientId"], ChallengeName="SELECT_MFA_TYPE", Session=begun["Session"], ChallengeResponses={"USERNAME": QUIN, "ANSWER": "EMAIL_OTP", "SECRET_HASH": hashed(QUIN)})
done = cognito.respond_to_auth_challenge(ClientId=client["ClientId"], ChallengeName="EMAIL_OTP", Session=chosen["Session"], ChallengeResponses={"USERNAME": QUIN, "EMAIL_OTP_CODE": code(), "SECRET_HASH": hashed(QUIN)})
assert "AccessToken" in done["AuthenticationResult"]

# SRP, as far as one gets without its arithmetic.
cognito.update_user_pool_client(**ids, ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_USER_AUTH"], PreventUserExistenceErrors="ENABLED")
for name in (QUIN, "nobody@example.com"):
    begun = cognito.initiate_auth(ClientId=client["ClientId"], AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": name, "SRP_A": "ab" * 384, "SECRET_HASH": hashed(name)})
    given = begun["ChallengeParameters"]
    claim = {"USERNAME": given["USERNAME"], "PASSWORD_CLAIM_SECRET_BLOCK": given["SECRET_BLOCK"], "PASSWORD_CLAIM_SIGNATURE": "AAAA", "TIMESTAMP": "Sat Nov 21 09:00:00 UTC 2026", "SECRET_HASH": hashed(given["USERNAME"])}
    refused("NotAuthorizedException", cognito.respond_to_auth_challenge, ClientId=client["ClientId"], ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=claim)

# The hosted sign-in's settings.
cognito.create_user_pool_domain(UserPoolId=second, Domain="second")
refused("InvalidParameterException", cognito.delete_user_pool, UserPoolId=second)
cognito.describe_user_pool_domain(Domain="second")
cognito.describe_user_pool_domain(Domain="nobodys")
cognito.describe_user_pool(UserPoolId=second)
cognito.update_user_pool_client(**ids, CallbackURLs=["https://app.example.com/"], AllowedOAuthFlows=["code"], AllowedOAuthScopes=["openid"], AllowedOAuthFlowsUserPoolClient=True, SupportedIdentityProviders=["COGNITO"])
refused("ScopeDoesNotExistException", cognito.update_user_pool_client, **ids, AllowedOAuthScopes=["photos/read"])
cognito.delete_user_pool_domain(UserPoolId=second, Domain="second")

cognito.admin_update_user_attributes(UserPoolId=second, Username=QUIN, UserAttributes=[{"Name": "email_verified", "Value": "true"}])
for _ in range(5):
    cognito.forgot_password(ClientId=client["ClientId"], Username=QUIN, SecretHash=hashed(QUIN))
refused("LimitExceededException", cognito.forgot_password, ClientId=client["ClientId"], Username=QUIN, SecretHash=hashed(QUIN))

cognito.delete_user_pool_client(**ids)
cognito.delete_user_pool(UserPoolId=second)

with open(__file__.replace("tests/cognito/botocore_walk.py", "src/model.json"), encoding="utf-8") as served:
    missed = set(json.load(served)["operations"]) - walked
if missed:
    faults.append(f"never answered: {sorted(missed)}")
print(f"operations held against the model: {len(walked)}")
if faults:
    sys.exit("\n".join(faults))
