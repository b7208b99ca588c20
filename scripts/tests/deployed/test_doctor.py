"""The doctor in a whole deployment of dev, at a stand-in account that terraform/tests/apply-on-moto
has filled. Each fault is planted once and removed again; its own check finds it, and no other
does."""

import contextlib
import copy
import dataclasses
import io
import json
import unittest
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from planted import Faults, with_alarm

from deployment import environment
from deployment.doctor import account, api, data, edge, functions, pool, streams, watch
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Severity

DEV = environment.load("dev")
VERIFY, DEPLOY, ROUTE = "latchkey-dev-verify-otp", "latchkey-dev-deploy", "POST /auth/otp/verify"
# dev's own findings, by its settings: no sender, no domain, no receiver of alarms. And by its
# account, which is a new one.
KNOWN = {"default-mail-sender", "past-the-edge", "alarm-unheard", "concurrency", "relying-party"}

FAULTS = Faults(DEV, KNOWN)
fault, look, codes = FAULTS.fault, FAULTS.look, FAULTS.codes

awslambda, iam, gateway, dynamodb = DEV.aws("lambda"), DEV.aws("iam"), DEV.aws("apigatewayv2"), DEV.aws("dynamodb")
cognito, cloudfront, s3, logs = DEV.aws("cognito-idp"), DEV.aws("cloudfront"), DEV.aws("s3"), DEV.aws("logs")


# The pool, as far as only a whole deployment has it.


@fault(pool.triggers, "trigger-permission")
def cognito_may_not_call() -> Iterator[None]:
    function = {"FunctionName": "latchkey-dev-pre-token-generation", "Qualifier": "live"}
    statement = json.loads(awslambda.get_policy(**function)["Policy"])["Statement"][0]
    awslambda.remove_permission(**function, StatementId=statement["Sid"])
    yield
    source = statement["Condition"]["ArnLike"]["AWS:SourceArn"]
    awslambda.add_permission(
        **function, StatementId=statement["Sid"], Action="lambda:InvokeFunction", Principal="cognito-idp.amazonaws.com", SourceArn=source
    )


def with_triggers(**changed: Any) -> Iterator[None]:
    before = look().pool["LambdaConfig"]
    cognito.update_user_pool(UserPoolId=look().user_pool_id, LambdaConfig={**before, **changed})
    yield
    cognito.update_user_pool(UserPoolId=look().user_pool_id, LambdaConfig=before)


@fault(pool.admin_scope, "admin-scope")
def a_trigger_that_cannot_change_access_tokens() -> Iterator[None]:
    config = look().pool["LambdaConfig"]["PreTokenGenerationConfig"]
    yield from with_triggers(PreTokenGenerationConfig={**config, "LambdaVersion": "V1_0"})


@fault(pool.triggers, "foreign-trigger")
def a_trigger_that_nobody_knows() -> Iterator[None]:
    yield from with_triggers(PostAuthentication="arn:aws:lambda:eu-west-1:123456789012:function:elsewhere")


@fault(pool.triggers, "trigger-alias")
def a_trigger_past_the_alias() -> Iterator[None]:
    config = look().pool["LambdaConfig"]["PreTokenGenerationConfig"]
    arn = config["LambdaArn"].removesuffix(":live")
    awslambda.add_permission(
        FunctionName=arn,
        StatementId="for-a-test",
        Action="lambda:InvokeFunction",
        Principal="cognito-idp.amazonaws.com",
        SourceArn=look().pool["Arn"],
    )
    yield from with_triggers(PreTokenGenerationConfig={**config, "LambdaArn": arn})
    awslambda.remove_permission(FunctionName=arn, StatementId="for-a-test")


# Functions.


@fault(functions.live, "function-missing")
def a_function_without_its_alias() -> Iterator[None]:
    alias = awslambda.get_alias(FunctionName=VERIFY, Name="live")
    awslambda.delete_alias(FunctionName=VERIFY, Name="live")
    yield
    awslambda.create_alias(FunctionName=VERIFY, Name="live", FunctionVersion=alias["FunctionVersion"], Description=alias["Description"])


