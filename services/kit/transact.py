"""The one write path.

A unit of work reads states, lets a rule decide, and keeps in ONE MongoDB transaction:

1. the mark of its cause (an idempotency key with its answer, or the ids of consumed events), before all else;
2. the new states;
3. what only the entrance knows (the numbers that are next, what is parked);
4. the events, as rows of the outbox, numbered within their subject.

All of it or nothing. The relay (`outbox.py`) sends the rows later. A crash before the commit
leaves nothing; a crash after it leaves rows that the relay of any worker finds.

An event's number (`sequence`) is counted in the document of the state that its subject names, so
two units that write events of one subject touch the same document, and MongoDB lets only one of
them through at a time. That is what makes the numbers gap-free and visible in their order.

Before a unit opens its transaction it may hold an in-process lock on the aggregate that everybody
wants: waiting in line costs less than being aborted (1,000 claims on one document: 1.5 s, not 19.7).
"""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, TypeVar

from pymongo import DeleteOne, InsertOne, ReplaceOne

from services.kit import mongo
from services.kit.clock import Clock, day_of
from services.kit.decision import Decision, NotFound
from services.kit.ids import new_id
from services.kit.rows import Cause, event_row, record_rows

T = TypeVar("T")
Writes = dict[str, list[mongo.Operation]]


@dataclass(slots=True)
class _Seen:
    state: Any | None
    sequence: int = 0
    stored: bool = False
    changed: bool = False


class Tx:
    """One unit of work over a service's states: an identity map with buffered writes.

    A service subclasses it, names its `KINDS` and adds its queries. Without a session it only reads.
    """

    KINDS: ClassVar[Mapping[type, str]] = {}

    def __init__(self, database: mongo.Database, cause: Cause, now: datetime, session: mongo.Session | None = None):
        self.database = database
        self.session = session
        self.cause = cause
        self.now = now
        self._seen: dict[tuple[type, str], _Seen] = {}
        self._rows: list[mongo.Document] = []
        self._marks: Writes = {}
        self._books: Writes = {}

    @property
    def today(self) -> date:
        """The day in Asia/Shanghai."""
        return day_of(self.now)

    def new_id(self) -> str:
        return new_id()

    def caused_by(self, cause: Cause) -> None:
        """What follows is decided because of another cause (the next event of a batch)."""
        self.cause = cause

    async def get(self, kind: type[T], id: str) -> T | None:
        """A state by its id, or None."""
        seen = self._seen.get((kind, id))
        if seen is None:
            seen = self._look(kind, id, await self._collection(kind).find_one({"_id": id}, session=self.session))
        return seen.state

    async def need(self, kind: type[T], id: str) -> T:
        """A state by its id.

        Raises:
            NotFound: there is none.
        """
        state = await self.get(kind, id)
        if state is None:
            raise NotFound(f"There is no {mongo.noun(kind)} {id}.")
        return state

    async def get_many(self, kind: type[T], ids: Iterable[str]) -> dict[str, T]:
        """Those of the states that are there, by id, in one query."""
        wanted = list(dict.fromkeys(ids))
        missing = [id for id in wanted if (kind, id) not in self._seen]
        if missing:
            cursor = self._collection(kind).find({"_id": {"$in": missing}}, session=self.session)
            found = {document["_id"]: document async for document in cursor}
            for id in missing:
                self._look(kind, id, found.get(id))
        return {id: state for id in wanted if (state := self._seen[kind, id].state) is not None}

    async def read_ahead(self, events: Sequence[Any]) -> None:
        """Reads at once what the events of a batch need beside `READS`; for a service to override."""

    async def find(
        self,
        kind: type[T],
        where: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (("_id", 1),),
        limit: int = 0,
    ) -> list[T]:
        """States by a MongoDB filter, as this unit would leave them."""
        await self.flush()
        cursor = self._collection(kind).find(where, session=self.session).sort(list(sort)).limit(limit)
        found: list[Any] = [self._look(kind, document["_id"], document).state async for document in cursor]
        return found

    def seen(self, kind: type[T]) -> list[T]:
        """The states of a kind that this unit has read or written, as it would leave them."""
        return [seen.state for (of, _), seen in self._seen.items() if of is kind and seen.state is not None]

    async def count(self, kind: type, where: Mapping[str, Any]) -> int:
        await self.flush()
        count: int = await self._collection(kind).count_documents(where, session=self.session)
        return count

    def keep(self, decision: Decision[T]) -> T:
        """Buffers what a rule decided; answers its state."""
        owners: dict[str, _Seen] = {}
        for state in decision.saves:
            key = (type(state), state.id)
            seen = self._seen.get(key)
            if seen is None:
                seen = self._seen[key] = _Seen(None)
            seen.state, seen.changed = state, True
            owners.setdefault(state.id, seen)
        for state in decision.deletes:
            seen = self._seen[type(state), state.id]
            seen.state, seen.changed = None, True
        for event in decision.events:
            owner = owners[event.subject]
            owner.sequence += 1
            self._rows.append(event_row(event, owner.sequence, self.cause, self.now))
        self._rows.extend(record_rows(decision.records, self.now))
        return decision.state

    def mark(self, collection: str, operation: mongo.Operation) -> None:
        """The mark of this unit's cause, written at its end before all else: a duplicate means that it was done."""
        self._marks.setdefault(collection, []).append(operation)

    def book(self, collection: str, operation: mongo.Operation) -> None:
        """What the entrance keeps beside the states, written at the end."""
        self._books.setdefault(collection, []).append(operation)

    async def flush(self) -> None:
        """Writes what is buffered, states only; the rest follows at the end."""
        await self._write(self._changed())

    async def finish(self) -> None:
        """Writes everything; called once, at the end of a unit."""
        rows: Writes = {"outbox": [InsertOne(row) for row in self._rows]} if self._rows else {}
        await self._write(self._marks | self._changed() | self._books | rows)

    async def _write(self, writes: Writes) -> None:
        if writes:
            assert self.session is not None
            await mongo.write(self.database, self.session, writes)

    def _changed(self) -> Writes:
        """The changed states, which count as written from here on."""
        writes: Writes = {}
        for (kind, id), seen in self._seen.items():
            if seen.changed:
                writes.setdefault(self.KINDS[kind], []).append(_write(id, seen))
                seen.changed, seen.stored = False, seen.state is not None
        for operations in writes.values():
            # The driver sends a command for each run of one type; and what is deleted makes room for what is inserted.
            operations.sort(key=lambda operation: _ORDER.index(type(operation)))
        return writes

    def _look(self, kind: type, id: str, document: mongo.Document | None) -> _Seen:
        seen = self._seen.get((kind, id))
        if seen is None:
            seen = self._seen[kind, id] = _Seen(None)
            if document is not None:
                seen.state, seen.stored = mongo.from_document(kind, document), True
                seen.sequence = document.get("sequence", 0)
        return seen

    def _collection(self, kind: type) -> Any:
        return self.database[self.KINDS[kind]]


