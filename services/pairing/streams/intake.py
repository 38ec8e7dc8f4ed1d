"""Rows of a file that was handed in, judged and stored chunk by chunk, wherever that is done."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from services.kit.decision import Decision
from services.pairing import domain
from services.pairing.domain import Commitment, County, Partner
from services.pairing.domain.county import LivePairings
from services.pairing.domain.entering import enter_county, objection, says_nothing_new
from services.pairing.domain.imports import Import
from services.pairing.domain.intake.commitments import Givers, judge_commitment, partner_key, terms_values
from services.pairing.domain.intake.counties import judge_county
from services.pairing.domain.intake.gazetteer import Gazetteer
from services.pairing.domain.intake.headers import Header, Record, Target, find_header, records
from services.pairing.domain.intake.judging import Judged, fingerprint
from services.pairing.domain.intake.partners import identity_of, judge_partner, particulars_values
from services.pairing.domain.intake.sorting import LoadedRow, Sorted, Sorter, Surroundings, There
from services.pairing.domain.intake.table import Table, open_table
from services.pairing.store import Tx

CHUNK = 500
# So many rows are stored in one transaction, before the answer; more are a worker's.
AT_ONCE = 1000


class Sheet:
    """A file that can be read, and its header.

    Raises:
        FileUnreadable: it is none, or has no header that is known.
    """

    def __init__(self, content: bytes, target: Target) -> None:
        self.table: Table = open_table(content)
        self.header: Header = find_header(self.table, target)

    def chunks(self) -> Iterator[list[Record]]:
        rows = records(self.table, self.header)
        while chunk := list(islice(rows, CHUNK)):
            yield chunk

    def is_short(self) -> bool:
        return sum(1 for _ in islice(records(self.table, self.header), AT_ONCE + 1)) <= AT_ONCE


class Intake:
    """One import's rows against what is known. `sort` may be run again for the same chunk."""

    def __init__(self, of: Import, sheet: Sheet, gazetteer: Gazetteer) -> None:
        self._of = of
        self._sheet = sheet
        self._gazetteer = gazetteer
        self._live: dict[str, LivePairings] = {}
        self._sorter: Sorter[Any] = Sorter(of.target, of.id)
        self._judge: Callable[[Tx, Sequence[Record]], Any] = {
            "commitments": self._commitments,
            "counties": self._counties,
            "partners": self._partners,
        }[of.target]

    async def sort(self, tx: Tx, chunk: Sequence[Record]) -> Sorted[Any]:
        judged, around = await self._judge(tx, chunk)
        return self._sorter.sort(judged, around)

    async def store(self, tx: Tx, row: Judged[Any]) -> Decision[Any]:
        """What a fresh row makes, and the note that it was stored."""
        made = await self._make(tx, row)
        note = LoadedRow(
            id=LoadedRow.key(self._of.target, row.identity),
            import_id=self._of.id,
            row=row.no,
            digest=row.digest,
            made_id=made.state.id,
            version=made.state.version,
        )
        return Decision(made.state, (*made.saves, note), made.events)

    async def _make(self, tx: Tx, row: Judged[Any]) -> Decision[Any]:
        content: Any = row.content
        match self._of.target:
            case "commitments":
                return domain.submit_commitment(
                    content.terms, id=tx.new_id(), partner_id=content.partner_id, now=tx.now, today=tx.today
                )
            case "counties":
                county = await tx.get(County, content.code)
                live = self._live.get(content.code, {})
                source, by = self._of.file_name, self._of.by
                return enter_county(county, content, source=source, now=tx.now, by=by, live=live)
            case "partners":
                same_code = await tx.partner_with_code(content.credit_code)
                return domain.register_partner(content, id=tx.new_id(), same_code=same_code, now=tx.now)

    async def _commitments(self, tx: Tx, chunk: Sequence[Record]) -> tuple[list[Judged[Any]], Surroundings]:
        own = await tx.get(Partner, self._of.own_partner_id) if self._of.own_partner_id else None
        found = await tx.partners_called({partner_key(record) for record in chunk})
        by_key: dict[str, list[Partner]] = {}
        for partner in found:
            name, code = partner.particulars.name, partner.particulars.credit_code
            for key in {partner.id, name["zh"], name.get("en"), code} - {None}:
                by_key.setdefault(str(key), []).append(partner)
        givers = Givers(by_key=by_key, own=own)
        judged = [judge_commitment(record, givers, self._gazetteer) for record in chunk]
        references = [row.content.terms.reference for row in judged if row.content and row.content.terms.reference]
        there: dict[str, There] = {}
        for one in await tx.commitments_referred_to(references):
            values = [one.partner_id, terms_values(one.terms)]
            there[fingerprint([one.partner_id, one.terms.reference])] = There(
                name=f"commitment {one.id}", digest=fingerprint(values)
            )
        return judged, Surroundings(loaded=await self._loaded(tx, judged), there=there)

    async def _counties(self, tx: Tx, chunk: Sequence[Record]) -> tuple[list[Judged[Any]], Surroundings]:
        judged = [judge_county(record, self._gazetteer) for record in chunk]
        counties = await tx.get_many(County, [row.content.code for row in judged if row.content])
        self._live |= {code: {} for code in counties} | await tx.live_pairings(counties)
        there, barred = {}, {}
        for row in judged:
            county = counties.get(row.content.code) if row.content else None
            if county is None or row.content is None:
                continue
            if says_nothing_new(county, row.content):
                there[row.identity] = There(name=f"county {county.id}", digest=row.digest)
            elif why := objection(county, row.content, self._live.get(county.id, {})):
                barred[row.identity] = why
        return judged, Surroundings(loaded=await self._loaded(tx, judged), there=there, barred=barred)

    async def _partners(self, tx: Tx, chunk: Sequence[Record]) -> tuple[list[Judged[Any]], Surroundings]:
        codes = await tx.credit_codes()
        judged = [judge_partner(record, codes) for record in chunk]
        named = [row.content for row in judged if row.content]
        there, barred = {}, {}
        for partner in await tx.partners_like(named):
            of = partner.particulars
            said = There(name=f"partner {partner.id}", digest=fingerprint(particulars_values(of)))
            there[fingerprint(identity_of(of))] = said
            for row in judged:
                if row.content and row.content.name["zh"] == of.name["zh"] and row.identity not in there:
                    barred[row.identity] = ("name-taken", f"partner {partner.id} is called {of.name['zh']!r} already")
        return judged, Surroundings(loaded=await self._loaded(tx, judged), there=there, barred=barred)

    async def _loaded(self, tx: Tx, judged: Sequence[Judged[Any]]) -> dict[str, LoadedRow]:
        keys = {LoadedRow.key(self._of.target, row.identity): row.identity for row in judged if row.content}
        return {keys[id]: row for id, row in (await tx.get_many(LoadedRow, keys)).items()}


async def next_chunk(chunks: Iterator[list[Record]]) -> list[Record] | None:
    """Off the event loop: reading a long file must not hold up what else goes on."""
    return await asyncio.to_thread(next, chunks, None)


async def take_back(tx: Tx, rows: Sequence[LoadedRow]) -> list[tuple[LoadedRow, Decision[Commitment] | None]]:
    """What nobody has touched since is withdrawn; None: it is kept. Only commitments can be withdrawn at all."""
    commitments = await tx.get_many(Commitment, [row.made_id for row in rows])
    proposals = await tx.proposals_of_all(list(commitments))
    found: list[tuple[LoadedRow, Decision[Commitment] | None]] = []
    for row in rows:
        one = commitments.get(row.made_id)
        untouched = one is not None and one.version == row.version and not one.standing
        found.append(
            (
                row,
                domain.take_back_commitment(one, proposals.get(one.id, []), reason="the import was undone")
                if one and untouched
                else None,
            )
        )
    return found
