"""What notify keeps in MongoDB, and how it is found."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pymongo import ASCENDING, IndexModel

from services.kit.lease import Lease
from services.kit.mongo import from_document
from services.kit.transact import Tx as KitTx
from services.notify.domain import (
    STUCK_AFTER,
    ArchivedEvent,
    CommitmentView,
    CountyView,
    DeadLetter,
    Delivery,
    Digest,
    Entry,
    EventFilter,
    InboxItem,
    ObservationView,
    PairingView,
    PartnerView,
    PassedOver,
    Person,
    Positions,
    Principals,
    Projection,
    ProjectView,
    Pulse,
    Saga,
    Subscription,
    Tally,
    Telling,
)
from services.notify.domain.deliveries import left_to
from services.notify.domain.feed import COLUMNS
from services.notify.domain.projection import Key
from services.notify.domain.rebuild import Rebuild
from services.notify.domain.reports import Report, ReportDocument

Where = dict[str, Any]
Kind = TypeVar("Kind")
_BATCH = 500
ErrandKind = TypeVar("ErrandKind", Delivery, Digest)


class Tx(KitTx):
    KINDS = {
        Positions: "positions",
        ArchivedEvent: "events",
        Projection: "projections",
        PassedOver: "passed_over",
        ProjectView: "project_views",
        CommitmentView: "commitment_views",
        PartnerView: "partner_views",
        CountyView: "county_views",
        PairingView: "pairing_views",
        ObservationView: "observation_views",
        Saga: "sagas",
        Entry: "entries",
        Tally: "tallies",
        DeadLetter: "dead_letters",
        Pulse: "pulses",
        Person: "people",
        Subscription: "subscriptions",
        Telling: "telling",
        Delivery: "deliveries",
        Digest: "digests",
        InboxItem: "inbox_items",
        Report: "reports",
        ReportDocument: "report_documents",
        Rebuild: "rebuilds",
    }

    async def positions(self) -> Positions:
        return await self.get(Positions, Positions().id) or Positions()

    async def newest(self) -> int:
        """The newest position; 0 in an empty archive."""
        return (await self.positions()).newest

    async def oldest(self) -> int | None:
        """The oldest position that is kept; None in an empty archive."""
        found = await self.find(ArchivedEvent, {}, sort=(("position", 1),), limit=1)
        return found[0].position if found else None

    async def events_after(self, position: int, where: Where, limit: int) -> list[ArchivedEvent]:
        """Events with a greater position, in their order."""
        beyond = {"$and": [{"position": {"$gt": position}}, where]} if where else {"position": {"$gt": position}}
        return await self.find(ArchivedEvent, beyond, sort=(("position", 1),), limit=limit)

    async def event(self, id: str, who: Principals) -> ArchivedEvent | None:
        found = await self.find(ArchivedEvent, {"$and": [{"_id": id}, visible_to(who)]}, limit=1)
        return found[0] if found else None

    async def story_of(self, id: str, who: Principals, limit: int) -> list[ArchivedEvent]:
        """The oldest events of a commitment, a pairing or a project, of its pairing's proposal too."""
        about: list[Where] = [{name: id} for name in ("commitment_id", "pairing_id", "project_id")]
        projects = await self.find(ArchivedEvent, {"project_id": id, "pairing_id": {"$ne": None}}, limit=1)
        about += [{"pairing_id": project.pairing_id} for project in projects]
        where = {"$and": [{"$or": about}, visible_to(who)]}
        return await self.find(ArchivedEvent, where, sort=(("position", 1),), limit=limit)

    async def rows(
        self, kind: type[Kind], where: Where, *, by: str = "_id", newest_first: bool = False, only: Sequence[str] = ()
    ) -> AsyncGenerator[Kind, None]:
        """States one after the other, of however many, without keeping them; `by` has a unique value in each.

        Of those that hold more than is wanted, `only` these fields are read.
        """
        found = self.database[self.KINDS[kind]].find(where, only or None, session=self.session)
        async for document in found.sort(by, -1 if newest_first else 1).batch_size(_BATCH):
            yield from_document(kind, document)

    async def observed_indicators(self, where: Where) -> list[tuple[str, str, str]]:
        """Of which indicators, kinds and units there are observations."""
        named = {name: f"${name}" for name in ("indicator", "kind", "unit")}
        stages: list[Where] = [{"$match": where}, {"$group": {"_id": named}}]
        rows = self.database[self.KINDS[ObservationView]].aggregate(stages, session=self.session)
        return [(row["_id"]["indicator"], row["_id"]["kind"], row["_id"]["unit"]) async for row in rows]

    async def projection(self) -> Projection:
        return await self.get(Projection, Projection().id) or Projection()

    async def hold(self, lease: Lease) -> None:
        """Ties this unit to a lease: it is written only if nobody else leads by then."""
        assert self.session is not None
        await lease.guard(self.session)

    async def rebuild(self) -> Rebuild:
        return await self.get(Rebuild, Rebuild().id) or Rebuild()

    async def some_read_models(self, limit: int) -> list[Any]:
        """Some of what can be folded again from the archive; empty where nothing is left."""
        for kind in READ_MODELS:
            states: list[Any] = await self.find(kind, {}, limit=limit)
            if states:
                return states
        return []

    async def states(self, keys: set[Key]) -> dict[Key, Any]:
        """States by key; None where there is none."""
        found: dict[Key, Any] = dict.fromkeys(keys)
        for kind in {kind for kind, _ in keys}:
            states: dict[str, Any] = await self.get_many(kind, [id for of, id in keys if of is kind])
            found |= {(kind, id): state for id, state in states.items()}
        return found

    async def projects_of(self, who: Principals, **columns: str) -> list[ProjectView]:
        """Opened projects with these columns that a caller sees, by id."""
        return await self.find(ProjectView, _opened(who, columns))

    async def project_ids_of(self, who: Principals, **columns: str) -> list[str]:
        """The ids of `projects_of` alone: there may be hundreds, and each project holds its whole plan."""
        cursor = self.database[self.KINDS[ProjectView]].find(_opened(who, columns), {"_id": 1}, session=self.session)
        return [row["_id"] async for row in cursor.sort("_id", 1)]

    async def waiting_sagas(self, now: datetime) -> list[Saga]:
        return await self.find(Saga, {"waiting_since": {"$lt": now - STUCK_AFTER}}, sort=(("waiting_since", 1),))

    async def pulses(self) -> list[Pulse]:
        return await self.find(Pulse, {})

    async def telling(self) -> Telling:
        return await self.get(Telling, Telling().id) or Telling()

    async def due(self, kind: type[ErrandKind], spared: Sequence[str], limit: int) -> list[ErrandKind]:
        """What is due by now, the longest due first, but for what goes to receivers that are to be spared."""
        where = {"status": "waiting", "next_at": {"$lte": self.now}, "receiver": {"$nin": list(spared)}}
        return await self.find(kind, where, sort=(("next_at", 1),), limit=limit)

    async def gathered(self, digest: Digest) -> list[Delivery]:
        """What goes out with a digest, in the order of the archive."""
        where = {"digest_id": digest.id, "status": "waiting"}
        return await self.find(Delivery, where, sort=(("position", 1),))

    async def left_to(self, skipped: Sequence[Delivery]) -> list[Delivery]:
        """Deliveries of the same events that were not made because these were, the first subscription's first."""
        pairs = {(one.event_id, left_to(one.subscription_id)) for one in skipped}
        ids, reasons = {id for id, _ in pairs}, {reason for _, reason in pairs}
        where = {"event_id": {"$in": list(ids)}, "status": "skipped", "reason": {"$in": list(reasons)}}
        found = await self.find(Delivery, where, sort=(("position", 1), ("subscription_id", 1)))
        return [one for one in found if (one.event_id, one.reason) in pairs]

    async def by_token(self, token: str) -> Subscription | None:
        """The subscription that a link in a mail ends."""
        found = await self.find(Subscription, {"unsubscribe_token": token}, limit=1)
        return found[0] if found else None

    async def told_of(self, event_ids: Sequence[str], owner: str) -> dict[str, list[Delivery]]:
        """Somebody's own deliveries, by event."""
        found: dict[str, list[Delivery]] = {}
        for delivery in await self.find(Delivery, {"event_id": {"$in": list(event_ids)}, "owner": owner}):
            found.setdefault(delivery.event_id, []).append(delivery)
        return found

    async def filed_before(self, report: Report) -> Report | None:
        """The last earlier report of the same period."""
        same = {"from_on": report.from_on.isoformat(), "until_on": report.until_on.isoformat()}
        found = await self.find(Report, same | {"_id": {"$lt": report.id}}, sort=(("_id", -1),), limit=1)
        return found[0] if found else None

    async def skipped(self) -> list[Mapping[str, Any]]:
        """Numbers that never came and were not waited for any longer."""
        return [row async for row in self.database.skipped.find({}, sort=[("_id", 1)])]