@fault(functions.callers, "function-url")
def an_address_of_its_own() -> Iterator[None]:
    awslambda.create_function_url_config(FunctionName=VERIFY, AuthType="NONE")
    yield
    awslambda.delete_function_url_config(FunctionName=VERIFY)


@fault(functions.callers, "open-function")
def a_function_for_everybody() -> Iterator[None]:
    awslambda.add_permission(FunctionName=VERIFY, StatementId="everybody", Action="lambda:InvokeFunction", Principal="*")
    yield
    awslambda.remove_permission(FunctionName=VERIFY, StatementId="everybody")


@fault(functions.callers, "open-function")
def a_function_for_every_api() -> Iterator[None]:
    awslambda.add_permission(FunctionName=VERIFY, StatementId="apis", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com")
    yield
    awslambda.remove_permission(FunctionName=VERIFY, StatementId="apis")


def with_policy(name: str, action: str, resource: str) -> Iterator[None]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    iam.put_role_policy(RoleName=VERIFY, PolicyName=name, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}))
    yield
    iam.delete_role_policy(RoleName=VERIFY, PolicyName=name)


@fault(functions.grants, "wildcard-action")
def a_role_that_may_do_anything_to_a_table() -> Iterator[None]:
    yield from with_policy("wild", "dynamodb:*", "arn:aws:dynamodb:eu-west-1:123456789012:table/latchkey-dev-guests")


@fault(functions.grants, "wildcard-resource")
def a_role_that_may_do_something_to_everything() -> Iterator[None]:
    yield from with_policy("wide", "cognito-idp:AdminRespondToAuthChallenge", "*")


@fault(functions.grants, "grant")
def a_role_that_may_do_more_than_its_contract_says() -> Iterator[None]:
    yield from with_policy("more", "cognito-idp:AdminDeleteUser", "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/one")


@fault(functions.grants, "grant-missing")
def a_role_that_may_do_less() -> Iterator[None]:
    policy = iam.get_role_policy(RoleName=VERIFY, PolicyName="grants")["PolicyDocument"]
    less = copy.deepcopy(policy)
    less["Statement"] = [
        statement for statement in less["Statement"] if not any(action.startswith("cognito-idp:") for action in statement["Action"])
    ]
    iam.put_role_policy(RoleName=VERIFY, PolicyName="grants", PolicyDocument=json.dumps(less))
    yield
    iam.put_role_policy(RoleName=VERIFY, PolicyName="grants", PolicyDocument=json.dumps(policy))


@fault(functions.settings, "log-retention")
def a_log_for_ever() -> Iterator[None]:
    logs.delete_retention_policy(logGroupName=f"/aws/lambda/{VERIFY}")
    yield
    logs.put_retention_policy(logGroupName=f"/aws/lambda/{VERIFY}", retentionInDays=14)


@fault(functions.deploy_role, "deploy-role")
def a_deploy_role_for_every_branch() -> Iterator[None]:
    trust = iam.get_role(RoleName=DEPLOY)["Role"]["AssumeRolePolicyDocument"]
    loose = copy.deepcopy(trust)
    loose["Statement"][0]["Condition"] = {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:example/latchkey:*"}}
    iam.update_assume_role_policy(RoleName=DEPLOY, PolicyDocument=json.dumps(loose))
    yield
    iam.update_assume_role_policy(RoleName=DEPLOY, PolicyDocument=json.dumps(trust))


@fault(functions.trust, "role-trust")
def a_role_for_somebody_elses_account() -> Iterator[None]:
    trust = iam.get_role(RoleName=VERIFY)["Role"]["AssumeRolePolicyDocument"]
    loose = copy.deepcopy(trust)
    loose["Statement"].append({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}})
    iam.update_assume_role_policy(RoleName=VERIFY, PolicyDocument=json.dumps(loose))
    yield
    iam.update_assume_role_policy(RoleName=VERIFY, PolicyDocument=json.dumps(trust))


