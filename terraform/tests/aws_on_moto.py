"""moto's server, and before it what moto lacks of the AWS that Latchkey's Terraform talks to.

    python3 aws_on_moto.py            takes a free port and prints it, one line, once it answers; SIGTERM ends it
    python3 aws_on_moto.py --port N

`GET /seen-by-the-test` says, as JSON, which calls came since it was last asked.

What is added keeps what it is given and gives it back, and judges nothing (moto's memory has gaps
too): CloudFront's policies and functions, EventBridge's schemas, saved log queries, buckets'
policies, what a new account may do. moto judges the rest, as far as it does. State is in memory.
"""

import argparse
import base64
import io
import json
import re
import socket
import threading
import urllib.request
import uuid
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import insights
import more_of_moto  # noqa: F401, teaches moto by being imported
from moto.awslambda.models import lambda_backends
from moto.s3.models import FakeDeleteMarker
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

# moto 5.2 cannot empty a bucket that has delete markers: it calls this on them, and they have none.
if not hasattr(FakeDeleteMarker, "dispose"):
    FakeDeleteMarker.dispose = lambda _: None

CLOUDFRONT = "http://cloudfront.amazonaws.com/doc/2020-05-31/"

# Settings of a pool that AWS takes back where an update does not name them, and moto keeps.
ENDED_BY_SILENCE = ("DeviceConfiguration", "LambdaConfig", "UserPoolAddOns")

# path under /2020-05-31/ => the elements that AWS wraps the configuration in
POLICIES = {
    "cache-policy": ("CachePolicy", "CachePolicyConfig"),
    "origin-request-policy": ("OriginRequestPolicy", "OriginRequestPolicyConfig"),
    "response-headers-policy": ("ResponseHeadersPolicy", "ResponseHeadersPolicyConfig"),
}

# So little that a test can fill it. AWS gives 75 GB.
CODE_STORAGE = 1_000_000