_ORDER = (DeleteOne, ReplaceOne, InsertOne)


def _write(id: str, seen: _Seen) -> mongo.Operation:
    if seen.state is None:
        return DeleteOne({"_id": id})
    document = mongo.to_document(seen.state) | {"sequence": seen.sequence}
    return ReplaceOne({"_id": id}, document) if seen.stored else InsertOne(document)


class Transactor:
    """Opens units of work of one service; the only way that anything is written."""

    def __init__(self, service: str, database: mongo.Database, tx: type[Tx], clock: Clock) -> None:
        self.service = service
        self.database = database
        self.clock = clock
        self._tx = tx
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    def cause(self, name: str, chain: Mapping[str, Any] | None = None) -> Cause:
        """The cause of what a service does by itself, such as a timer; or later, in the `chain` of a command."""
        id = new_id()
        return Cause(self.service, name, **({"correlationid": id, "causationid": id} | dict(chain or {})))

    def reading(self) -> Tx:
        """A unit that only reads: what a majority has."""
        return self._tx(self.database, self.cause(self.service), self.clock.now())

    async def unit(self, cause: Cause, work: Callable[[Tx], Awaitable[T]], *, locks: Sequence[str] = ()) -> T:
        """Runs `work` in one transaction and writes what it kept; `work` may be run again.

        `locks` are ids of aggregates that many want at once.
        """

        async def once(session: mongo.Session) -> T:
            tx = self._tx(self.database, cause, self.clock.now(), session)
            result = await work(tx)
            await tx.finish()
            return result

        async with AsyncExitStack() as stack:
            for name in sorted(locks):
                await stack.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
            return await mongo.in_transaction(self.database.client, once)

    async def transact(
        self, work: Callable[[Any], Awaitable[Decision[T]]], cause: Cause, *, locks: Sequence[str] = ()
    ) -> T:
        """One decision in one unit; answers the decision's state."""

        async def decide(tx: Tx) -> T:
            return tx.keep(await work(tx))

        return await self.unit(cause, decide, locks=locks)
