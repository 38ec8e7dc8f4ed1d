"""A worker: a faust application that runs the consumer, the relay and a service's own loops.

faust gives the process its life (start, signals, stop) and carries the heartbeats, which may be
lost. Domain events do not come in by its agents: an agent acknowledges an event even when it
raised (docs/adr/0001).

SIGTERM stops the intake, lets the transaction under way end, and is followed by a hard exit
(`ending.py`): a stop must not wait for a broker or a database that is away.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import faust
import mode
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from schemas.topics import HEARTBEATS
from services.kit import ending, health, outbox
from services.kit.build import build
from services.kit.clock import rfc3339
from services.kit.consumer import HEARTBEAT_MS, SESSION_TIMEOUT_MS, Consumer
from services.kit.inbox import Inbox
from services.kit.service import Context, Service
from services.kit.settings import Settings
from services.kit.supervise import forever

log = logging.getLogger(__name__)

Loops = list[tuple[str, Callable[[], Awaitable[None]]]]

_BEAT_S = 1.0
_SWEEP_S = 1.0
_SECOND_OPINION_S = 5.0


def run_worker(service: Service, settings: Settings) -> None:
    """Runs a worker until it is told to stop; ends the process."""
    context = Context.of(service, settings, "worker")
    status = health.Status()
    health.serve(settings.host, settings.worker_port, status)
    health.end_when_stuck(status)
    asyncio.run(_wait_for_kafka(settings.kafka_bootstrap, status))
    app = _faust_app(service, settings)
    # Without agents there is nothing that faust could subscribe to.
    app.producer_only = service.agents is None
    parts = _Parts(context, status)
    app.service(_Loops(parts.loops()))
    _beat(app, parts)
    if service.agents is not None:
        service.agents(app, context)
    worker = _Worker(app, loglevel="WARNING", override_logging=False, redirect_stdouts=False, quiet=True)
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        ending.leave(int(ended.code or 0))


async def _wait_for_kafka(bootstrap: str, status: health.Status) -> None:
    """faust ends when it finds no broker at its start; a worker waits."""
    status.waits_for = "kafka"
    while not await _answers(bootstrap):  # noqa: ASYNC110 - nobody tells when a broker is back
        await asyncio.sleep(_BEAT_S)
    status.turned()
    status.waits_for = None


async def _answers(bootstrap: str) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
    try:
        await admin.start()
        return True
    except (KafkaError, OSError):
        return False
    finally:
        with suppress(KafkaError, OSError):
            await admin.close()


def _faust_app(service: Service, settings: Settings) -> faust.App:
    # Tables are caches; each process has its own folder, or RocksDB refuses the second.
    tables = (settings.home / "faust" / f"{service.name}-{settings.worker_slot}").absolute()
    tables.mkdir(parents=True, exist_ok=True)
    return faust.App(
        f"jiedui-{service.name}-live",
        broker=f"kafka://{settings.kafka_bootstrap}",
        store="rocksdb://?driver=rocksdict",
        datadir=str(tables),
        web_enabled=False,
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=4,
        broker_session_timeout=SESSION_TIMEOUT_MS / 1000,
        broker_heartbeat_interval=HEARTBEAT_MS / 1000,
        value_serializer="json",
    )


class _Parts:
    """The parts that one worker runs."""

    def __init__(self, context: Context, status: health.Status) -> None:
        settings, service = context.settings, context.service
        self.context = context
        self.status = status
        self.inbox = Inbox(context.transactor, service.listener())
        self.relay = outbox.Relay(context.database, settings.kafka_bootstrap, context.holder, context.clock)
        self.consumer = Consumer(
            self.inbox,
            service.topics,
            settings.kafka_bootstrap,
            group=f"jiedui-{service.name}",
            member=f"{service.name}-{settings.worker_slot}",
        )
        status.consumer = self.consumer.state if service.topics else None
        status.relay = self.relay.state

    def loops(self) -> Loops:
        found: Loops = [
            ("relay", self._prepared(self.relay.run)),
            ("pulse", self._pulse),
            ("second opinion", self._second_opinion),
        ]
        if self.context.service.topics:
            found += [("consumer", self._prepared(self.consumer.run)), ("sweep", self._prepared(self._sweep))]
        for loop in self.context.service.background:
            found.append((loop.__name__, self._prepared(lambda loop=loop: loop(self.context))))  # type: ignore[misc]
        return found

    def _prepared(self, run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def after() -> None:
            await self.context.prepare()
            await run()

        return after

    async def _sweep(self) -> None:
        while True:
            await self.inbox.sweep()
            await asyncio.sleep(_SWEEP_S)

    async def _pulse(self) -> None:
        """Asks the database how it is; what the health check tells comes from here."""
        while True:
            self.status.turned()
            try:
                async with asyncio.timeout(2):
                    depth, age_s = await outbox.depth(self.context.database, self.context.clock)
                self.status.database_answered(depth, age_s)
            except (PyMongoError, TimeoutError):
                self.status.outbox = None
            await asyncio.sleep(_BEAT_S)

    async def _second_opinion(self) -> None:
        """Where heartbeats are not taken, asks the broker by another way whether that is its fault or ours."""
        while True:
            await asyncio.sleep(_SECOND_OPINION_S)
            if self.status.silent_broker and await _answers(self.context.settings.kafka_bootstrap):
                self.status.broker_answered()

    def heartbeat(self) -> dict[str, Any]:
        """What this worker tells of itself once a second; counts are since it started."""
        settings = self.context.settings
        depth, age_s = self.status.outbox or (None, None)
        return {
            "service": self.context.service.name,
            "slot": settings.worker_slot,
            "pid": os.getpid(),
            "build": build(),
            "at": rfc3339(self.context.now()),
            "outbox_depth": depth,
            "outbox_oldest_age_s": age_s,
            "applied": self.inbox.applied,
            "sent": self.relay.state.sent,
        }


def _beat(app: faust.App, parts: _Parts) -> None:
    topic = app.topic(HEARTBEATS, key_type=str, key_serializer="raw", value_serializer="json")

    @app.timer(_BEAT_S)  # type: ignore[untyped-decorator]
    async def heartbeat() -> None:
        beat = parts.heartbeat()
        # One lost heartbeat is no loss; one that waits would hold up the next.
        with suppress(Exception):
            sending = await asyncio.wait_for(topic.send(key=f"{beat['service']}-{beat['slot']}", value=beat), _BEAT_S)
            # What was handed over may still lie in the producer; only this is the broker's answer.
            await asyncio.wait_for(sending, _BEAT_S)
            parts.status.kafka_answered()


class _Loops(mode.Service):  # type: ignore[misc]
    """The worker's loops as a service of the faust application."""

    def __init__(self, loops: Loops) -> None:
        super().__init__()
        self._loops = loops
        self._running: set[asyncio.Task[None]] = set()

    async def on_start(self) -> None:
        for name, loop in self._loops:
            task = asyncio.create_task(forever(name, loop), name=name)
            task.add_done_callback(_must_not_end)
            self._running.add(task)

    async def on_stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.wait(self._running, timeout=ending.STOP_S)


def _must_not_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.critical("this worker cannot go on", extra={"loop": task.get_name()})
        os._exit(1)


class _Worker(faust.Worker):  # type: ignore[misc]
    def __init__(self, app: faust.App, **options: Any) -> None:
        super().__init__(app, **options)
        # It would write escape sequences between the lines of the log.
        self.spinner = None

    def _on_sigterm(self) -> None:
        ending.in_time()
        super()._on_sigterm()

    def _on_sigint(self) -> None:
        ending.in_time()
        super()._on_sigint()
