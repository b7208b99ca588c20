"""The stack for comparison: the same AWS calls for initiate-otp and verify-otp in Python, with
boto3, pydantic and Powertools, without the operations' other promises.

    python python_stack.py initiate-otp|verify-otp

Takes invocations from the Runtime API by http.client, which starts sooner than AWS's own client.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config
from pydantic import BaseModel, Field

logger = Logger(service="bench")
metrics = Metrics(namespace="bench", service="bench")
config = Config(retries={"mode": "standard", "max_attempts": 3})
dynamodb = boto3.client("dynamodb", config=config, endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
cognito = boto3.client("cognito-idp", config=config, endpoint_url=os.environ["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"])
secrets_manager = boto3.client("secretsmanager", config=config, endpoint_url=os.environ["AWS_ENDPOINT_URL_SECRETS_MANAGER"])
ses = boto3.client("sesv2", config=config, endpoint_url=os.environ["AWS_ENDPOINT_URL_SESV2"])
challenges, guests = os.environ["CHALLENGES_TABLE_NAME"], os.environ["GUESTS_TABLE_NAME"]
sessions, activity = os.environ["USER_SESSIONS_TABLE_NAME"], os.environ["ACTIVITY_TABLE_NAME"]
pool, client_id = os.environ["COGNITO_USER_POOL_ID"], os.environ["COGNITO_CLIENT_ID"]
known: dict[str, Any] = {}


class Start(BaseModel):
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=128)


class Proof(BaseModel):
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=128)
    code: str = Field(pattern=r"^\d{6,8}$")
    sessionToken: str


def keys() -> dict[str, Any]:
    if not known:
        answer = secrets_manager.get_secret_value(SecretId=os.environ["SECRETS_ID"])
        known.update(json.loads(answer["SecretString"]))
    return known


def tag(*parts: str) -> str:
    key = base64.b64decode(keys()["keys"]["current"])
    return hmac.new(key, "|".join(parts).encode(), hashlib.sha256).hexdigest()


def secret_hash(username: str) -> str:
    secret = str(keys()["clientSecret"])
    return base64.b64encode(hmac.new(secret.encode(), (username + client_id).encode(), hashlib.sha256).digest()).decode()


def count(name: str) -> None:
    dynamodb.update_item(
        TableName=challenges,
        Key={"pk": {"S": f"bench#{name}"}},
        UpdateExpression="ADD events :one",
        ConditionExpression="attribute_not_exists(events) OR events < :most",
        ExpressionAttributeValues={":one": {"N": "1"}, ":most": {"N": "100000"}},
        ReturnValues="ALL_NEW",
    )


def guest(email: str) -> str:
    claim = dynamodb.get_item(TableName=guests, Key={"pk": {"S": f"address#{email}"}}, ConsistentRead=True)
    return str(claim["Item"]["sub"]["S"])


def tell_of_new_device(email: str) -> None:
    text = {"Data": "A new device has signed in to your account.", "Charset": "UTF-8"}
    ses.send_email(
        FromEmailAddress=os.environ["MAIL_SENDER"],
        Destination={"ToAddresses": [email]},
        Content={"Simple": {"Subject": text, "Body": {"Text": text, "Html": text}}},
    )


def initiate(body: str) -> dict[str, Any]:
    start = Start.model_validate_json(body)
    keys()
    guest(start.email)
    for name in ("network", tag("mailbox", start.email), "pool"):
        count(name)
    begun = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client_id,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": start.email, "PREFERRED_CHALLENGE": "EMAIL_OTP", "SECRET_HASH": secret_hash(start.email)},
    )
    token = secrets.token_urlsafe(32)
    item = {
        "pk": {"S": "bench-sign-in#" + hashlib.sha256(token.encode()).hexdigest()},
        "email": {"S": start.email},
        "session": {"S": begun["Session"]},
        "username": {"S": begun["ChallengeParameters"].get("USER_ID_FOR_SRP", start.email)},
        "expiresAt": {"N": str(int(time.time()) + 300)},
    }
    dynamodb.put_item(TableName=challenges, Item=item)
    metrics.add_metric(name="Started", unit=MetricUnit.Count, value=1)
    return {"sessionToken": token, "expiresIn": 300}


def verify(body: str) -> dict[str, Any]:
    proof = Proof.model_validate_json(body)
    key = {"pk": {"S": "bench-sign-in#" + hashlib.sha256(proof.sessionToken.encode()).hexdigest()}}
    keys()
    sign_in = dynamodb.update_item(
        TableName=challenges,
        Key=key,
        UpdateExpression="ADD attempts :one",
        ConditionExpression="email = :email AND expiresAt > :now",
        ExpressionAttributeValues={":one": {"N": "1"}, ":email": {"S": proof.email}, ":now": {"N": str(int(time.time()))}},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    tries = tag("tries", proof.email)
    for name in ("network", tries):
        count(name)
    answered = cognito.admin_respond_to_auth_challenge(
        UserPoolId=pool,
        ClientId=client_id,
        ChallengeName="EMAIL_OTP",
        Session=sign_in["session"]["S"],
        ChallengeResponses={"USERNAME": proof.email, "EMAIL_OTP_CODE": proof.code, "SECRET_HASH": secret_hash(proof.email)},
    )["AuthenticationResult"]
    sub = guest(proof.email)
    begun = {"sub": {"S": sub}, "sessionId": {"S": secrets.token_hex(16)}, "method": {"S": "code"}}
    entry = {"sub": {"S": sub}, "eventId": {"S": secrets.token_hex(16)}, "kind": {"S": "signedIn"}}
    puts = [{"Put": {"TableName": table, "Item": item}} for table, item in ((sessions, begun), (activity, entry))]
    dynamodb.transact_write_items(TransactItems=puts)
    ending = {":yes": {"BOOL": True}}
    dynamodb.update_item(TableName=challenges, Key=key, UpdateExpression="SET finished = :yes", ExpressionAttributeValues=ending)
    dynamodb.update_item(TableName=challenges, Key={"pk": {"S": f"bench#{tries}"}}, UpdateExpression="REMOVE events")
    tell_of_new_device(proof.email)
    metrics.add_metric(name="SignIns", unit=MetricUnit.Count, value=1)
    return {"accessToken": answered["AccessToken"], "refreshToken": answered["RefreshToken"], "idToken": answered["IdToken"]}


def main(handle: Callable[[str], dict[str, Any]]) -> None:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", "/2018-06-01/runtime/invocation/next")
        delivery = connection.getresponse()
        request_id = delivery.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.loads(delivery.read())
        try:
            answer = {"statusCode": 200, "body": json.dumps(handle(event["body"]))}
            logger.info("completed", extra={"requestId": request_id})
        except Exception:
            logger.exception("failed")
            answer = {"statusCode": 500, "body": "{}"}
        metrics.flush_metrics()
        connection.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", json.dumps(answer))
        connection.getresponse().read()


if __name__ == "__main__":
    main({"initiate-otp": initiate, "verify-otp": verify}[sys.argv[1]])
