"""Signs in with pycognito's SRP: with the right password, with a wrong one, and as an unknown
user."""

import sys

import boto3
from pycognito.aws_srp import AWSSRP

URL, POOL, CLIENT, NAME, PASSWORD = sys.argv[1:]

session = boto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name="eu-west-1")
cognito = session.client("cognito-idp", endpoint_url=URL)


def sign_in(name, password):
    return AWSSRP(name, password, POOL, CLIENT, client=cognito).authenticate_user()["AuthenticationResult"]


for _ in range(5):
    assert cognito.get_user(AccessToken=sign_in(NAME, PASSWORD)["AccessToken"])["Username"]
for name, password in [(NAME, "Wrong-Horse-7"), ("zoe@nowhere.example", PASSWORD)]:
    try:
        sign_in(name, password)
    except cognito.exceptions.NotAuthorizedException as refused:
        assert refused.response["Error"]["Message"] == "Incorrect username or password."
    else:
        raise AssertionError("a wrong password was taken")
print("signed in")