# All that is folded from the archive, and nothing else.
READ_MODELS: tuple[type, ...] = (
    ProjectView,
    CommitmentView,
    PartnerView,
    CountyView,
    PairingView,
    ObservationView,
    Saga,
    Entry,
    Tally,
    PassedOver,
)


def known_at(position: int, types: Sequence[str]) -> Where:
    """Events of these types up to a position."""
    return {"position": {"$lte": position}, "type": {"$in": list(types)}}


def visible_to(who: Principals) -> Where:
    """`sees` as a filter."""
    return {} if who is None else {"audience": {"$in": sorted(who)}}


def _opened(who: Principals, columns: Mapping[str, str]) -> Where:
    return {**columns, "status": {"$ne": None}, **visible_to(who)}


def matching(filter_: EventFilter) -> Where:
    """`EventFilter.matches` as a filter."""
    where: Where = dict(filter_.columns())
    happened = {"$gte": filter_.since, "$lt": filter_.until}
    if limits := {operator: moment for operator, moment in happened.items() if moment is not None}:
        where["time"] = limits
    return where


def feed(filter_: EventFilter, who: Principals) -> Where:
    """What a caller sees of what is asked for."""
    parts = [part for part in (matching(filter_), visible_to(who)) if part]
    return {"$and": parts} if len(parts) > 1 else (parts[0] if parts else {})


