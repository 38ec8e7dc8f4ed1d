"""Pairing's states in MongoDB: collections, indexes, queries by name."""

import asyncio
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from pymongo import ASCENDING, DESCENDING, IndexModel

from schemas.shapes import BOOKED_KINDS, Text
from services.kit.transact import Tx as KitTx
from services.pairing.domain import (
    NO_ROUNDS,
    Card,
    Commitment,
    County,
    Pairing,
    Part,
    Particulars,
    Partner,
    Planned,
    Round,
    Rounds,
    Rule,
)
from services.pairing.domain.county import LivePairings
from services.pairing.domain.explanation import Explanation, UnservedNeed
from services.pairing.domain.imports import FilePart, Import, RowReport, UndoneRow
from services.pairing.domain.intake.gazetteer import Gazetteer
from services.pairing.domain.intake.sorting import LoadedRow
from services.pairing.domain.observing import Observed


@dataclass(frozen=True)
class Worth:
    """`totals` by currency in minor units, of `valued` commitments; `without` have no valuation on that basis."""

    totals: Mapping[str, int]
    valued: int
    without: int


ALIVE = ["open", "partly_paired", "fully_paired"]


class Tx(KitTx):
    KINDS = {
        Partner: "partners",
        County: "counties",
        Card: "cards",
        Commitment: "commitments",
        Round: "rounds",
        Rounds: "round_book",
        Part: "round_parts",
        Explanation: "explanations",
        UnservedNeed: "unserved_needs",
        Pairing: "pairings",
        Rule: "rules",
        Import: "imports",
        FilePart: "import_files",
        RowReport: "import_reports",
        LoadedRow: "import_rows",
        UndoneRow: "import_undone",
        Observed: "observed",
    }

    async def partner_with_code(self, credit_code: str | None) -> Partner | None:
        if credit_code is None:
            return None
        return next(iter(await self.find(Partner, {"particulars.credit_code": credit_code})), None)

    async def card_on(self, county: County, day: date) -> Card | None:
        """The newest version of a county's card that holds on a day."""
        if county.card.valid_from <= day:
            return county.card
        return next(iter(await self._cards({"county_code": county.id}, day, limit=1)), None)

    async def older_cards_on(self, day: date) -> dict[str, Card]:
        """By county code, the card of each county whose newest version does not hold yet on a day."""
        later = await self.find(County, {"card.valid_from": {"$gt": day.isoformat()}})
        found: dict[str, Card] = {}
        for card in await self._cards({"county_code": {"$in": [county.id for county in later]}}, day):
            found.setdefault(card.county_code, card)
        return found

    async def counties_with_cards(self, day: date) -> list[tuple[County, Card]]:
        """All counties of which something is known on a day."""
        older = await self.older_cards_on(day)
        counties = await self.find(County, {})
        cards = older | {county.id: county.card for county in counties if county.card.valid_from <= day}
        return [(county, cards[county.id]) for county in counties if county.id in cards]

    async def commitments_for_round(self, named: Sequence[str]) -> list[Commitment]:
        """Those that are neither withdrawn nor expired, and those that are named."""
        return await self.find(Commitment, {"$or": [{"status": {"$in": ALIVE}}, {"_id": {"$in": list(named)}}]})

    async def overdue_commitments(self, limit: int) -> list[Commitment]:
        """Those whose last day has passed and that have not expired yet."""
        where = {"status": {"$in": ALIVE}, "terms.valid_until": {"$lt": self.today.isoformat()}}
        return await self.find(Commitment, where, limit=limit)

    async def proposals_of(self, commitment_id: str) -> list[Pairing]:
        return await self.find(Pairing, {"commitment_id": commitment_id, "status": "proposed"})

    async def standing_of(self, commitment: Commitment) -> list[Pairing]:
        found = await self.get_many(Pairing, [standing.pairing_id for standing in commitment.standing])
        return list(found.values())

    async def proposals_of_others(self, round_id: str, limit: int) -> list[Pairing]:
        """Of all rounds but this one."""
        return await self.find(Pairing, {"status": "proposed", "round_id": {"$ne": round_id}}, limit=limit)

    async def proposals_of_round(self, round_id: str, after: str, limit: int) -> list[Pairing]:
        """Those whose ids come later."""
        where = {"round_id": round_id, "status": "proposed", "_id": {"$gt": after}}
        return await self.find(Pairing, where, limit=limit)

    async def live_pairings(self, codes: Iterable[str]) -> dict[str, LivePairings]:
        """By county, those whose projects go on."""
        found: dict[str, Any] = {}
        where = {"county_code": {"$in": list(codes)}, "status": "approved", "completed": False}
        for pairing in await self.find(Pairing, where):
            found.setdefault(pairing.county_code, {}).setdefault(pairing.category, []).append(pairing.id)
        return found

    async def pairing_of(self, round_id: str, commitment_id: str, county_code: str) -> Pairing | None:
        where = {"round_id": round_id, "commitment_id": commitment_id, "county_code": county_code}
        return next(iter(await self.find(Pairing, where, limit=1)), None)

    async def rules_that_hold(self) -> list[Rule]:
        return await self.find(Rule, {"removed_at": None})

    async def rounds(self) -> Rounds:
        return await self.get(Rounds, NO_ROUNDS.id) or NO_ROUNDS

    async def parts_of(self, round_id: str, of: str) -> list[Part]:
        return await self.find(Part, {"round_id": round_id, "of": of}, sort=(("no", ASCENDING),))

    async def content_of(self, round_id: str, of: str) -> bytes:
        """All parts in one; empty where there are none."""
        parts = await self.parts_of(round_id, of)
        # A big snapshot takes a second.
        return await asyncio.to_thread(lambda: b"".join([zlib.decompress(part.content) for part in parts]))

    async def plan_of(self, round_id: str) -> list[Planned]:
        """A round's pairs, sorted; none before it is settled."""
        rows = orjson.loads(await self.content_of(round_id, "pairs") or b"[]")
        return [Planned(commitment_id=id, county_code=code, terms_version=version) for id, code, version in rows]

    async def unserved_of(self, round_id: str | None) -> list[UnservedNeed]:
        return await self.find(UnservedNeed, {"round_id": round_id}) if round_id else []

    async def names_on(self, codes: Iterable[str], day: date) -> dict[str, Text]:
        """What counties are called on the cards that hold on a day."""
        counties = await self.get_many(County, codes)
        cards = {county.id: await self.card_on(county, day) for county in counties.values()}
        return {code: (cards[code] or county.card).name for code, county in counties.items()}

    async def givers_of(self, commitment_ids: Iterable[str]) -> dict[str, Text]:
        """What the partners of commitments are called, by commitment."""
        commitments = await self.get_many(Commitment, commitment_ids)
        partners = await self.get_many(Partner, [one.partner_id for one in commitments.values()])
        return {
            one.id: partners[one.partner_id].particulars.name
            for one in commitments.values()
            if one.partner_id in partners
        }

    async def partners_called(self, keys: Iterable[str]) -> list[Partner]:
        """By id, credit code or exact name."""
        wanted = {"$in": [key for key in keys if key]}
        names = ("_id", "particulars.credit_code", "particulars.name.zh", "particulars.name.en")
        return await self.find(Partner, {"$or": [{name: wanted} for name in names]})

    async def partners_like(self, named: Sequence[Particulars]) -> list[Partner]:
        """Those that have the credit code, the reference or the Chinese name of one of these."""
        wanted = {
            "credit_code": [one.credit_code for one in named if one.credit_code],
            "reference": [one.reference for one in named if one.reference],
            "name.zh": [one.name["zh"] for one in named],
        }
        return await self.find(Partner, {"$or": [{f"particulars.{key}": {"$in": of}} for key, of in wanted.items()]})

    async def credit_codes(self) -> list[str]:
        """Of all partners."""
        codes: list[str] = await self._collection(Partner).distinct("particulars.credit_code", session=self.session)
        return [code for code in codes if code]

    async def commitments_referred_to(self, references: Sequence[str]) -> list[Commitment]:
        """Those that stand under one of these references."""
        if not references:
            return []
        where = {"terms.reference": {"$in": list(references)}, "status": {"$ne": "withdrawn"}}
        return await self.find(Commitment, where)

    async def worth_on(self, basis: str, where: Mapping[str, Any]) -> Worth:
        """Of goods, services and training that are not withdrawn."""
        kinds = {"terms.support.kind": {"$nin": list(BOOKED_KINDS)}, "status": {"$ne": "withdrawn"}}
        wanted = {"$and": [dict(where), kinds]}
        stages: list[dict[str, Any]] = [
            {"$match": wanted},
            {"$unwind": "$terms.support.valuations"},
            {"$replaceWith": "$terms.support.valuations"},
            {"$match": {"basis": basis}},
            {"$group": {"_id": "$value.currency", "minor": {"$sum": "$value.minor"}, "count": {"$sum": 1}}},
            {"$sort": {"_id": ASCENDING}},
        ]
        found = await self._collection(Commitment).aggregate(stages, session=self.session).to_list(None)
        valued = sum(row["count"] for row in found)
        without = await self.count(Commitment, wanted) - valued
        return Worth({row["_id"]: row["minor"] for row in found}, valued, without)

    async def proposals_of_all(self, commitment_ids: Sequence[str]) -> dict[str, list[Pairing]]:
        found: dict[str, list[Pairing]] = {}
        for pairing in await self.find(Pairing, {"commitment_id": {"$in": commitment_ids}, "status": "proposed"}):
            found.setdefault(pairing.commitment_id, []).append(pairing)
        return found

    async def gazetteer(self) -> Gazetteer:
        """The counties that take part, by the names on their cards."""
        cards = self._collection(County).find({}, projection={"card.name": 1}, session=self.session)
        names = {card["_id"]: card["card"]["name"] async for card in cards}
        return Gazetteer({code: (name["zh"], name.get("en")) for code, name in names.items()})

    async def running_imports(self) -> list[Import]:
        return await self.find(Import, {"status": "running"})

    async def import_of_same(self, target: str, sha256: str) -> Import | None:
        """The first import of the same bytes that was stored or is being stored."""
        where = {"sha256": sha256, "target": target, "dry_run": False, "status": {"$in": ["running", "completed"]}}
        return next(iter(await self.find(Import, where, limit=1)), None)

    async def file_of(self, import_id: str) -> bytes:
        parts = await self.find(FilePart, {"import_id": import_id}, sort=(("no", ASCENDING),))
        return b"".join(part.content for part in parts)

    async def reports_of(self, import_id: str, *, repeats: bool, limit: int = 0) -> list[RowReport]:
        """By row: what is wrong, or what repeats an earlier one."""
        where = {"import_id": import_id, "repeat_of": {"$ne": None} if repeats else None}
        return await self.find(RowReport, where, limit=limit)

    async def rows_of(self, import_id: str, limit: int) -> list[LoadedRow]:
        """Those that an undo has not looked at yet."""
        where = {"import_id": import_id, "is_kept": {"$ne": True}}
        return await self.find(LoadedRow, where, sort=(("row", ASCENDING),), limit=limit)

    async def undone_of(self, import_id: str) -> list[UndoneRow]:
        return await self.find(UndoneRow, {"import_id": import_id})

    async def _cards(self, where: dict[str, Any], day: date, limit: int = 0) -> list[Card]:
        holding = where | {"valid_from": {"$lte": day.isoformat()}}
        return await self.find(Card, holding, sort=(("version", DESCENDING),), limit=limit)


