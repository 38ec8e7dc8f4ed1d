"""One unit's worth of records: which are new, which are next, which must wait (told in `inbox.py`)."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo import DeleteOne, InsertOne, ReplaceOne

from schemas.envelope import Event
from schemas.topics import dead_letters
from services.kit import mongo, tracing
from services.kit.clock import rfc3339
from services.kit.decision import Decision, NotYet, Record
from services.kit.records import Broken, RawRecord, Received, is_replay, read, received
from services.kit.rows import Cause
from services.kit.transact import Tx

log = logging.getLogger(__name__)

Handler = Callable[[Any, Any], Awaitable[Decision[Any]]]
Handlers = Mapping[type[Event], Handler]
RawHandler = Callable[[RawRecord, Any], Awaitable[Decision[Any]]]
Reads = Mapping[type[Event], Sequence[tuple[type, str]]]

EARLY_S = 600
GAP_S = 60


class HeldElsewhere(Exception):
    """Another worker took the same records meanwhile: it holds the partition now."""


@dataclass(frozen=True)
class Listener:
    """What a service listens to. `otherwise` gets what no handler has, unknown types too; `raw` whole topics."""

    handlers: Handlers = field(default_factory=dict)
    reads: Reads = field(default_factory=dict)
    otherwise: Handler | None = None
    raw: Mapping[str, RawHandler] = field(default_factory=dict)

    def handler(self, received: Received[Any]) -> Handler | None:
        return self.handlers.get(type(received.data), self.otherwise)


@dataclass
class _Stream:
    """What is known of one (source, subject): the number that is next, and since when it is missing."""

    next: int
    gap_since: datetime | None = None
    changed: bool = False


@dataclass(frozen=True)
class _Held:
    """An event ahead of its turn; `event` is None for a dead letter, which only must not be waited for."""

    id: str
    event: Received[Any] | None


async def overdue(database: mongo.Database, now: datetime) -> bool:
    """Whether something has waited too long."""
    early = await database.early.find_one(_too_early(now), projection={"_id": 1})
    return early is not None or await database.streams.find_one(_too_long(now), projection={"_id": 1}) is not None


def _too_early(now: datetime) -> dict[str, Any]:
    return {"since": {"$lt": now - timedelta(seconds=EARLY_S)}}


def _too_long(now: datetime) -> dict[str, Any]:
    return {"gap_since": {"$lt": now - timedelta(seconds=GAP_S)}}


class Batch:
    """Applies records within a unit of work, and keeps the books that are written with it."""

    def __init__(
        self,
        tx: Tx,
        service: str,
        listener: Listener,
        found: Sequence[Received[Any] | Broken | RawRecord],
        applied: tracing.Applied,
    ) -> None:
        self._tx = tx
        self._service = service
        self._listener = listener
        self._found = found
        self._applied = applied
        self._streams: dict[str, _Stream] = {}
        self._held: dict[tuple[str, int], _Held] = {}
        self._early: dict[str, dict[str, mongo.Document]] = {}
        self._nothing_early = False
        self._looked_up: set[str] = set()

    async def apply(self, attempts: int, first_failed_at: datetime | None = None) -> int:
        """Takes in what is new; answers how many records that were."""
        fresh = await self._fresh()
        await self._read_ahead([item for item in fresh if isinstance(item, Received)])
        for item in fresh:
            if isinstance(item, RawRecord):
                self._tx.keep(await self._listener.raw[item.topic](item, self._tx))
            elif isinstance(item, Broken):
                self._dead_letter(item, attempts, first_failed_at)
                if item.envelope is not None:
                    await self._come(received(item.envelope, None, item.record, {}), dead=True)
            else:
                await self._come(item)
        return len(fresh)

    async def let_go(self) -> int:
        """Ends what has waited too long."""
        database, session = self._tx.database, self._tx.session
        for row in await database.early.find(_too_early(self._tx.now), session=session).limit(100).to_list(None):
            message = f"{row['about']} did not become known within {EARLY_S} s"
            self._dead_letter(Broken(_record(row), "early", message), 1, row["since"])
            self._tx.book("early", DeleteOne({"_id": row["_id"]}))
        for row in await database.streams.find(_too_long(self._tx.now), session=session).limit(100).to_list(None):
            await self._load_streams([row["_id"]])
            await self._skip(row["_id"])
        return 0

    def keep_books(self) -> None:
        """What is next in each stream, for the unit to write."""
        for id, stream in self._streams.items():
            if stream.changed:
                document = {"_id": id, "next": stream.next}
                if stream.gap_since:
                    document["gap_since"] = stream.gap_since
                self._tx.book("streams", ReplaceOne({"_id": id}, document, upsert=True))

    async def _fresh(self) -> list[Received[Any] | Broken | RawRecord]:
        """What is not in the inbox yet; from here on it is."""
        items: dict[str, Received[Any] | Broken | RawRecord] = {}
        for item in self._found:
            items.setdefault(_key(item), item)
        inbox, session = self._tx.database.inbox, self._tx.session
        async for row in inbox.find({"_id": {"$in": list(items)}}, projection={"_id": 1}, session=session):
            del items[row["_id"]]
        if items:
            try:
                await inbox.insert_many([{"_id": key, "at": self._tx.now} for key in items], session=session)
            except Exception as error:
                if mongo.is_duplicate(error):
                    raise HeldElsewhere from error
                raise
        return list(items.values())

    async def _read_ahead(self, items: Sequence[Received[Any]]) -> None:
        wanted: dict[type, set[str]] = {}
        for item in items:
            for kind, name in self._listener.reads.get(type(item.data), ()):
                if id := getattr(item.data, name, None):
                    wanted.setdefault(kind, set()).add(id)
        for kind, ids in wanted.items():
            await self._tx.get_many(kind, ids)
        await self._tx.read_ahead([item.data for item in items])
        await self._load_streams(
            {_stream(envelope) for item in self._found if (envelope := getattr(item, "envelope", None))}
        )
        early = self._tx.database.early
        # Most often nothing waits, and no event needs to be asked what it speaks of.
        self._nothing_early = await early.find_one({}, projection={"_id": 1}, session=self._tx.session) is None
        if not self._nothing_early:
            await self._load_early(set().union(*(item.mentions() for item in items)))

    async def _load_streams(self, ids: Iterable[str]) -> None:
        database, session, wanted = self._tx.database, self._tx.session, list(ids)
        async for row in database.streams.find({"_id": {"$in": wanted}}, session=session):
            self._streams[row["_id"]] = _Stream(row["next"], row.get("gap_since"))
        gaps = [id for id in wanted if id in self._streams and self._streams[id].gap_since]
        if gaps:
            async for row in database.held.find({"stream": {"$in": gaps}}, session=session):
                event = None if row["dead"] else read(_record(row))
                assert not isinstance(event, Broken)
                self._held[row["stream"], row["sequence"]] = _Held(row["_id"], event)

    async def _load_early(self, ids: set[str]) -> None:
        wanted = list(ids - self._looked_up)
        self._looked_up.update(wanted)
        if wanted:
            async for row in self._tx.database.early.find({"about": {"$in": wanted}}, session=self._tx.session):
                self._early.setdefault(row["about"], {})[row["_id"]] = row

    async def _come(self, item: Received[Any], *, dead: bool = False) -> None:
        id = _stream(item.envelope)
        stream = self._streams.setdefault(id, _Stream(item.sequence))
        if item.sequence > stream.next and not is_replay(item.record):
            self._hold(id, item, stream, dead)
            return
        if not dead:
            await self._apply(item)
        if item.sequence == stream.next:
            stream.next, stream.changed = stream.next + 1, True
            await self._release(id, stream)

    def _hold(self, id: str, item: Received[Any], stream: _Stream, dead: bool) -> None:
        held = _Held(item.record.place, None if dead else item)
        self._held[id, item.sequence] = held
        row = _row(item.record) | {"_id": held.id, "stream": id, "sequence": item.sequence, "dead": dead}
        self._tx.book("held", InsertOne(row))
        stream.gap_since, stream.changed = stream.gap_since or self._tx.now, True

    async def _release(self, id: str, stream: _Stream) -> None:
        """Applies what was held and is next now."""
        while (held := self._held.pop((id, stream.next), None)) is not None:
            self._tx.book("held", DeleteOne({"_id": held.id}))
            if held.event is not None:
                await self._apply_parked(held.event)
            stream.next += 1
        if stream.gap_since and not any(of == id for of, _ in self._held):
            stream.gap_since = None

    async def _skip(self, id: str) -> None:
        stream = self._streams[id]
        first = min(sequence for of, sequence in self._held if of == id)
        log.error("a gap is skipped", extra={"stream": id, "first": stream.next, "last": first - 1})
        row = {"stream": id, "first": stream.next, "last": first - 1, "at": self._tx.now}
        self._tx.book("skipped", InsertOne(row))
        stream.next, stream.changed, stream.gap_since = first, True, self._tx.now
        await self._release(id, stream)

    async def _apply(self, item: Received[Any], parked_since: datetime | None = None) -> None:
        handler = self._listener.handler(item)
        if handler is None:
            return
        self._tx.caused_by(_cause(self._service, item))
        try:
            with self._applied.processing(item.envelope, item.record.topic, self._tx.now):
                self._tx.keep(await handler(item, self._tx))
        except NotYet as early:
            return self._park(item, early.about, parked_since or self._tx.now)
        if not self._nothing_early or self._early:
            await self._try_early(item.mentions())

    async def _apply_parked(self, item: Received[Any], since: datetime | None = None) -> None:
        """As `_apply`, for an event that is not of this batch: what is wrong with it must not fail the batch."""
        try:
            await self._apply(item, since)
        except Exception as error:
            if mongo.is_database(error):
                raise
            self._dead_letter(Broken(item.record, type(error).__name__, str(error), item.envelope), 1, None)

    def _park(self, item: Received[Any], about: str, since: datetime) -> None:
        row = _row(item.record) | {
            "_id": item.id,
            "about": about,
            "since": since,
            "stream": _stream(item.envelope),
            "sequence": item.sequence,
        }
        self._early.setdefault(about, {})[item.id] = row
        self._tx.book("early", ReplaceOne({"_id": item.id}, row, upsert=True))

    async def _try_early(self, mentioned: set[str]) -> None:
        await self._load_early(mentioned)
        for about in sorted(mentioned & self._early.keys()):
            rows = self._early.pop(about, {}).values()
            for row in sorted(rows, key=lambda row: (row["stream"], row["sequence"])):
                item = read(_record(row))
                assert isinstance(item, Received)
                self._tx.book("early", DeleteOne({"_id": row["_id"]}))
                await self._apply_parked(item, row["since"])

    def _dead_letter(self, broken: Broken, attempts: int, first_failed_at: datetime | None) -> None:
        record = broken.record
        about = {
            "jiedui-topic": record.topic,
            "jiedui-partition": str(record.partition),
            "jiedui-offset": str(record.offset),
            "jiedui-key": (record.key or b"").decode(errors="replace"),
            "jiedui-error-type": broken.error,
            "jiedui-error-message": broken.message[:2000],
            "jiedui-service": self._service,
            "jiedui-attempts": str(attempts),
            "jiedui-first-failed-at": rfc3339(first_failed_at or self._tx.now),
        }
        headers = dict(record.headers) | {name: text.encode() for name, text in about.items()}
        letter = Record(dead_letters(self._service), record.key, record.value, headers)
        self._tx.keep(Decision(None, records=(letter,)))


def _key(item: Received[Any] | Broken | RawRecord) -> str:
    """By this the inbox knows a record again. A dead letter keeps its id free, so that it can be played again."""
    if isinstance(item, Received):
        return item.id
    if isinstance(item, RawRecord):
        return item.place
    if item.envelope is None or is_replay(item.record):
        return f"dead {item.record.place}"
    return f"dead {item.envelope.id}"


def _cause(service: str, item: Received[Any]) -> Cause:
    envelope = item.envelope
    return Cause(service, service, envelope.correlationid, envelope.id, envelope.traceparent)


def _stream(envelope: Any) -> str:
    """Within one (source, subject), and only there, events have an order."""
    return f"{envelope.source} {envelope.subject}"


def _row(record: RawRecord) -> mongo.Document:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key,
        "value": record.value,
        "headers": dict(record.headers),
        "timestamp": record.timestamp,
    }


def _record(row: mongo.Document) -> RawRecord:
    return RawRecord(**{name: row[name] for name in RawRecord.__dataclass_fields__})
