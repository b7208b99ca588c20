"""The HTTP API: every route has the contract's authorizer and throttle, and only CloudFront leads
to it."""

from collections.abc import Iterator
from typing import Any

from deployment.contract import Operation, contract
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Finding, error, note, warning
from deployment.doctor.pool import is_agentcores


def routes(deployed: Deployed) -> Iterator[Finding]:
    wanted = {operation.route_key: operation for operation in contract().operations}
    for key, operation in wanted.items():
        if key not in deployed.routes:
            yield error("route-missing", key, "the contract names the route, and the API has none")
        else:
            yield from guarded(operation, deployed.routes[key])
    for key, route in deployed.routes.items():
        if key not in wanted:
            open_to = "anybody reaches it" if route.get("AuthorizationType", "NONE") == "NONE" else "no contract says what it does"
            yield error("foreign-route", key, f"the API has a route that the contract does not name, and {open_to}", "delete the route")


def guarded(operation: Operation, route: dict[str, Any]) -> Iterator[Finding]:
    authorization = route.get("AuthorizationType", "NONE")
    if authorization != operation.authorization:
        severe = error if authorization == "NONE" or operation.authorization == "AWS_IAM" else warning
        who = "anybody" if authorization == "NONE" else f"every caller that passes {authorization}"
        yield severe("authorizer", operation.route_key, f"{who} reaches it, and the contract wants {operation.authorization}")
    elif set(route.get("AuthorizationScopes", [])) != set(operation.scopes):
        had = " ".join(route.get("AuthorizationScopes", [])) or "none, so ID tokens pass"
        yield error("scopes", operation.route_key, f"the route wants the scopes {had}, and the contract {' '.join(operation.scopes)}")


def authorizers(deployed: Deployed) -> Iterator[Finding]:
    opens = deployed.where.public_client == "api"
    clients = {client["ClientId"] for client in deployed.clients if not is_agentcores(client) and (client.get("ClientSecret") or opens)}
    used = {route["AuthorizerId"] for route in deployed.routes.values() if route.get("AuthorizerId")}
    for identity in sorted(used):
        authorizer = deployed.where.aws("apigatewayv2").get_authorizer(ApiId=deployed.api_id, AuthorizerId=identity)
        tokens = authorizer.get("JwtConfiguration", {})
        if not tokens.get("Issuer", "").endswith(f"/{deployed.user_pool_id}"):
            yield error("issuer", authorizer["Name"], f"the API takes tokens of {tokens.get('Issuer')}, which is not the deployment's pool")
        strangers = sorted(set(tokens.get("Audience", [])) - clients)
        if strangers:
            yield error("audience", authorizer["Name"], f"the API takes tokens of clients that are not for it: {', '.join(strangers)}")


def throttles(deployed: Deployed) -> Iterator[Finding]:
    stages = deployed.items("get_stages")
    for stage in stages:
        settings = stage.get("RouteSettings", {})
        for operation in contract().operations:
            yield from throttled(operation, settings.get(operation.route_key, {}))
        if not stage.get("DefaultRouteSettings", {}).get("ThrottlingRateLimit"):
            yield warning(
                "default-throttle",
                stage["StageName"],
                "a route that is added by hand can use up the whole account's requests, because the stage has no throttle of its own",
            )
        if not stage.get("AccessLogSettings", {}).get("DestinationArn"):
            yield warning("access-log", stage["StageName"], "requests cannot be traced later, because the access log is off")
    if not stages:
        yield error("stage", deployed.where.prefix, "the API has no stage, so nothing answers")


def throttled(operation: Operation, settings: dict[str, Any]) -> Iterator[Finding]:
    rate, burst = settings.get("ThrottlingRateLimit", 0), settings.get("ThrottlingBurstLimit", 0)
    if not rate or not burst:
        yield error(
            "throttle", operation.route_key, "one caller can use up the whole account's requests, because the route has no throttle"
        )
    elif (rate, burst) != (operation.rate, operation.burst):
        yield warning(
            "throttle",
            operation.route_key,
            f"the route takes {rate:g} requests a second and {burst} at once, and the contract says {operation.rate:g} and {operation.burst}",
        )


def integrations(deployed: Deployed) -> Iterator[Finding]:
    targets = {integration["IntegrationId"]: integration for integration in deployed.items("get_integrations")}
    for operation in contract().operations:
        route = deployed.routes.get(operation.route_key, {})
        target = targets.get(route.get("Target", "").removeprefix("integrations/"), {})
        alias = f":{deployed.function_name(operation.name)}:live/"
        if route and alias not in target.get("IntegrationUri", ""):
            yield error(
                "integration",
                operation.route_key,
                f"the route goes to {target.get('IntegrationUri', 'nothing')} instead of the function's alias live, which roll-backs move",
            )


def cross_origin(deployed: Deployed) -> Iterator[Finding]:
    cors = deployed.api.get("CorsConfiguration", {})
    if "*" in cors.get("AllowOrigins", []):
        yield error(
            "cors",
            deployed.where.prefix,
            "every page on the web may call the API with its visitor's credentials, because CORS allows all origins",
            "name the front ends in cors_origins",
        )
    if any(
        origin.startswith("http://") and "localhost" not in origin and "127.0.0.1" not in origin for origin in cors.get("AllowOrigins", [])
    ):
        yield warning(
            "cors",
            deployed.where.prefix,
            "an attacker on the network can call the API in a visitor's name, because CORS allows an origin without TLS",
            "name the front ends in cors_origins",
        )


def ways_round(deployed: Deployed) -> Iterator[Finding]:
    """An HTTP API cannot have a web ACL in front: a request to the API's own address bypasses it,
    unless the functions check."""
    unchecked = sorted(name for name in contract().functions if answers_strangers(deployed, name))
    at_aws = not deployed.api.get("DisableExecuteApiEndpoint", False)
    address = "at AWS's name for it" if at_aws else "at its own name"
    if unchecked:
        yield error(
            "way-round",
            deployed.where.prefix,
            f"functions answer requests to the API {address}, past CloudFront and its web ACL, since they check no origin secret: {', '.join(unchecked)}",
        )
    else:
        sentence = f"a request to the API {address} bypasses CloudFront and its web ACL; every function refuses that, and throttles bound what it costs"
        yield note("past-the-edge", deployed.where.prefix, sentence)


def answers_strangers(deployed: Deployed, name: str) -> bool:
    """Whether a function behind a route does not ask for the origin secret's proof."""
    function = deployed.function(name)
    if function is None or name in contract().kinds:
        return False
    hashes = function.get("Environment", {}).get("Variables", {}).get("ORIGIN_SECRET_SHA256", "none")
    return hashes in ("", "none")


CHECKS = (routes, authorizers, throttles, integrations, cross_origin, ways_round)
