"""The waiting time at a cold function: init, first and tenth answer, beside a bare hello and the
same calls in Python."""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmark.runtime import Run, Share, run

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STACK = pathlib.Path(__file__).parent / "python_stack.py"

MEMORIES_MB = (128, 256, 512, 1769)
ROUND_TRIPS_MS = (0, 2, 10)
INVOCATIONS = 10
ENDPOINTS = {
    "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "cognito",
    "AWS_ENDPOINT_URL_DYNAMODB": "dynamodb",
    "AWS_ENDPOINT_URL_KMS": "kms",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER": "secretsmanager",
    "AWS_ENDPOINT_URL_SESV2": "ses",
}

Ask = Callable[[str, str, Any], Any]


class World:
    """A local run with people in it, and TLS in front of its stand-ins."""

    def __init__(self, ready: dict[str, Any], fronts: dict[str, int], root: str, environment: dict[str, str]) -> None:
        self.gateway = str(ready["gateway"])
        endpoints = {variable: f"https://127.0.0.1:{fronts[service]}" for variable, service in ENDPOINTS.items()}
        self.environment = {**environment, **endpoints, "LOOPBACK_ROOT_CERTIFICATE": root}

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(self.gateway + path, body and json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def code(self, email: str) -> str:
        return str(self.ask("GET", f"/_local/mailbox/latest?to={email}&wait=5")["code"])

    def start(self, email: str) -> str:
        return str(self.ask("POST", "/auth/otp/initiate", {"email": email})["sessionToken"])

    def signed_in(self, email: str) -> Any:
        token = self.start(email)
        return self.ask("POST", "/auth/otp/verify", {"email": email, "code": self.code(email), "sessionToken": token})

    def registered(self, email: str) -> None:
        token = self.ask("POST", "/auth/register", {"email": email, "password": PASSWORD})["sessionToken"]
        self.ask("POST", "/auth/register/confirm", {"code": self.code(email), "sessionToken": token})


PEOPLE = [f"guest{number}@example.com" for number in range(INVOCATIONS)]
REGISTRANTS = [f"registrant{number}@example.com" for number in range(INVOCATIONS)]
PASSWORD = "a river of quiet lanterns"


def event(function: str, body: Any, token: str | None = None) -> bytes:
    """The function's own event of API Gateway, with another body."""
    written = json.loads((ROOT / f"crates/{function}/events/http.json").read_text())
    written["body"] = json.dumps(body)
    if token:
        written["headers"]["authorization"] = f"Bearer {token}"
    return json.dumps(written).encode()


def events(function: str, world: World, starting: Callable[[str], str]) -> list[bytes]:
    """The requests of known people to a function."""
    if function == "initiate-otp":
        return [event(function, {"email": email}) for email in PEOPLE]
    if function == "verify-otp":
        tokens = {email: starting(email) for email in PEOPLE}
        bodies = [{"email": email, "code": world.code(email), "sessionToken": token} for email, token in tokens.items()]
        return [event(function, body) for body in bodies]
    if function == "login-user":
        for email in REGISTRANTS:
            world.registered(email)
        return [event(function, {"email": email, "password": PASSWORD}) for email in REGISTRANTS]
    if function == "refresh-token":
        return [event(function, {"refreshToken": world.signed_in(email)["refreshToken"]}) for email in PEOPLE]
    return [b"{}"] * INVOCATIONS


@contextlib.contextmanager
def certificate() -> Iterator[tuple[str, str]]:
    """The files of a key and of its own certificate, for 127.0.0.1."""
    with tempfile.TemporaryDirectory() as folder:
        key, root = f"{folder}/key.pem", f"{folder}/root.pem"
        extensions = (
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "extendedKeyUsage=serverAuth",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        )
        making = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30")
        subprocess.run((*making, "-subj", "/CN=127.0.0.1", *extensions, "-keyout", key, "-out", root), check=True, capture_output=True)
        yield key, root


@contextlib.contextmanager
def world(
    release: pathlib.Path, ready: dict[str, Any], environment: dict[str, str], round_trip_ms: int, files: tuple[str, str]
) -> Iterator[World]:
    key, root = files
    services = sorted(set(ENDPOINTS.values()))
    ports = [str(ready[service]).rsplit(":", 1)[1] for service in services]
    command = (str(release / "examples/tls_front"), key, root, str(round_trip_ms), *ports)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as front:
        assert front.stdout
        try:
            fronts = dict(zip(services, json.loads(front.stdout.readline()), strict=True))
            yield World(ready, fronts, pathlib.Path(root).read_text(), environment)
        finally:
            front.kill()


def python(folder: pathlib.Path) -> pathlib.Path:
    """A Python with the other stack's imports."""
    interpreter = folder / "bin/python"
    if not interpreter.exists():
        subprocess.run((sys.executable, "-m", "venv", folder), check=True)
    wanted = ("-r", STACK.parent / "requirements.txt")
    subprocess.run((interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted), check=True)
    return interpreter


def started_by_python(command: Sequence[str], environment: dict[str, str]) -> Callable[[str], str]:
    """Starts sign-ins as the other stack does, whose records are its own."""

    def start(email: str) -> str:
        _, (body,) = run(command, environment, [event("initiate-otp", {"email": email})], 1769, None)
        return str(json.loads(json.loads(body)["body"])["sessionToken"])

    return start


def rows(
    functions: Sequence[str],
    release: pathlib.Path,
    local_run: Callable[[], contextlib.AbstractContextManager[tuple[dict[str, Any], dict[str, str]]]],
    runs: int,
) -> Iterator[tuple[Any, ...]]:
    """Each function at each memory and round trip, by turns with hello and Python."""
    stack = python(ROOT / "target/bench/python")
    share = Share()
    with certificate() as files, share.played() as is_played:
        if not is_played:
            print("No share of a processor is played: control groups cannot be written here.\n")
        for round_trip_ms in ROUND_TRIPS_MS:
            for memory_mb in MEMORIES_MB:
                measured: dict[str, list[Run]] = {}
                for _ in range(runs):
                    for function in functions:
                        for name, command in commands(function, release, stack).items():
                            with local_run() as (ready, environment), world(release, ready, environment, round_trip_ms, files) as stage:
                                figures = once(function, name, command, stage, memory_mb, share if is_played else None, files[1])
                            measured.setdefault(name, []).append(figures)
                for name, each in measured.items():
                    yield (name, memory_mb, round_trip_ms, *medians(each))


def commands(function: str, release: pathlib.Path, stack: pathlib.Path) -> dict[str, tuple[str, ...]]:
    if function == "hello":
        return {"hello": (str(release / "examples/hello"),)}
    ours: dict[str, tuple[str, ...]] = {function: (str(release / function),)}
    if function in ("initiate-otp", "verify-otp"):
        return {**ours, f"{function} in Python": (str(stack), str(STACK), function)}
    return ours


def once(function: str, name: str, command: Sequence[str], stage: World, memory_mb: int, share: Share | None, root: str) -> Run:
    environment = {**stage.environment, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb)}
    starting: Callable[[str], str] = stage.start
    if function != "hello":
        for email in PEOPLE:
            stage.signed_in(email)
    if name.endswith("in Python"):
        environment |= {"AWS_CA_BUNDLE": root, "AWS_DEFAULT_REGION": environment["AWS_REGION"], "PATH": os.environ["PATH"]}
        environment |= {"POWERTOOLS_METRICS_NAMESPACE": "bench", "PYTHONDONTWRITEBYTECODE": "1"}
        starting = started_by_python((*command[:-1], "initiate-otp"), environment)
    figures, answers = run(command, environment, events(function, stage, starting), memory_mb, share)
    for answer in answers:
        assert function == "hello" or json.loads(answer)["statusCode"] == 200, (name, answer)
    return figures


def medians(runs: Sequence[Run]) -> tuple[str, ...]:
    def median(figure: Callable[[Run], float]) -> str:
        values = sorted(figure(each) for each in runs)
        return f"{statistics.median(values):.1f} ({values[0]:.1f}–{values[-1]:.1f})"

    return (
        median(lambda each: each.init_ms),
        median(lambda each: each.init_cpu_ms),
        median(lambda each: each.answers_ms[0]),
        median(lambda each: each.answers_ms[9]),
        median(lambda each: statistics.median(each.answers_cpu_ms[4:])),
        median(lambda each: each.memory_mb),
        median(lambda each: each.billed_ms),
    )
