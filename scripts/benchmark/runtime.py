"""Runs a function as Lambda does: with a whole processor until it asks for its first invocation, and
with its memory's share of one from then on."""

import contextlib
import dataclasses
import http.server
import os
import pathlib
import queue
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

WHOLE_PROCESSOR_MB = 1769
"""Lambda gives a whole processor to a function with this much memory, and a share to others."""

PERIOD_US = 20_000
"""In pieces of this length Lambda gives its processor out."""

ANSWER_SECONDS = 120

Reported = TypeVar("Reported")


@dataclasses.dataclass(frozen=True)
class Run:
    """One process: milliseconds to its first poll, of each answer, and of its processor before the
    first poll; and its highest memory use."""

    init_ms: float
    init_cpu_ms: float
    answers_ms: list[float]
    answers_cpu_ms: list[float]
    memory_mb: float

    @property
    def billed_ms(self) -> float:
        """Init and first answer."""
        return self.init_ms + self.answers_ms[0]


class Share:
    """A share of a processor, played by a control group."""

    def __init__(self) -> None:
        first, second = pathlib.Path("/sys/fs/cgroup/cpu"), pathlib.Path("/sys/fs/cgroup")
        self.is_second = not first.is_dir()
        self.group = (second if self.is_second else first) / f"latchkey-bench-{os.getpid()}"

    @contextlib.contextmanager
    def played(self) -> Iterator[bool]:
        """Whether shares are played here."""
        try:
            self.group.mkdir()
            self.limit(WHOLE_PROCESSOR_MB)
        except OSError:
            yield False
            return
        try:
            yield True
        finally:
            with contextlib.suppress(OSError):
                self.group.rmdir()

    def limit(self, memory_mb: int) -> None:
        quota = PERIOD_US * min(memory_mb, WHOLE_PROCESSOR_MB) // WHOLE_PROCESSOR_MB
        if self.is_second:
            (self.group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        else:
            (self.group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self.group / "cpu.cfs_quota_us").write_text(str(quota))

    def take(self, pid: int) -> None:
        (self.group / "cgroup.procs").write_text(str(pid))


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Lambda's side of the Runtime API, for one process."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.polls: queue.Queue[float] = queue.Queue()
        self.events: queue.Queue[bytes] = queue.Queue()
        self.answers: queue.Queue[tuple[float, float, bytes]] = queue.Queue()
        self.sent_at = 0.0

    @property
    def address(self) -> str:
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"
    # Each answer leaves as one packet, at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.server.polls.put(time.perf_counter())
        event = self.server.events.get()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(round(time.time() * 1000) + 30_000))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:bench")
        self.end_headers()
        self.wfile.write(event)
        self.server.sent_at = time.perf_counter()
        self.wfile.flush()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.answers.put((self.server.sent_at, time.perf_counter(), body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing."""


def run(
    command: Sequence[str], environment: dict[str, str], events: Sequence[bytes], memory_mb: int, share: Share | None
) -> tuple[Run, list[bytes]]:
    """Starts a process, has it answer the events one after the other, and ends it; returns its
    answers too."""
    with RuntimeApi() as runtime_api:
        threading.Thread(target=runtime_api.serve_forever, daemon=True).start()
        environment = {**environment, "AWS_LAMBDA_RUNTIME_API": runtime_api.address}
        if share:
            share.limit(WHOLE_PROCESSOR_MB)
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            if share:
                share.take(process.pid)
            polled_at = _next(runtime_api.polls, process)
            init_ms = (polled_at - begun) * 1000
            init_cpu_ms = cpu_ms(process.pid)
            if share:
                share.limit(memory_mb)
            answers_ms, answers_cpu_ms, bodies = [], [], []
            used = init_cpu_ms
            for event in events:
                runtime_api.events.put(event)
                sent_at, answered_at, body = _next(runtime_api.answers, process)
                answers_ms.append((answered_at - sent_at) * 1000)
                _next(runtime_api.polls, process)
                now = cpu_ms(process.pid)
                answers_cpu_ms.append(now - used)
                used = now
                bodies.append(body)
            return Run(init_ms, init_cpu_ms, answers_ms, answers_cpu_ms, peak_mb(process.pid)), bodies
        finally:
            process.kill()
            process.wait()
            runtime_api.shutdown()


def _next(reports: "queue.Queue[Reported]", process: "subprocess.Popen[bytes]") -> Reported:
    try:
        return reports.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        process.kill()
        assert process.stderr
        raise RuntimeError(process.stderr.read().decode(errors="replace")) from None


def cpu_ms(pid: int) -> float:
    """The time of processors that a process has used, all threads together."""
    schedules = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(schedule.read_text().split()[0]) for schedule in schedules) / 1e6


def peak_mb(pid: int) -> float:
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise LookupError("VmHWM")
