"""A deployment as AWS describes it. Everything is read once, when a check first asks for it."""

import functools
from typing import Any

import botocore.exceptions

from deployment import Refusal, environment
from deployment.environment import Environment
from deployment.releases import ALIAS


class Deployed:
    """The resources to check: by given ids, or by Terraform's names."""

    def __init__(self, where: Environment, user_pool: str | None, api: str | None, distribution: str | None) -> None:
        self.where = where
        self.given = {"user pool": user_pool, "API": api, "distribution": distribution}

    # The user pool.

    @functools.cached_property
    def user_pool_id(self) -> str:
        if given := self.given["user pool"] or self.where.adopted_pool:
            return given
        pages = self.where.aws("cognito-idp").get_paginator("list_user_pools").paginate(MaxResults=60)
        return self.only("user pool", [pool["Id"] for page in pages for pool in page["UserPools"] if pool["Name"] == self.where.prefix])

    @functools.cached_property
    def pool(self) -> dict[str, Any]:
        return dict(self.where.aws("cognito-idp").describe_user_pool(UserPoolId=self.user_pool_id)["UserPool"])

    @functools.cached_property
    def clients(self) -> list[dict[str, Any]]:
        cognito = self.where.aws("cognito-idp")
        pages = cognito.get_paginator("list_user_pool_clients").paginate(UserPoolId=self.user_pool_id)
        ids = [client["ClientId"] for page in pages for client in page["UserPoolClients"]]
        return [cognito.describe_user_pool_client(UserPoolId=self.user_pool_id, ClientId=each)["UserPoolClient"] for each in ids]

    @functools.cached_property
    def hosted_domain(self) -> dict[str, Any] | None:
        """The host of the pool's own pages; none if it has none."""
        if not (domain := self.pool.get("Domain")):
            return None
        return dict(self.where.aws("cognito-idp").describe_user_pool_domain(Domain=domain)["DomainDescription"])

    # Functions.

    def function_name(self, name: str) -> str:
        return f"{self.where.prefix}-{name}"

    @functools.cache  # noqa: B019, one deployment is looked at in a process
    def function(self, name: str) -> dict[str, Any] | None:
        """The callers' version; none if there is no such function, or no alias."""
        try:
            return dict(self.where.aws("lambda").get_function_configuration(FunctionName=self.function_name(name), Qualifier=ALIAS))
        except botocore.exceptions.ClientError as refused:
            if environment.code_of(refused) == "ResourceNotFoundException":
                return None
            raise

    # Pipes, queues and buckets.

    @functools.cache  # noqa: B019, one deployment is looked at in a process
    def pipe(self, name: str) -> dict[str, Any] | None:
        """The pipe of that short name, if there is one."""
        pipes = self.where.aws("pipes")
        try:
            return dict(pipes.describe_pipe(Name=f"{self.where.prefix}-{name}"))
        except pipes.exceptions.NotFoundException:
            return None

    def is_closed(self, bucket: str) -> bool:
        """Whether nothing can open the bucket to the world."""
        try:
            closed = self.where.aws("s3").get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        except botocore.exceptions.ClientError as refused:
            if environment.code_of(refused) == "NoSuchPublicAccessBlockConfiguration":
                return False
            raise
        return bool(closed) and all(closed.values())

    # The API.

    @functools.cached_property
    def api_id(self) -> str:
        if given := self.given["API"]:
            return given
        pages = self.where.aws("apigatewayv2").get_paginator("get_apis").paginate()
        return self.only("API", [api["ApiId"] for page in pages for api in page["Items"] if api["Name"] == self.where.prefix])

    @functools.cached_property
    def api(self) -> dict[str, Any]:
        return dict(self.where.aws("apigatewayv2").get_api(ApiId=self.api_id))

    @functools.cached_property
    def routes(self) -> dict[str, dict[str, Any]]:
        return {route["RouteKey"]: route for route in self.items("get_routes")}

    def items(self, operation: str) -> list[dict[str, Any]]:
        """All of a list of API Gateway's, which botocore pages under the operation's name."""
        pages = self.where.aws("apigatewayv2").get_paginator(operation).paginate(ApiId=self.api_id)
        return [item for page in pages for item in page["Items"]]

    # The edge.

    @functools.cached_property
    def distribution(self) -> dict[str, Any]:
        cloudfront = self.where.aws("cloudfront")
        if not self.given["distribution"]:
            pages = cloudfront.get_paginator("list_distributions").paginate()
            all_of_them = [one for page in pages for one in page["DistributionList"].get("Items", [])]
            self.given["distribution"] = self.only(
                "distribution", [one["Id"] for one in all_of_them if one["Comment"] == self.where.prefix]
            )
        return dict(cloudfront.get_distribution_config(Id=self.given["distribution"])["DistributionConfig"])

    def only(self, kind: str, ids: list[str]) -> str:
        if len(ids) != 1:
            raise Refusal(
                f"{len(ids) or 'no'} {kind}{'s are' if len(ids) > 1 else ' is'} called {self.where.prefix} in {self.where.region}; is it deployed? --help says how to name one by its id"
            )
        return ids[0]