INDEXES: dict[type, list[IndexModel]] = {
    Partner: [
        IndexModel(
            [("particulars.credit_code", ASCENDING)],
            unique=True,
            partialFilterExpression={"particulars.credit_code": {"$type": "string"}},
        ),
        IndexModel([("particulars.name.zh", ASCENDING)]),
        IndexModel([("particulars.name.en", ASCENDING)]),
        IndexModel([("particulars.reference", ASCENDING)]),
    ],
    County: [IndexModel([("card.valid_from", ASCENDING)]), IndexModel([("province", ASCENDING)])],
    Card: [IndexModel([("county_code", ASCENDING), ("version", DESCENDING)])],
    Commitment: [
        IndexModel([("partner_id", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("status", ASCENDING), ("terms.valid_until", ASCENDING)]),
        IndexModel([("terms.category", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("terms.reference", ASCENDING)]),
    ],
    Round: [IndexModel([("status", ASCENDING)])],
    Part: [IndexModel([("round_id", ASCENDING), ("of", ASCENDING), ("no", ASCENDING)])],
    Explanation: [IndexModel([("round_id", ASCENDING)])],
    UnservedNeed: [IndexModel([("round_id", ASCENDING), ("_id", ASCENDING)])],
    Pairing: [
        IndexModel([("commitment_id", ASCENDING), ("status", ASCENDING)]),
        IndexModel([("round_id", ASCENDING), ("status", ASCENDING)]),
        IndexModel([("partner_id", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("county_code", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("status", ASCENDING), ("_id", ASCENDING)]),
    ],
    Rule: [IndexModel([("removed_at", ASCENDING), ("county_code", ASCENDING)])],
    Import: [IndexModel([("status", ASCENDING)]), IndexModel([("sha256", ASCENDING)])],
    FilePart: [IndexModel([("import_id", ASCENDING), ("no", ASCENDING)])],
    RowReport: [IndexModel([("import_id", ASCENDING), ("_id", ASCENDING)])],
    LoadedRow: [IndexModel([("import_id", ASCENDING), ("row", ASCENDING)])],
    UndoneRow: [IndexModel([("import_id", ASCENDING), ("_id", ASCENDING)])],
}