# The account.


def with_own_sender() -> Iterator[None]:
    """New accounts are in SES's sandbox."""
    own = {"EmailSendingAccount": "DEVELOPER", "SourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com"}
    # An update without its triggers would take them from the pool.
    pool = {"UserPoolId": look().user_pool_id, "LambdaConfig": look().pool["LambdaConfig"]}
    cognito.update_user_pool(**pool, EmailConfiguration=own)
    yield
    cognito.update_user_pool(**pool, EmailConfiguration={"EmailSendingAccount": "COGNITO_DEFAULT"})


@fault(account.mails, "mail-sandbox")
def a_sender_in_the_sandbox() -> Iterator[None]:
    yield from with_own_sender()


@fault(account.code_storage, "code-storage")
def somebody_elses_functions_that_take_the_code_storage() -> Iterator[None]:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("bootstrap", bytes(850_000))
    role = awslambda.get_function_configuration(FunctionName=VERIFY)["Role"]
    awslambda.create_function(
        FunctionName="elsewhere", Role=role, Runtime="provided.al2023", Handler="bootstrap", Code={"ZipFile": zipped.getvalue()}
    )
    yield
    awslambda.delete_function(FunctionName="elsewhere")


# The API.


def with_route(**changed: Any) -> Iterator[None]:
    route = look().routes["GET /me"]
    named = {"ApiId": look().api_id, "RouteId": route["RouteId"]}
    gateway.update_route(**named, **changed)
    yield
    before = {name: route[name] for name in ("AuthorizationType", "AuthorizerId", "AuthorizationScopes", "Target")}
    gateway.update_route(**named, **before)


@fault(api.routes, "authorizer")
def a_route_for_everybody() -> Iterator[None]:
    yield from with_route(AuthorizationType="NONE")


@fault(api.routes, "scopes")
def a_route_for_other_tokens() -> Iterator[None]:
    yield from with_route(AuthorizationScopes=["openid"])


@fault(api.routes, "route-missing", "foreign-route")
def a_route_at_another_path() -> Iterator[None]:
    route = {"ApiId": look().api_id, "RouteId": look().routes[ROUTE]["RouteId"]}
    gateway.update_route(**route, RouteKey="POST /elsewhere")
    yield
    gateway.update_route(**route, RouteKey=ROUTE)


@fault(api.routes, "foreign-route")
def a_route_made_by_hand() -> Iterator[None]:
    made = gateway.create_route(ApiId=look().api_id, RouteKey="$default", AuthorizationType="NONE")
    yield
    gateway.delete_route(ApiId=look().api_id, RouteId=made["RouteId"])


def with_authorizer(**changed: Any) -> Iterator[None]:
    identity = look().routes["GET /me"]["AuthorizerId"]
    named = {"ApiId": look().api_id, "AuthorizerId": identity}
    before = gateway.get_authorizer(**named)["JwtConfiguration"]
    gateway.update_authorizer(**named, JwtConfiguration={**before, **changed})
    yield
    gateway.update_authorizer(**named, JwtConfiguration=before)


@fault(api.authorizers, "issuer")
def tokens_of_another_pool() -> Iterator[None]:
    yield from with_authorizer(Issuer="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Another")


@fault(api.authorizers, "audience")
def tokens_of_another_client() -> Iterator[None]:
    yield from with_authorizer(Audience=["somebody-elses-client"])


