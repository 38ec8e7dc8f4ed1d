"""Funding's states in MongoDB: collections, indexes, queries."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from pymongo import IndexModel

from services.funding import domain
from services.funding.domain import (
    Account,
    Audit,
    Books,
    Chain,
    Commitment,
    Day,
    Entry,
    Funds,
    Journal,
    Ledger,
    Movement,
    Seal,
    day_id,
)
from services.funding.domain.entries import entry_id
from services.kit import mongo
from services.kit.service import Index
from services.kit.transact import Tx as KitTx

# Small enough that the other requests of the process wait for some 20 ms only while a batch is read.
_BATCH = 500


class Tx(KitTx):
    KINDS = {
        Ledger: "ledger",
        Entry: "entries",
        Chain: "chain",
        Seal: "seals",
        Account: "accounts",
        Day: "days",
        Commitment: "commitments",
        Funds: "funds",
    }
    _claimed = False

    async def journal(self, *accounts: Account, on: date | None = None) -> Journal:
        """A journal that can book on `accounts`, for the day `on` or for none in particular."""
        ledger = Ledger()
        await self._claim(ledger)
        known = await self.get_many(Account, (account.id for account in accounts))
        books = Books(
            ledger=await self.get(Ledger, ledger.id) or ledger,
            accounts=known,
            days=await self._days(known.values(), on or self.today),
        )
        return Journal(books, now=self.now, today=self.today)

    async def read_ahead(self, events: Sequence[Any]) -> None:
        """The accounts that the events' money comes through, and their days."""
        await self._claim(Ledger())
        ids = {account.id for event in events for account in domain.accounts_about(event)}
        accounts = await self.get_many(Account, ids)
        await self._days(accounts.values(), self.today)

    async def _claim(self, ledger: Ledger) -> None:
        """Writes to the ledger first of all, so that of two units the later one waits.

        Whoever read for seconds and only then wrote would be aborted by each short one that came
        in between: a batch of events would never end while a bookkeeper is at work.
        """
        if not self._claimed:
            where, claim = {"_id": ledger.id}, {"$inc": {"claims": 1}}
            await self._collection(Ledger).update_one(where, claim, upsert=True, session=self.session)
            self._claimed = True

    async def _days(self, accounts: Iterable[Account], on: date) -> Sequence[Day]:
        """From `on` on. Mostly nothing is booked for later yet, and the ids say which days there are."""
        booked = [account for account in accounts if account.booked_until and account.booked_until >= on]
        if all(account.booked_until == on for account in booked):
            ids = [day_id(account.id, currency, on) for account in booked for currency in account.balances]
            return list((await self.get_many(Day, ids)).values())
        ids = [account.id for account in booked]
        return await self.find(Day, {"account_id": {"$in": ids}, "on": {"$gte": on.isoformat()}})

    async def projects_of(self, commitment_id: str) -> list[Funds]:
        return await self.find(Funds, {"commitment_id": commitment_id})

    async def paired_as(self, pairing_ids: Iterable[str]) -> list[Funds]:
        return await self.find(Funds, {"pairing_id": {"$in": list(pairing_ids)}})

    async def with_reference(self, reference: str | None) -> Entry | None:
        """The first entry of an external reference."""
        if reference is None:
            return None
        return next(iter(await self.find(Entry, {"reference": reference}, limit=1)), None)

    async def reversal_of(self, entry_id: str) -> Entry | None:
        return next(iter(await self.find(Entry, {"reverses": entry_id}, limit=1)), None)

    async def moved_before(self, account_id: str, day: date) -> dict[str, int]:
        """What an account held when `day` began, by currency."""
        stages: list[dict[str, Any]] = [
            {"$match": {"account_id": account_id, "on": {"$lt": day.isoformat()}}},
            {"$group": {"_id": "$currency", "moved": {"$sum": "$moved"}}},
        ]
        found = self._collection(Day).aggregate(stages, session=self.session)
        return {row["_id"]: row["moved"] async for row in found}

    async def movements(self, account_id: str, from_: date | None, until: date | None) -> list[Movement]:
        """The postings on an account, in the order in which they count."""
        where = {"postings.account_id": account_id, **booked(from_, until)}
        shown = ("booked_on", "type", "reference", "postings")
        cursor = self._collection(Entry).find(where, projection=shown, session=self.session, batch_size=_BATCH)
        return [
            Movement(
                entry_id=entry["_id"],
                booked_on=entry["booked_on"],
                type=entry["type"],
                reference=entry["reference"],
                amount=posting["amount"],
                currency=posting["currency"],
            )
            async for entry in cursor.sort([("booked_on", 1), ("_id", 1)])
            for posting in entry["postings"]
            if posting["account_id"] == account_id
        ]

    async def entries_after(self, no: int, limit: int) -> list[Entry]:
        return await self.find(Entry, {"_id": {"$gt": entry_id(no)}}, limit=limit)

    async def entries_and_seals(self) -> AsyncIterator[Any]:
        """As `all` gives them, each seal behind the entries that it is of."""
        seals = self.all(Seal)
        seal = await anext(seals, None)
        async for entry in self.all(Entry):
            while seal is not None and seal.id < entry.id:
                yield seal
                seal = await anext(seals, None)
            yield entry
        while seal is not None:
            yield seal
            seal = await anext(seals, None)

    async def audit(self) -> Audit:
        """All that is kept, held against the entries."""
        audit = Audit()
        sources: list[AsyncIterator[Any]] = [
            self.entries_and_seals(),
            *map(self.all, (Account, Day, Funds, Commitment)),
        ]
        for source in sources:
            async for state in source:
                if isinstance(state, Unfit):
                    audit.unfit(state.kind, state.id, state.detail)
                else:
                    audit.take(state)
        ends = [await anext(self.all(kind), None) for kind in (Ledger, Chain)]
        for end in ends:
            if isinstance(end, Unfit):
                audit.unfit(end.kind, end.id, end.detail)
        ledger, chain = ends
        audit.finish(ledger if isinstance(ledger, Ledger) else Ledger(), chain if isinstance(chain, Chain) else Chain())
        return audit

    async def all(self, kind: type) -> AsyncIterator[Any]:
        """All states of a kind in the order of their ids, too many to hold; `Unfit` for what none could be."""
        cursor = self._collection(kind).find({}, session=self.session, batch_size=_BATCH).sort("_id", 1)
        async for document in cursor:
            yield _read(kind, document)

    async def sums_of_balances(self) -> dict[str, tuple[int, int]]:
        """By currency, what all accounts above zero and all below hold together, both as positive numbers."""
        amount = "$balance.v"
        stages: list[dict[str, Any]] = [
            {"$project": {"balance": {"$objectToArray": "$balances"}}},
            {"$unwind": "$balance"},
            {
                "$group": {
                    "_id": "$balance.k",
                    "above": {"$sum": {"$max": [amount, 0]}},
                    "below": {"$sum": {"$max": [{"$multiply": [amount, -1]}, 0]}},
                }
            },
            {"$sort": {"_id": 1}},
        ]
        found = self._collection(Account).aggregate(stages, session=self.session)
        return {row["_id"]: (row["above"], row["below"]) async for row in found}

    @asynccontextmanager
    async def at_one_moment(self) -> AsyncIterator["Tx"]:
        """Reads that all see the same moment, for at most five minutes (MongoDB's snapshot window)."""
        async with await self.database.client.start_session(snapshot=True) as session:
            yield Tx(self.database, self.cause, self.now, session)


