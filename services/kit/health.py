"""A worker's `/healthz`, `/readyz` and `/metrics`, and its end when it stands still, in threads of their own.

Threads, so that a loop that hangs shows as not ready instead of not answering, and does not hang for ever.
"""

import logging
import os
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from services.kit.consumer import ConsumerState
from services.kit.outbox import RelayState

log = logging.getLogger(__name__)

_SILENT_S = 5.0
_STUCK_S = 10.0
# A worker that has stood still for so long is better started anew. No batch takes as long.
ENDS_AFTER_S = 120

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
    _turned_at: float = field(default_factory=time.monotonic)
    _database_at: float = 0.0
    _kafka_at: float = 0.0
    _broker_at: float = 0.0

    def turned(self) -> None:
        """The event loop gets round."""
        self._turned_at = time.monotonic()

    def database_answered(self, depth: int, age_s: float) -> None:
        self.outbox, self._database_at = (depth, age_s), time.monotonic()
        _OUTBOX_DEPTH.set(depth)
        _OUTBOX_AGE.set(age_s)

    def kafka_answered(self) -> None:
        """A heartbeat was taken."""
        self._kafka_at = time.monotonic()

    def broker_answered(self) -> None:
        """Somebody else than the heartbeats' producer had an answer."""
        self._broker_at = time.monotonic()

    @property
    def silent_broker(self) -> bool:
        """Whether heartbeats are not taken."""
        return time.monotonic() - self._kafka_at > _SILENT_S

    def faults(self) -> list[str]:
        """Why this worker is not ready; empty when it is."""
        found = [f"waits for {self.waits_for}"] if self.waits_for else []
        if time.monotonic() - self._database_at > _SILENT_S:
            found.append("the database does not answer")
        if self.silent_broker:
            found.append("the broker does not answer")
        return found + self._own()

    def stands_still(self) -> list[str]:
        """What of this worker itself does not move, though all that it needs is there."""
        now = time.monotonic()
        if self.waits_for:
            return []
        if now - self._turned_at > _STUCK_S:
            return ["the event loop hangs"]
        if now - self._database_at > _SILENT_S or now - max(self._kafka_at, self._broker_at) > _STUCK_S:
            return []
        return self._own() + (["no heartbeat is taken"] if self.silent_broker else [])

    def _own(self) -> list[str]:
        found, now = [], time.monotonic()
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


def end_when_stuck(status: Status) -> None:
    """The process ends, to be started anew, once it has stood still for `ENDS_AFTER_S`.

    Counted by looks and not by a clock, which goes on while a machine sleeps.
    """

    def watch() -> None:
        looks = 0
        while looks < ENDS_AFTER_S:
            time.sleep(1)
            found = status.stands_still()
            looks = looks + 1 if found else 0
        log.critical("this worker stands still", extra={"faults": found})
        os._exit(1)

    threading.Thread(target=watch, name="watch", daemon=True).start()
