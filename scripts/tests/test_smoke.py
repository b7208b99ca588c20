"""The answers that smoke accepts, from a server that repeats given ones."""

import http.server
import importlib.machinery
import importlib.util
import json
import pathlib
import threading
import unittest
from typing import Any, ClassVar

from deployment.contract import Operation

SCRIPT = str(pathlib.Path(__file__).resolve().parents[1] / "smoke")
LOADER = importlib.machinery.SourceFileLoader("smoke", SCRIPT)
SPEC = importlib.util.spec_from_loader("smoke", LOADER)
assert SPEC
smoke: Any = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(smoke)

SESSION = Operation("get-session-status", "GET", "/auth/session/{sessionId}", "NONE", (), 1, 1)
PROBLEM = {"type": "t", "title": "t", "status": 404, "detail": "d", "code": "NOT_FOUND", "requestId": "r"}


class Server(http.server.BaseHTTPRequestHandler):
    said: ClassVar[tuple[int, str, dict[str, Any]]]

    def do_GET(self) -> None:
        status, kind, body = (404, "application/json", {}) if "/_local/" in self.path else self.said
        self.send_response(status)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


class PublicRoutes(unittest.TestCase):
    def asked(self, status: int, kind: str, body: dict[str, Any]) -> str:
        Server.said = (status, kind, body)
        with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                return str(smoke.Smoke(f"http://127.0.0.1:{server.server_port}").asked_for_nothing(SESSION))
            finally:
                server.shutdown()

    def test_what_an_operation_does_not_find_is_an_answer(self) -> None:
        self.assertEqual(self.asked(404, "application/problem+json", PROBLEM), "404")
        self.assertEqual(self.asked(400, "application/problem+json", PROBLEM), "400")

    def test_a_route_that_is_not_there_is_wrong(self) -> None:
        with self.assertRaisesRegex(smoke.Wrong, "no application/problem"):
            self.asked(404, "application/json", {"message": "Not Found"})

    def test_a_failure_is_wrong(self) -> None:
        with self.assertRaisesRegex(smoke.Wrong, "500"):
            self.asked(500, "application/json", {"message": "Internal Server Error"})


if __name__ == "__main__":
    unittest.main()
