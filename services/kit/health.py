"""A worker's `/healthz`, `/readyz` and `/metrics`, in a thread of their own.

A thread, so that a loop that hangs shows as not ready instead of not answering.
"""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from services.kit.consumer import ConsumerState
from services.kit.outbox import RelayState

_SILENT_S = 5.0
_STUCK_S = 10.0

_OUTBOX_DEPTH = Gauge("jiedui_outbox_depth", "Rows of the outbox that are not sent")
_OUTBOX_AGE = Gauge("jiedui_outbox_oldest_age_seconds", "Age of the oldest row that is not sent")


@dataclass
class Status:
    """What is known of this worker's parts; times are monotonic seconds."""

    consumer: ConsumerState | None = None
    relay: RelayState | None = None
    outbox: tuple[int, float] | None = None
    """Depth, and age in seconds of the oldest row; None while the database does not answer."""
    waits_for: str | None = None
    _database_at: float = 0.0
    _kafka_at: float = 0.0

    def database_answered(self, depth: int, age_s: float) -> None:
        self.outbox, self._database_at = (depth, age_s), time.monotonic()
        _OUTBOX_DEPTH.set(depth)
        _OUTBOX_AGE.set(age_s)

    def kafka_answered(self) -> None:
        self._kafka_at = time.monotonic()

    def faults(self) -> list[str]:
        """Why this worker is not ready; empty when it is."""
        now = time.monotonic()
        found = [f"waits for {self.waits_for}"] if self.waits_for else []
        if now - self._database_at > _SILENT_S:
            found.append("the database does not answer")
        if now - self._kafka_at > _SILENT_S:
            found.append("the broker does not answer")
        if self.consumer is not None:
            if self.consumer.last_poll is None or now - self.consumer.last_poll > _STUCK_S:
                found.append("the consumer does not poll")
            if self.consumer.failing_since is not None:
                found.append(f"the consumer has failed for {now - self.consumer.failing_since:.0f} s")
        if self.relay is not None and self.relay.waiting_since and now - self.relay.waiting_since > _SILENT_S:
            found.append("the relay waits for the broker")
        return found


def serve(host: str, port: int, status: Status) -> None:
    """Answers until the process ends.

    Raises:
        OSError: the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match self.path:
                case "/healthz":
                    self._answer(200, b'{"status":"ok"}')
                case "/readyz":
                    faults = status.faults()
                    self._answer(503 if faults else 200, orjson.dumps({"status": faults or "ready"}))
                case "/metrics":
                    self._answer(200, generate_latest(), CONTENT_TYPE_LATEST)
                case _:
                    self._answer(404, b"{}")

        def _answer(self, code: int, body: bytes, media_type: str = "application/json") -> None:
            self.send_response(code)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
