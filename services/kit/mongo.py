"""MongoDB: the client, transactions with their retries, states as documents.

With the four `store.py` this is the only file that imports motor, so that moving to PyMongo's own
asynchronous client stays a day's work.

A transaction's callback may run many times: MongoDB aborts one of two that touch the same
document, and motor's own loop retries without a pause (1,703 runs for 60 claims on one document).
Ours backs off with jitter and gives up at a deadline. A cancelled or timed-out commit has an
unknown outcome; callers are told apart by their idempotency or inbox key, never by guessing.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any, TypeVar

import cattrs
from motor.frameworks.asyncio import run_on_executor
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo import DeleteOne, IndexModel, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

Client = AsyncIOMotorClient[dict[str, Any]]
Database = AsyncIOMotorDatabase[dict[str, Any]]
Session = AsyncIOMotorClientSession
Document = dict[str, Any]
Operation = InsertOne[Document] | ReplaceOne[Document] | UpdateOne | DeleteOne
T = TypeVar("T")

log = logging.getLogger(__name__)

TRANSACTION_DEADLINE_S = 15.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.002, 0.25
# "Interrupted", "shutting down", "no primary" and the like: the server's trouble, not the data's.
_SERVER_TROUBLE = frozenset({6, 7, 89, 91, 133, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436})
_DUPLICATE_KEY = 11000
_NAMESPACE_EXISTS = 48
# A quarter of what WiredTiger reads and unpacks by default for a document that is not in its cache, for twice the disk.
_SMALL_PAGES: dict[str, Any] = {
    "storageEngine": {"wiredTiger": {"configString": "allocation_size=512B,leaf_page_max=8KB"}}
}
_WRITE_CONFLICT = 112


def connect(uri: str, name: str | None = None) -> Client:
    """A client that reads and writes with majority; nothing is sent before the first use.

    `name` is that of the process, by which `end_leftovers` knows what it had open.
    """
    return AsyncIOMotorClient(
        uri,
        appname=name,
        tz_aware=True,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        serverSelectionTimeoutMS=3000,
        connectTimeoutMS=3000,
        socketTimeoutMS=20000,
    )


def is_infrastructure(error: BaseException) -> bool:
    """Whether the database is away or in trouble: worth waiting for, no fault of the data."""
    if isinstance(
        error,
        ConnectionFailure | ServerSelectionTimeoutError | NetworkTimeout | WaitQueueTimeoutError | WTimeoutError,
    ):
        return True
    if isinstance(error, ExecutionTimeout):
        return True
    if isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError"):
        return True
    return isinstance(error, OperationFailure) and error.code in _SERVER_TROUBLE


def is_contention(error: BaseException) -> bool:
    """Whether a transaction lost to others on the same documents until its deadline."""
    return isinstance(error, OperationFailure) and error.code == _WRITE_CONFLICT


def is_database(error: BaseException) -> bool:
    """Whether the database raised it, for whatever reason."""
    return isinstance(error, PyMongoError)


def is_duplicate(error: BaseException, of: str = "") -> bool:
    """Whether a unique index refused a write; with `of`, one of that collection."""
    if isinstance(error, DuplicateKeyError):
        faults = [error.details or {}]
    elif isinstance(error, BulkWriteError):
        faults = error.details.get("writeErrors", [])
    else:
        return False
    return any(
        fault.get("code") == _DUPLICATE_KEY and (not of or f".{of} index: " in fault.get("errmsg", ""))
        for fault in faults
    )


async def in_transaction(
    client: Client, work: Callable[[Session], Awaitable[T]], deadline_s: float = TRANSACTION_DEADLINE_S
) -> T:
    """Runs `work` in a transaction and commits it; runs it again where MongoDB asks for that.

    Raises whatever `work` raises (nothing is written then), and MongoDB's last error once the
    deadline has passed.
    """
    give_up = time.monotonic() + deadline_s
    pause = _FIRST_PAUSE_S
    # Begun without a visit to motor's threads: it sends nothing.
    async with AsyncIOMotorClientSession(client.delegate.start_session(), client) as session:
        while True:
            session.start_transaction(
                read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority", j=True)
            )
            try:
                result = await work(session)
                await _commit(session, give_up)
            except PyMongoError as error:
                await _abort(session)
                if not error.has_error_label("TransientTransactionError") or time.monotonic() >= give_up:
                    raise
            except BaseException:
                await _abort(session)
                raise
            else:
                return result
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, _LONGEST_PAUSE_S)


async def end_leftovers(client: Client, name: str) -> None:
    """Ends the transactions of a process that had this name before, was killed, and left them open.

    Until MongoDB itself gives them up they hold their documents, and who is to go on waits for them.
    """
    mine = {"$match": {"appName": name, "transaction": {"$exists": True}}}
    # What goes on is no data: MongoDB reads it with no other concern.
    admin = client.admin.with_options(read_concern=ReadConcern("local"))
    try:
        found = await admin.aggregate([{"$currentOp": {"idleSessions": True}}, mine]).to_list(None)
        if sessions := [{"id": operation["lsid"]["id"]} for operation in found]:
            await admin.command("killSessions", sessions)
            log.info("transactions of a process that was killed are ended", extra={"count": len(sessions)})
    except OperationFailure as error:
        if is_infrastructure(error):
            raise
        log.warning("transactions of a process that was killed are left to run out", extra={"error": repr(error)})


async def write(database: Database, session: Session, writes: Mapping[str, Sequence[Operation]]) -> None:
    """The writes of a transaction, collection by collection in their order.

    In one visit to motor's threads: each costs about as much of this process's time as the write itself.
    """

    def run() -> None:
        for collection, operations in writes.items():
            database.delegate[collection].bulk_write(operations, session=session.delegate)

    writing = asyncio.ensure_future(run_on_executor(asyncio.get_running_loop(), run))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        # What the thread still writes must not come after the transaction was given up.
        await asyncio.wait({writing})
        raise


async def _commit(session: Session, give_up: float) -> None:
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return await session.commit_transaction()
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult") or time.monotonic() >= give_up:
                raise
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(pause * 2, _LONGEST_PAUSE_S)


async def _abort(session: Session) -> None:
    # A commit that failed has ended it already; a server that cannot be told ends it by itself.
    with suppress(PyMongoError):
        await session.abort_transaction()


async def changes(collection: Any, operations: Sequence[str]) -> AsyncIterator[None]:
    """A hint whenever something in `collection` changes; ends never, misses what happens while the database is away.

    Where the resume token is too old (the oplog has rolled on) it starts anew: whoever listens must
    sweep by itself.
    """
    stages = [{"$match": {"operationType": {"$in": list(operations)}}}, {"$project": {"_id": 1}}]
    while True:
        try:
            async with collection.watch(stages, max_await_time_ms=1000) as stream:
                async for _ in stream:
                    yield
        except PyMongoError:
            await asyncio.sleep(_LONGEST_PAUSE_S)


_converter = cattrs.Converter(
    unstruct_collection_overrides={frozenset: sorted, set: sorted}, prefer_attrib_converters=True
)
# Plain JSON stays as it is, however deep.
_converter.register_unstructure_hook_func(lambda hint: hint == dict[str, Any], lambda json: json)
_converter.register_structure_hook_func(lambda hint: hint == dict[str, Any], lambda json, _: json)
_converter.register_unstructure_hook(datetime, lambda moment: moment)
_converter.register_structure_hook(datetime, lambda moment, _: moment)
_converter.register_unstructure_hook(date, lambda day: day.isoformat())
_converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
_converter.register_structure_hook(bytes, lambda raw, _: bytes(raw))
_converter.register_structure_hook(float, lambda number, _: float(number))


def to_document(state: Any) -> Document:
    """A frozen dataclass as MongoDB keeps it: `id` is `_id`, a day a text, an instant a BSON date."""
    document: Document = _converter.unstructure(state)
    document["_id"] = document.pop("id")
    return document


def from_document(kind: type[T], document: Document) -> T:
    """Back from `to_document`; what the class does not know is left out."""
    fields = dict(document)
    fields["id"] = fields.pop("_id")
    return _converter.structure(fields, kind)


async def ensure(database: Database, indexes: dict[str, list[IndexModel]], small_pages: Collection[str] = ()) -> None:
    """Collections and indexes, where they are not there yet. A collection cannot be made within every transaction.

    Those of `small_pages` are read here and there rather than in a row.
    """
    there = set(await database.list_collection_names())
    for collection, models in indexes.items():
        if collection not in there:
            try:
                await database.command({"create": collection} | (_SMALL_PAGES if collection in small_pages else {}))
            except OperationFailure as error:
                if error.code != _NAMESPACE_EXISTS:
                    raise
        if models:
            await database[collection].create_indexes(models)


def noun(kind: type) -> str:
    """What people call a state: `Commitment` → `commitment`."""
    return kind.__name__.lower()
