"""CloudFront and its web ACL: the only way in, over TLS, with proof that a request came through
it."""

import hashlib
from collections.abc import Iterator
from typing import Any

from deployment.contract import contract
from deployment.doctor.deployed import Deployed
from deployment.doctor.finding import Finding, error, note, warning

API_PATH = "/api/*"
ORIGIN_HEADER = "x-origin-verify"
# CloudFront's own things are there, wherever the rest is.
HOME = "us-east-1"


def origin_secret(deployed: Deployed) -> Iterator[Finding]:
    """CloudFront sends the secret that the live functions expect."""
    origin = api_origin(deployed)
    headers = {header["HeaderName"].lower(): header["HeaderValue"] for header in origin.get("CustomHeaders", {}).get("Items", [])}
    sent = headers.get(ORIGIN_HEADER, "")
    if not sent:
        yield error(
            "origin-secret",
            deployed.where.prefix,
            "CloudFront adds no proof to its requests, so functions cannot tell them from requests that bypass it",
        )
        return
    proof = hashlib.sha256(sent.encode()).hexdigest()
    refusing = sorted(name for name in contract().functions if not expects(deployed, name, proof))
    if refusing:
        yield error(
            "origin-secret",
            deployed.where.prefix,
            f"functions refuse what comes through CloudFront, since they expect another proof than it sends: {', '.join(refusing)}",
        )


def expects(deployed: Deployed, name: str, proof: str) -> bool:
    function = deployed.function(name) or {}
    hashes = function.get("Environment", {}).get("Variables", {}).get("ORIGIN_SECRET_SHA256", "none")
    return hashes in ("", "none") or proof in hashes.split(",")


def transport(deployed: Deployed) -> Iterator[Finding]:
    name, behaviour = deployed.where.prefix, api_behaviour(deployed)
    if not deployed.distribution.get("Enabled"):
        yield error("distribution", name, "the distribution is switched off, so nobody gets in")
    if not behaviour:
        yield error("api-path", name, f"the distribution does not hand {API_PATH} on to the API")
        return
    if behaviour["ViewerProtocolPolicy"] != "https-only":
        yield error(
            "https",
            name,
            f"tokens may cross the net in clear, because {API_PATH} is {behaviour['ViewerProtocolPolicy']} instead of https-only",
        )
    if api_origin(deployed).get("CustomOriginConfig", {}).get("OriginProtocolPolicy") != "https-only":
        yield error("https", name, "CloudFront asks the API without TLS")
    for path, each in ((API_PATH, behaviour), ("the page", deployed.distribution["DefaultCacheBehavior"])):
        if not each.get("ResponseHeadersPolicyId"):
            yield warning(
                "security-headers",
                name,
                f"browsers are told no security headers with {path}, because its behaviour has no response headers policy",
            )
    if not behaviour.get("CachePolicyId"):
        yield warning("cache", name, f"answers of {API_PATH} may be kept and shown to others, because its behaviour has no cache policy")


def web_acl(deployed: Deployed) -> Iterator[Finding]:
    arn = deployed.distribution.get("WebACLId", "")
    if not arn:
        yield error(
            "web-acl",
            deployed.where.prefix,
            "nothing slows down a flood of sign-ins, because no web ACL stands in front of the distribution",
        )
        return
    name, identity = arn.split("/")[-2:]
    rules = deployed.where.aws("wafv2", HOME).get_web_acl(Name=name, Scope="CLOUDFRONT", Id=identity)["WebACL"]["Rules"]
    if not any("RateBasedStatement" in rule["Statement"] and "Block" in rule.get("Action", {}) for rule in rules):
        yield error("rate-rule", name, "one address may ask as often as it likes, because the web ACL has no rule that blocks by rate")
    if not any("ManagedRuleGroupStatement" in rule["Statement"] for rule in rules):
        yield warning("managed-rules", name, "known bad requests reach the functions, because the web ACL has none of AWS's managed rules")
    for rule in rules:
        if "Count" in rule.get("OverrideAction", {}) or "Count" in rule.get("Action", {}):
            yield note("counting-rule", name, f"the rule {rule['Name']} counts what it finds, and refuses nothing")


def site(deployed: Deployed) -> Iterator[Finding]:
    """The page's bucket is for CloudFront alone."""
    for origin in deployed.distribution["Origins"]["Items"]:
        bucket = origin["DomainName"].partition(".s3.")[0]
        if "S3OriginConfig" not in origin or bucket == origin["DomainName"]:
            continue
        if not origin.get("OriginAccessControlId"):
            yield warning("site-bucket", bucket, "CloudFront asks the page's bucket without signing, so the bucket must be open")
        if not deployed.is_closed(bucket):
            yield error("site-bucket", bucket, "the page's bucket can be opened to the world, because public access to it is not blocked")


def api_behaviour(deployed: Deployed) -> dict[str, Any]:
    behaviours = deployed.distribution.get("CacheBehaviors", {}).get("Items", [])
    return next((dict(behaviour) for behaviour in behaviours if behaviour["PathPattern"] == API_PATH), {})


def api_origin(deployed: Deployed) -> dict[str, Any]:
    target = api_behaviour(deployed).get("TargetOriginId")
    return next((dict(origin) for origin in deployed.distribution["Origins"]["Items"] if origin["Id"] == target), {})


CHECKS = (origin_secret, transport, web_acl, site)