def with_stage(**changed: Any) -> Iterator[None]:
    """moto does not change stages; it makes and deletes them."""
    api_id, stage = look().api_id, look().items("get_stages")[0]
    made_of = {
        name: stage[name] for name in ("StageName", "AutoDeploy", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings", "Tags")
    }
    for settings in ({**made_of, **changed}, made_of):
        gateway.delete_stage(ApiId=api_id, StageName=stage["StageName"])
        gateway.create_stage(ApiId=api_id, **settings)
        if settings is not made_of:
            yield


@fault(api.throttles, "throttle")
def a_route_without_a_throttle() -> Iterator[None]:
    settings = look().items("get_stages")[0]["RouteSettings"]
    yield from with_stage(RouteSettings={**settings, ROUTE: {**settings[ROUTE], "ThrottlingRateLimit": 0}})


@fault(api.throttles, "default-throttle")
def a_stage_without_a_throttle() -> Iterator[None]:
    yield from with_stage(DefaultRouteSettings={"DetailedMetricsEnabled": True})


@fault(api.integrations, "integration")
def a_route_past_the_alias() -> Iterator[None]:
    other = look().routes["PATCH /me"]["Target"]
    yield from with_route(Target=other)


@fault(api.cross_origin, "cors")
def every_page_may_call() -> Iterator[None]:
    gateway.update_api(ApiId=look().api_id, CorsConfiguration={"AllowOrigins": ["*"]})
    yield
    gateway.delete_cors_configuration(ApiId=look().api_id)


def with_setting(name: str, setting: str, value: str) -> Iterator[None]:
    """A version of its own, since the live one cannot be changed."""
    function = f"latchkey-dev-{name}"
    live = awslambda.get_alias(FunctionName=function, Name="live")["FunctionVersion"]
    before = awslambda.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    awslambda.update_function_configuration(FunctionName=function, Environment={"Variables": {**before, setting: value}})
    version = awslambda.publish_version(FunctionName=function)["Version"]
    awslambda.update_alias(FunctionName=function, Name="live", FunctionVersion=version)
    yield
    awslambda.update_alias(FunctionName=function, Name="live", FunctionVersion=live)
    awslambda.update_function_configuration(FunctionName=function, Environment={"Variables": before})
    awslambda.delete_function(FunctionName=function, Qualifier=version)


@fault(api.ways_round, "way-round")
def a_function_that_asks_for_no_proof() -> Iterator[None]:
    yield from with_setting("get-profile", "ORIGIN_SECRET_SHA256", "none")


@fault(edge.origin_secret, "origin-secret")
def a_function_that_wants_another_proof() -> Iterator[None]:
    yield from with_setting("get-profile", "ORIGIN_SECRET_SHA256", "0" * 64)


# The edge.


def with_distribution(change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    deployed = look()
    before = deployed.distribution
    changed = copy.deepcopy(before)
    change(changed)
    identity = deployed.given["distribution"]

    def put(config: dict[str, Any]) -> None:
        cloudfront.update_distribution(
            Id=identity, IfMatch=cloudfront.get_distribution_config(Id=identity)["ETag"], DistributionConfig=config
        )

    put(changed)
    yield
    put(before)


def origin_of_api(config: dict[str, Any]) -> dict[str, Any]:
    return next(dict(origin) for origin in config["Origins"]["Items"] if origin["Id"] == "api")


@fault(edge.origin_secret, "origin-secret")
def no_proof() -> Iterator[None]:
    def change(config: dict[str, Any]) -> None:
        for origin in config["Origins"]["Items"]:
            origin["CustomHeaders"] = {"Quantity": 0}

    yield from with_distribution(change)


@fault(edge.web_acl, "web-acl")
def no_web_acl() -> Iterator[None]:
    yield from with_distribution(lambda config: config.update(WebACLId=""))


@fault(edge.transport, "https")
def tokens_in_clear() -> Iterator[None]:
    yield from with_distribution(lambda config: config["CacheBehaviors"]["Items"][0].update(ViewerProtocolPolicy="allow-all"))


@fault(edge.site, "site-bucket")
def a_bucket_that_can_be_opened() -> Iterator[None]:
    bucket = f"latchkey-dev-site-{DEV.account}"
    closed = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    s3.delete_public_access_block(Bucket=bucket)
    yield
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)


def with_rules(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Iterator[None]:
    waf = DEV.aws("wafv2", "us-east-1")
    name, identity = look().distribution["WebACLId"].split("/")[-2:]
    named = {"Name": name, "Scope": "CLOUDFRONT", "Id": identity}

    def put(rules: list[dict[str, Any]]) -> None:
        found = waf.get_web_acl(**named)
        acl = found["WebACL"]
        waf.update_web_acl(
            **named, DefaultAction=acl["DefaultAction"], Rules=rules, VisibilityConfig=acl["VisibilityConfig"], LockToken=found["LockToken"]
        )

    before = waf.get_web_acl(**named)["WebACL"]["Rules"]
    put(change(copy.deepcopy(before)))
    yield
    put(before)


@fault(edge.web_acl, "rate-rule")
def no_rate_rule() -> Iterator[None]:
    yield from with_rules(lambda rules: [rule for rule in rules if "RateBasedStatement" not in rule["Statement"]])


@fault(edge.web_acl, "managed-rules")
def no_managed_rules() -> Iterator[None]:
    yield from with_rules(lambda rules: [rule for rule in rules if "ManagedRuleGroupStatement" not in rule["Statement"]])


# The stores of data, and the alarms.


@fault(data.tables, "recovery")
def no_recovery() -> Iterator[None]:
    def put(enabled: bool) -> None:
        dynamodb.update_continuous_backups(
            TableName="latchkey-dev-guests", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled}
        )

    put(False)
    yield
    put(True)


@fault(data.tables, "ttl")
def no_end() -> Iterator[None]:
    def put(enabled: bool) -> None:
        dynamodb.update_time_to_live(
            TableName="latchkey-dev-challenges", TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": enabled}
        )

    put(False)
    yield
    put(True)


@fault(data.keys, "key-rotation")
def an_old_key() -> Iterator[None]:
    kms = DEV.aws("kms")
    key = kms.describe_key(KeyId="alias/latchkey-dev")["KeyMetadata"]["KeyId"]
    kms.disable_key_rotation(KeyId=key)
    yield
    kms.enable_key_rotation(KeyId=key)


@fault(watch.alarms, "alarm-missing")
def an_alarm_that_is_gone() -> Iterator[None]:
    yield from with_alarm(DEV, f"{VERIFY}-errors", None)


@fault(watch.alarms, "alarm-silent")
def an_alarm_that_tells_nobody() -> Iterator[None]:
    yield from with_alarm(DEV, f"{VERIFY}-errors", lambda alarm: alarm.update(AlarmActions=[]))


class Doctor(unittest.TestCase):
    def test_a_deployment_has_no_fault_but_what_its_settings_say(self) -> None:
        whole = (*pool.CHECKS, *functions.CHECKS, *api.CHECKS, *edge.CHECKS, *data.CHECKS, *streams.CHECKS, *watch.CHECKS, *account.CHECKS)
        self.assertEqual(set().union(*map(codes, whole)), KNOWN)

    def test_what_people_need_is_missed_where_they_are(self) -> None:
        people = Deployed(dataclasses.replace(DEV, protected=True), None, None, None)
        self.assertEqual([(finding.code, finding.severity) for finding in account.concurrency(people)], [("concurrency", Severity.ERROR)])
        with contextlib.contextmanager(with_own_sender)():
            people = Deployed(dataclasses.replace(DEV, protected=True), None, None, None)
            self.assertEqual([(finding.code, finding.severity) for finding in account.mails(people)], [("mail-sandbox", Severity.ERROR)])
        self.assertEqual({finding.code for finding in pool.safety(people)}, {"pool-deletion-protection"})
        self.assertEqual({finding.code for finding in data.tables(people)}, {"table-deletion-protection"})

    def test_each_fault_is_found_and_nothing_else(self) -> None:
        FAULTS.are_found_one_by_one(self)


if __name__ == "__main__":
    unittest.main()
