"""What a service is made of, and what its own loops are given."""

import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from fastapi import APIRouter
from pymongo import IndexModel

from schemas.envelope import Event
from services.kit import batch, idempotency, inbox, mongo, outbox
from services.kit.clock import Clock
from services.kit.decision import Decision
from services.kit.lease import Lease, leading
from services.kit.settings import Settings
from services.kit.transact import Transactor, Tx

T = TypeVar("T")
Index = IndexModel | Sequence[tuple[str, int]]


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service: the states it owns, what comes in over HTTP and from Kafka, what it does by itself."""

    name: str
    tx: type[Tx]
    indexes: Mapping[type, Sequence[Index]] = field(default_factory=dict)
    small_pages: frozenset[str] = frozenset()
    """Collections larger than the database's cache, read here and there rather than in a row."""
    routers: Sequence[APIRouter] = ()
    topics: Sequence[str] = ()
    handlers: Mapping[type[Event], batch.Handler] = field(default_factory=dict)
    reads: batch.Reads = field(default_factory=dict)
    otherwise: batch.Handler | None = None
    raw: Mapping[str, batch.RawHandler] = field(default_factory=dict)
    background: Sequence[Callable[["Context"], Awaitable[None]]] = ()
    api_background: Sequence[Callable[["Context"], Awaitable[None]]] = ()
    agents: Callable[[Any, "Context"], None] | None = None
    public: frozenset[str] = frozenset()
    """Paths that need no token, besides health, metrics and the OpenAPI document."""
    public_below: tuple[str, ...] = ()
    """Beginnings of paths that need no token either, such as `/unsubscribe/`."""
    body_limits: Mapping[str, int] = field(default_factory=dict)
    """Paths whose bodies may have more bytes than others, and how many."""

    @property
    def about(self) -> str:
        """The docstring of the service's package."""
        package = sys.modules.get(self.tx.__module__.rpartition(".")[0])
        return inspect.getdoc(package) or ""

    def listener(self) -> batch.Listener:
        return batch.Listener(self.handlers, self.reads, self.otherwise, self.raw)

    def all_indexes(self) -> dict[str, list[IndexModel]]:
        """Of the service's own collections and of the kit's."""
        own: dict[str, list[IndexModel]] = {collection: [] for collection in self.tx.KINDS.values()}
        for kind, indexes in self.indexes.items():
            models = [index if isinstance(index, IndexModel) else IndexModel(list(index)) for index in indexes]
            own[self.tx.KINDS[kind]] = models
        return own | outbox.INDEXES | inbox.INDEXES | idempotency.INDEXES


@dataclass
class Context:
    """What a program of a service works with."""

    service: Service
    settings: Settings
    clock: Clock
    database: mongo.Database
    transactor: Transactor
    holder: str
    """Names this process, in leases, to Kafka and to MongoDB."""
    alone: bool
    """Whether no other process has this name, as a worker's slot is its own; replicas of an API share theirs."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when an API is told to stop: answers that go on for ever should end."""
    prepared: bool = False
    _preparing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def of(cls, service: Service, settings: Settings, program: str) -> "Context":
        clock = Clock(settings.clock_offset)
        holder = f"{service.name}-{program}-{settings.worker_slot}"
        database = mongo.connect(settings.mongodb_uri, holder)[f"jiedui_{service.name}"]
        transactor = Transactor(service.name, database, service.tx, clock)
        return cls(service, settings, clock, database, transactor, holder, program == "worker")

    async def prepare(self) -> None:
        """Collections and indexes, once a process; and what one that was killed in this one's place left open."""
        async with self._preparing:
            if not self.prepared:
                if self.alone:
                    await mongo.end_leftovers(self.database.client, self.holder)
                await mongo.ensure(self.database, self.service.all_indexes(), self.service.small_pages)
                self.prepared = True

    def now(self) -> datetime:
        return self.clock.now()

    def reading(self) -> Any:
        """A unit that only reads."""
        return self.transactor.reading()

    async def transact(
        self,
        work: Callable[[Any], Awaitable[Decision[T]]],
        cause_name: str,
        chain: Mapping[str, Any] | None = None,
    ) -> T:
        """A decision that the service takes by itself; `cause_name` is the actor of its events.

        `chain` is the `Cause.chain` of the command that it is still part of.
        """
        return await self.transactor.transact(work, self.transactor.cause(cause_name, chain))

    def leader(self, name: str) -> AbstractAsyncContextManager[Lease]:
        """Waits until this process is the one of its kind that does `name`."""
        return leading(self.database, name, self.holder)

    async def changes(self, kind: type, every_s: float = 1.0) -> AsyncIterator[None]:
        """At once, then whenever a state of this kind changed, and at least each `every_s`."""
        changed = asyncio.Event()

        async def listen() -> None:
            async for _ in mongo.changes(self.database[self.service.tx.KINDS[kind]], ("insert", "update", "replace")):
                changed.set()

        listening = asyncio.create_task(listen())
        try:
            while True:
                yield
                # Not wait_for: until Python 3.12 it swallows a cancellation that comes together with the change.
                with suppress(TimeoutError):
                    async with asyncio.timeout(every_s):
                        await changed.wait()
                changed.clear()
        finally:
            listening.cancel()