class Gaps:
    """Answers requests that moto cannot, and passes all others to it."""

    def __init__(self, moto):
        self.moto = moto
        self.lock = threading.Lock()
        self.kept = {}
        self.seen = []

    def __call__(self, environ, start_response):
        request = Request(environ)
        with self.lock:
            if request.path == "/seen-by-the-test":
                response = self.calls_seen()
            else:
                self.see(request, environ)
                response = self.answer(request)
        return (response or self.remembered(request, environ) or self.moto)(environ, start_response)

    def see(self, request, environ):
        """Records each call, to derive its action and its resources."""
        data = request.get_data()
        environ["wsgi.input"] = io.BytesIO(data)
        credential = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", request.headers.get("Authorization", ""))
        if credential:
            self.seen.append(
                {
                    "region": credential[1],
                    "service": credential[2],
                    "method": request.method,
                    "url": environ.get("RAW_URI") or request.full_path,
                    "target": request.headers.get("X-Amz-Target", ""),
                    "tags": request.headers.get("X-Amz-Tagging", ""),
                    "body": data.decode(errors="replace") if len(data) < 100_000 else "",
                }
            )

    def calls_seen(self):
        """All calls since this was last asked."""
        seen, self.seen = self.seen, []
        return json_response(seen)

    def remembered(self, request, environ):
        """Restores values that moto accepts and forgets: half of a user pool's settings, a
        function's log destination, parts of a distribution and of a domain."""
        if request.path.startswith("/2020-05-31/distribution"):
            return self.distribution(request, environ)
        if request.path.startswith("/v2/domainnames/") or (request.path == "/v2/domainnames" and request.method == "POST"):
            return self.api_domain(request, environ)
        target = request.headers.get("X-Amz-Target", "").partition(".")[2]
        if target.endswith("UserPoolDomain"):
            return self.domain(request, environ)
        if target in ("CreateIdentityPool", "UpdateIdentityPool", "DescribeIdentityPool"):
            return self.identity_pool(request, environ)
        function = re.fullmatch(r"/2015-03-31/functions(?:/([^/]+))?(/configuration)?", unquote(request.path))
        if target not in ("CreateUserPool", "UpdateUserPool", "DescribeUserPool") and not function:
            return None
        data = request.get_data()
        environ["wsgi.input"] = io.BytesIO(data)
        response = Response.from_app(self.moto, environ)
        if response.status_code >= 300:
            return response
        given = json.loads(data or b"{}")
        answer = json.loads(response.get_data() or b"{}")
        if function:
            name = (function[1] or given.get("FunctionName", "")).rpartition(":function:")[2].partition(":")[0]
            configuration = answer.get("Configuration", answer)
            kept = self.kept.setdefault(("function-settings", name), {})
            kept.update({key: given[key] for key in ("LoggingConfig",) if key in given})
        else:
            configuration = answer.get("UserPool", {})
            kept = self.kept.setdefault(("pool-settings", given.get("UserPoolId", configuration.get("Id"))), {})
            if target != "DescribeUserPool":
                kept.update({key: value for key, value in given.items() if key not in ("UserPoolId", "PoolName", "Schema")})
            if target == "UpdateUserPool":
                kept.update({name: None for name in ENDED_BY_SILENCE if name not in given})
        configuration.update({name: value for name, value in kept.items() if value is not None})
        for name in [name for name, value in kept.items() if value is None]:
            configuration.pop(name, None)
        if kept and response.get_data():
            response.set_data(json.dumps(answer))
        return response

    def domain(self, request, environ):
        """moto forgets which pages a pool's domain shows."""
        data = request.get_data()
        environ["wsgi.input"] = io.BytesIO(data)
        response = Response.from_app(self.moto, environ)
        given = json.loads(data)
        kept = self.kept.setdefault(("domain", given["Domain"]), {})
        kept.update({name: given[name] for name in ("ManagedLoginVersion",) if name in given})
        answer = json.loads(response.get_data() or b"{}")
        if answer.get("DomainDescription"):
            answer["DomainDescription"].update(kept)
            response.set_data(json.dumps(answer))
        return response

    def api_domain(self, request, environ):
        """moto does not say that a domain of an API is there, nor where its record leads."""
        response = Response.from_app(self.moto, environ)
        answer = json.loads(response.get_data() or b"{}")
        for configuration in answer.get("domainNameConfigurations", []):
            configuration.update(
                domainNameStatus="AVAILABLE",
                apiGatewayDomainName="d-0123456789.execute-api.eu-west-1.amazonaws.com",
                hostedZoneId="ZLY8HYME6SFDD",
            )
            answer = {name: value for name, value in answer.items() if value != {}}
            response.set_data(json.dumps(answer))
        return response

    def identity_pool(self, request, environ):
        """moto forgets whether the classic flow is open."""
        data = request.get_data()
        environ["wsgi.input"] = io.BytesIO(data)
        response = Response.from_app(self.moto, environ)
        if response.status_code < 300:
            given, answer = json.loads(data), json.loads(response.get_data())
            kept = self.kept.setdefault(("identity-pool", answer["IdentityPoolId"]), {})
            kept.update({name: given[name] for name in ("AllowClassicFlow",) if name in given})
            response.set_data(json.dumps({**answer, **kept}))
        return response

    def distribution(self, request, environ):
        """A distribution's last configuration, over moto's answer. Where none was given, moto's own
        is AWS's default."""
        data = request.get_data()
        environ["wsgi.input"] = io.BytesIO(data)
        response = Response.from_app(self.moto, environ)
        if response.status_code >= 300 or b"<DistributionConfig" not in response.get_data():
            return response
        answer = ElementTree.fromstring(response.get_data())
        configuration = next(answer.iter(f"{{{CLOUDFRONT}}}DistributionConfig"))
        name = configuration.findtext(f"{{{CLOUDFRONT}}}CallerReference")
        if data:
            given = next(ElementTree.fromstring(data).iter(f"{{{CLOUDFRONT}}}DistributionConfig"))
            self.kept[("distribution", name)] = {part.tag: part for part in given}
        kept = self.kept.get(("distribution", name), {})
        for part in [part for part in configuration if part.tag in kept]:
            configuration.remove(part)
        configuration.extend(kept.values())
        response.set_data(ElementTree.tostring(answer, default_namespace=CLOUDFRONT))
        return response

    def answer(self, request):
        path = unquote(request.path)
        cloudfront = re.fullmatch(r"/2020-05-31/([a-z-]+)(?:/([^/]+))?(?:/([a-z]+))?", path)
        if cloudfront and cloudfront[1] in POLICIES:
            return self.policy(request, cloudfront[1], cloudfront[2])
        if cloudfront and cloudfront[1] == "function":
            return self.function(request, cloudfront[2], cloudfront[3])
        if "policy" in request.args and path.count("/") == 1:
            return self.bucket_policy(request, path)
        if path == "/v2/email/account":
            # As in a new account: in the sandbox.
            return json_response({"ProductionAccessEnabled": False, "SendingEnabled": True, "SendQuota": {"Max24HourSend": 200}})
        if path.rstrip("/") == "/2016-08-19/account-settings":
            return json_response(
                {
                    "AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10, "TotalCodeSize": CODE_STORAGE},
                    "AccountUsage": {"TotalCodeSize": sum(function.code_size for function in functions_of(request).list_functions("ALL"))},
                }
            )
        if path.startswith("/v1/registries/"):
            return self.schema(request, path)
        if path.startswith("/tags/arn:aws:schemas:"):
            return self.schema_tags(path.removeprefix("/tags/"))
        if refused := [query for query in self.metric_queries(request) if insights.refuses(query)]:
            return xml_error(400, "ValidationError", f"Error in expression: {escape(refused[0])}")
        if self.form(request).get("Action") == "PutDashboard" and insights.overloads(json.loads(self.form(request)["DashboardBody"])):
            return xml_error(400, "InvalidParameterInput", "a widget asks more than one query")
        target = request.headers.get("X-Amz-Target", "")
        if target.endswith("IdentityPoolRoles"):
            return self.identity_pool_roles(target, json.loads(request.get_data()))
        if target in ("AWSCognitoIdentityProviderService.TagResource", "AWSCognitoIdentityProviderService.UntagResource"):
            return self.pool_tags(json.loads(request.get_data()))
        if target.endswith(("QueryDefinition", "QueryDefinitions")):
            return self.query(target.split(".")[1], json.loads(request.get_data() or b"{}"))
        return None

    def form(self, request):
        is_form = request.mimetype == "application/x-www-form-urlencoded"
        return dict(parse_qsl(request.get_data(as_text=True))) if is_form else {}

    def metric_queries(self, request):
        """The queries of alarms and dashboards. moto reads none of them."""
        form = self.form(request)
        if form.get("Action") == "PutDashboard":
            return insights.expressions(json.loads(form["DashboardBody"]))
        return [value for name, value in form.items() if name.endswith(".Expression")] if form.get("Action") == "PutMetricAlarm" else []

    def identity_pool_roles(self, target, body):
        key = ("identity-pool-roles", body["IdentityPoolId"])
        if target.endswith("SetIdentityPoolRoles"):
            self.kept[key] = body
            return json_response({})
        return json_response(self.kept.get(key, body))

    def pool_tags(self, body):
        """moto takes a pool's tags when the pool is made, and none later."""
        kept = self.kept.setdefault(("pool-settings", body["ResourceArn"].rpartition("/")[2]), {})
        tags = {**kept.get("UserPoolTags", {}), **body.get("Tags", {})}
        kept["UserPoolTags"] = {name: value for name, value in tags.items() if name not in body.get("TagKeys", [])}
        return json_response({})

    def bucket_policy(self, request, path):
        """moto enforces a bucket's policy without its conditions: "Deny, unless over TLS" would
        shut everybody out."""
        key = ("bucket-policy", path)
        if request.method == "PUT":
            self.kept[key] = request.get_data(as_text=True)
            return Response(status=204)
        if request.method == "DELETE":
            self.kept.pop(key, None)
            return Response(status=204)
        if key in self.kept:
            return json_response(json.loads(self.kept[key]))
        return Response(
            "<Error><Code>NoSuchBucketPolicy</Code><Message>not there</Message></Error>", status=404, mimetype="application/xml"
        )

    def policy(self, request, kind, key):
        wrapper, element = POLICIES[kind]
        if request.method == "DELETE":
            self.kept.pop((kind, key), None)
            return Response(status=204)
        if request.method in ("POST", "PUT"):
            key = key or str(uuid.uuid4())
            inner = re.search(rf"<{element}[^>]*>(.*)</{element}>", request.get_data(as_text=True), re.DOTALL)
            self.kept[(kind, key)] = inner[1]
        if (kind, key) not in self.kept:
            return xml_error(404, f"NoSuch{wrapper}")
        body = (
            f'<{wrapper} xmlns="{CLOUDFRONT}"><Id>{key}</Id><LastModifiedTime>2026-01-01T00:00:00Z</LastModifiedTime>'
            f"<{element}>{self.kept[(kind, key)]}</{element}></{wrapper}>"
        )
        return Response(body, status=201 if request.method == "POST" else 200, mimetype="text/xml", headers={"ETag": "E1"})

    def function(self, request, name, part):
        if request.method == "DELETE":
            self.kept.pop(("function", name), None)
            return Response(status=204)
        if request.method in ("POST", "PUT") and part != "publish":
            text = request.get_data(as_text=True)
            name = name or re.search(r"<Name>(.*?)</Name>", text)[1]
            config = re.search(r"<FunctionConfig>(.*?)</FunctionConfig>", text, re.DOTALL)[1]
            code = re.search(r"<FunctionCode>(.*?)</FunctionCode>", text, re.DOTALL)[1]
            self.kept[("function", name)] = (config, code)
        if ("function", name) not in self.kept:
            return xml_error(404, "NoSuchFunctionExists")
        config, code = self.kept[("function", name)]
        if request.method == "GET" and part is None:
            return Response(base64.b64decode(code), mimetype="application/octet-stream", headers={"ETag": "E1"})
        body = (
            f'<FunctionSummary xmlns="{CLOUDFRONT}"><Name>{name}</Name><Status>UNASSOCIATED</Status>'
            f"<FunctionConfig>{config}</FunctionConfig><FunctionMetadata>"
            f"<FunctionARN>arn:aws:cloudfront::123456789012:function/{name}</FunctionARN><Stage>LIVE</Stage>"
            "<CreatedTime>2026-01-01T00:00:00Z</CreatedTime><LastModifiedTime>2026-01-01T00:00:00Z</LastModifiedTime>"
            "</FunctionMetadata></FunctionSummary>"
        )
        created = request.method == "POST" and part != "publish"
        return Response(body, status=201 if created else 200, mimetype="text/xml", headers={"ETag": "E1"})

    def schema(self, request, path):
        key = ("schema", path)
        if request.method == "DELETE":
            self.kept.pop(key, None)
            return Response(status=204)
        if request.method in ("POST", "PUT"):
            self.kept[key] = {**self.kept.get(key, {}), **json.loads(request.get_data() or b"{}")}
        if key not in self.kept:
            return json_response({"Code": "NotFoundException", "Message": "not there"}, 404, {"x-amzn-ErrorType": "NotFoundException"})
        registry, _, schema = path.removeprefix("/v1/registries/name/").partition("/schemas/name/")
        arn = f"arn:aws:schemas:eu-west-1:123456789012:{'schema/' + registry + '/' + schema if schema else 'registry/' + registry}"
        names = {"RegistryName": registry, "RegistryArn": arn}
        if schema:
            names = {"SchemaName": schema, "SchemaArn": arn, "SchemaVersion": "1", "LastModified": "2026-01-01T00:00:00Z"}
        return json_response({**self.kept[key], **names}, 201 if request.method == "POST" else 200)

    def schema_tags(self, arn):
        registry, _, schema = arn.split(":", 5)[5].partition("/")[2].partition("/")
        key = ("schema", f"/v1/registries/name/{registry}" + (f"/schemas/name/{schema}" if schema else ""))
        return json_response({"tags": self.kept.get(key, {}).get("tags", {})})

    def query(self, operation, body):
        if operation == "PutQueryDefinition":
            key = body.get("queryDefinitionId") or str(uuid.uuid4())
            self.kept[("query", key)] = {**body, "queryDefinitionId": key}
            return json_response({"queryDefinitionId": key})
        if operation == "DeleteQueryDefinition":
            return json_response({"success": self.kept.pop(("query", body["queryDefinitionId"]), None) is not None})
        prefix = body.get("queryDefinitionNamePrefix", "")
        found = [kept for key, kept in self.kept.items() if key[0] == "query" and kept["name"].startswith(prefix)]
        return json_response({"queryDefinitions": found})


class Quiet(WSGIRequestHandler):
    """Writes no line for each of some ten thousand requests."""

    def log_request(self, code="-", size="-"):
        pass


def functions_of(request):
    """moto's functions of the region that signed the request."""
    region = re.search(r"Credential=[^/]+/\d+/([^/]+)/", request.headers["Authorization"])[1]
    return lambda_backends["123456789012"][region]


def json_response(body, status=200, headers=None):
    return Response(json.dumps(body), status=status, mimetype="application/json", headers=headers or {})


def xml_error(status, code, message="not there"):
    body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Response(body, status=status, mimetype="text/xml")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    port = parser.parse_args().port or free_port()
    server = make_server("127.0.0.1", port, Gaps(DomainDispatcherApplication(create_backend_app)), threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=30).close()
    print(port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
