"""Additions to moto, made by importing this: groups of X-Ray, AgentCore's types in CloudFormation
stacks, and numbers of Lambda's versions. They store their input and return it, without checks."""

import json
import uuid
from typing import ClassVar

from moto.awslambda.models import LambdaStorage
from moto.cloudformation.models import Stack
from moto.core.common_models import CloudFormationModel
from moto.xray import urls
from moto.xray.responses import XRayResponse

GROUPS = {}

# moto sorts its models by the module that they are in.
HOME = "moto.bedrockagentcorecontrol.models"


def group_of(self):
    body = json.loads(self.body or "{}")
    name = body.get("GroupName") or body.get("GroupARN", "").split(":group/")[-1].split("/")[0]
    return name, body


def keep_group(self):
    name, body = group_of(self)
    arn = f"arn:aws:xray:{self.region}:{self.current_account}:group/{name}/{uuid.uuid5(uuid.NAMESPACE_DNS, name).hex.upper()}"
    known = GROUPS.setdefault(name, {"GroupName": name, "GroupARN": arn, "Tags": []})
    known.update({key: value for key, value in body.items() if key != "GroupARN"})
    return json.dumps({"Group": known})


def get_group(self):
    name, _ = group_of(self)
    if name in GROUPS:
        return json.dumps({"Group": GROUPS[name]})
    return 400, {"x-amzn-errortype": "InvalidRequestException"}, json.dumps({"message": "Group not found"})


def delete_group(self):
    GROUPS.pop(group_of(self)[0], None)
    return "{}"


def list_tags_for_resource(self):
    name = json.loads(self.body)["ResourceARN"].split(":group/")[-1].split("/")[0]
    return json.dumps({"Tags": GROUPS.get(name, {}).get("Tags", [])})


for action, answer in {
    "CreateGroup": keep_group,
    "UpdateGroup": keep_group,
    "GetGroup": get_group,
    "DeleteGroup": delete_group,
    "ListTagsForResource": list_tags_for_resource,
}.items():
    urls.url_paths["{0}/" + action + "$"] = XRayResponse.dispatch
    setattr(XRayResponse, "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in action).lstrip("_"), answer)


class AgentCore:
    """One resource of a stack: its properties, and CloudFormation's answer about it."""

    kind = ""

    def __init__(self, name, properties, account_id, region):
        self.name = name
        self.properties = properties
        self.base = f"arn:aws:bedrock-agentcore:{region}:{account_id}"
        self.region = region

    @property
    def physical_resource_id(self):
        return self.name

    @staticmethod
    def cloudformation_name_type():
        return "Name"

    @classmethod
    def cloudformation_type(cls):
        return f"AWS::BedrockAgentCore::{cls.kind}"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
        return cls(resource_name, cloudformation_json["Properties"], account_id, region_name)

    @classmethod
    def update_from_cloudformation_json(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
        original_resource.properties = cloudformation_json["Properties"]
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name):
        """No other place stores it."""

    @classmethod
    def has_cfn_attr(cls, attr):
        return attr in cls.attributes

    def get_cfn_attribute(self, attribute_name):
        return self.attributes[attribute_name].format(name=self.name, base=self.base, region=self.region)


class WorkloadIdentity(AgentCore, CloudFormationModel):
    __module__ = HOME
    kind = "WorkloadIdentity"
    attributes: ClassVar = {"WorkloadIdentityArn": "{base}:workload-identity-directory/default/workload-identity/{name}"}


class OAuth2CredentialProvider(AgentCore, CloudFormationModel):
    __module__ = HOME
    kind = "OAuth2CredentialProvider"
    attributes: ClassVar = {
        "CredentialProviderArn": "{base}:token-vault/default/oauth2credentialprovider/{name}",
        "CallbackUrl": "https://bedrock-agentcore.{region}.amazonaws.com/identities/oauth2/callback/00000000-0000-4000-8000-000000000000",
    }


class Gateway(AgentCore, CloudFormationModel):
    __module__ = HOME
    kind = "Gateway"
    attributes: ClassVar = {
        "GatewayIdentifier": "{name}-0123456789",
        "GatewayArn": "{base}:gateway/{name}-0123456789",
        "GatewayUrl": "https://{name}-0123456789.gateway.bedrock-agentcore.{region}.amazonaws.com/mcp",
    }


class GatewayTarget(AgentCore, CloudFormationModel):
    __module__ = HOME
    kind = "GatewayTarget"
    attributes: ClassVar = {"TargetId": "0123456789"}


# moto gives a list among a stack's parameters back as Python writes it, and AWS as it was given.
listed = Stack.parameter_list
Stack.parameter_list = property(lambda self: [as_given(parameter) for parameter in listed.fget(self)])


def as_given(parameter):
    value = parameter["ParameterValue"]
    return {**parameter, "ParameterValue": ",".join(value) if isinstance(value, list) else value}


# moto numbers a version by how many there are, so after a removal it gives a number twice. AWS does
# not.
publish = LambdaStorage.publish_version


def publish_version(self, name_or_arn, description=""):
    made = publish(self, name_or_arn, description)
    versions = self._functions[made.function_name]["versions"] if made else []
    newest = max((int(version.version) for version in versions if version is not made), default=0)
    if made and int(made.version) <= newest:
        made.set_version(newest + 1)
        self._arns.update({version.function_arn: version for version in versions})
    return made


LambdaStorage.publish_version = publish_version