@dataclass(frozen=True)
class Unfit:
    """A document that funding did not leave as it is."""

    kind: str
    id: str
    detail: str


def _read(kind: type, document: mongo.Document) -> Any:
    name = "project" if kind is Funds else mongo.noun(kind)
    sequence = document.pop("sequence", 0)
    document.pop("claims", None)
    try:
        state: Any = mongo.from_document(kind, dict(document))
        kept = mongo.to_document(state)
    except Exception as error:
        return Unfit(name, str(document["_id"]), f"cannot be read: {type(error).__name__}")
    if kept == document and isinstance(sequence, int):
        return state
    return Unfit(name, str(document["_id"]), "is not as it was kept")


def booked(from_: date | None, until: date | None) -> dict[str, Any]:
    """Entries booked for these days, both included."""
    bounds = {"$gte": from_, "$lte": until}
    given = {operator: day.isoformat() for operator, day in bounds.items() if day}
    return {"booked_on": given} if given else {}


def _once(name: str) -> IndexModel:
    return IndexModel([(name, 1)], unique=True, partialFilterExpression={name: {"$type": "string"}})


INDEXES: Mapping[type, Sequence[Index]] = {
    Entry: [
        _once("reference"),
        _once("reverses"),
        [("postings.account_id", 1), ("booked_on", 1), ("_id", 1)],
        [("project_id", 1), ("_id", 1)],
        [("commitment_id", 1), ("_id", 1)],
        [("partner_ids", 1), ("_id", 1)],
        [("booked_on", 1), ("_id", 1)],
    ],
    Account: [[("partner_id", 1), ("_id", 1)]],
    Day: [[("account_id", 1), ("on", 1), ("currency", 1), ("moved", 1)]],
    Funds: [[("commitment_id", 1)], [("pairing_id", 1)]],
}