# With the receiver, so that the long queue of one that is spared is passed over without being read.
_DUE = IndexModel(
    [("next_at", ASCENDING), ("receiver", ASCENDING)], name="due_of", partialFilterExpression={"status": "waiting"}
)
INDEXES: dict[type, Sequence[IndexModel | Sequence[tuple[str, int]]]] = {
    ArchivedEvent: [
        IndexModel([("position", ASCENDING)], unique=True),
        *([(column, 1), ("position", 1)] for column in (*COLUMNS, "commitment_id", "pairing_id", "audience", "time")),
    ],
    ProjectView: [[("partner_id", 1)], [("county_code", 1), ("partner_id", 1)], [("commitment_id", 1)]],
    CommitmentView: [[("partner_id", 1), ("_id", 1)]],
    PairingView: [([(column, 1), ("_id", 1)]) for column in ("partner_id", "county_code", "commitment_id", "round_id")],
    ObservationView: [
        ([(column, 1), ("_id", 1)]) for column in ("project_id", "indicator", "county_code", "partner_id", "category")
    ],
    Entry: [([(column, 1), ("_id", 1)]) for column in ("project_id", "commitment_id", "partner_ids", "booked_on")],
    Saga: [[("waiting_since", 1)]],
    Subscription: [[("owner", 1), ("_id", 1)], [("active", 1)], [("unsubscribe_token", 1)]],
    Delivery: [
        _DUE,
        [("status", 1)],
        [("subscription_id", 1), ("position", 1)],
        [("event_id", 1), ("owner", 1)],
        [("digest_id", 1), ("status", 1), ("position", 1)],
    ],
    Digest: [_DUE],
    InboxItem: [[("owner", 1), ("_id", 1)]],
    Report: [[("from_on", 1), ("until_on", 1), ("_id", 1)]],
    DeadLetter: [[("status", 1), ("service", 1), ("topic", 1), ("_id", 1)]],
}
