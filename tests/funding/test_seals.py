"""What was booked is sealed, and a seal can be computed by hand from what the API answers."""

import asyncio
import hashlib
import json
from dataclasses import replace
from typing import Any

from services.funding.streams import seal_all, seal_each_minute
from tests.funding.builders import submitted
from tests.funding.conftest import Desk, sound
from tests.waiting import until

SHOWN_BESIDES = {"amount", "currency", "digest"}


def digest(entry: dict[str, Any]) -> str:
    """By what docs/ledger.md says, with nothing of the service."""
    fields = {name: value for name, value in entry.items() if name not in SHOWN_BESIDES}
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


async def test_seals_are_published_and_follow_from_the_entries_as_they_are_answered(desk: Desk) -> None:
    await desk.fund()
    await desk.post("/expenditures", desk.expenditure(payee="“县”\n医院", reference="票/据"))
    await seal_all(desk.context)
    await seal_all(desk.context)
    await desk.hear(submitted(7_00, "d"))
    await seal_all(desk.context)
    entries = (await desk.get("/entries")).json()["items"]
    seals = (await desk.get("/ledger/seals", "monitor")).json()["items"]
    assert [(seal["no"], seal["entries"], seal["until_no"]) for seal in seals] == [(1, 4, 4), (2, 1, 5)]
    assert [digest(entry) for entry in entries] == [entry["digest"] for entry in entries]
    previous = "0" * 64
    for seal in seals:
        of = [
            entry["digest"] for entry in entries if seal["until_no"] - seal["entries"] < entry["no"] <= seal["until_no"]
        ]
        assert seal["previous"] == previous
        previous = hashlib.sha256("".join(f"{line}\n" for line in [previous, *of]).encode()).hexdigest()
        assert seal["seal"] == previous
    published = await desk.published("ledger")
    assert [event.envelope.type for event in published] == ["jiedui.ledger.sealed"] * 2
    assert [(event.data.seal, event.data.entries, event.data.until_no) for event in published] == [
        (seal["seal"], seal["entries"], seal["until_no"]) for seal in seals
    ]
    assert await desk.verdict() == sound(5, seals=2, sealed_until=5)


async def test_who_changes_an_entry_with_its_digest_and_all_sums_still_breaks_its_seal(desk: Desk) -> None:
    await desk.fund()
    await seal_all(desk.context)
    entry = (await desk.get("/entries/000000000002")).json() | {"partner_ids": ["another"]}
    changes = {"partner_ids": ["another"], "digest": digest(entry)}
    await desk.database.entries.update_one({"_id": "000000000002"}, {"$set": changes})
    faults = (await desk.verdict())["faults"]
    assert faults[0] == {
        "kind": "seal",
        "id": "000000000003",
        "detail": "entries 1 to 3 are not those that were sealed",
    }


async def test_a_seal_that_was_removed_or_changed_is_named(desk: Desk) -> None:
    for id in "cdef":
        await desk.hear(submitted(1_00, id))
        await seal_all(desk.context)
    third = await desk.database.seals.find_one({"no": 3})
    await desk.database.seals.delete_one({"no": 3})
    assert (await desk.verdict())["faults"] == [{"kind": "seal", "id": "000000000004", "detail": "number 4 follows 2"}]
    await desk.database.seals.insert_one(third | {"seal": "f" * 64})
    assert {fault["id"] for fault in (await desk.verdict())["faults"]} == {"000000000003", "000000000004"}
    await desk.database.seals.replace_one({"no": 3}, third)
    await desk.database.seals.delete_one({"no": 4})
    assert {(fault["kind"], fault["id"]) for fault in (await desk.verdict())["faults"]} == {("seal", "000000000004")}


async def test_one_of_two_workers_seals_and_the_other_takes_over_when_it_ends(desk: Desk) -> None:
    await desk.hear(submitted(1_00))
    first, second = (replace(desk.context, holder=holder) for holder in ("one", "two"))
    sealing = [asyncio.create_task(seal_each_minute(context)) for context in (first, second)]
    try:
        await until(lambda: sealed(desk, 1), "the first entry is sealed")
        leader = await desk.database.leases.find_one({"_id": "seals"})
        sealing[leader["holder"] == "two"].cancel()
        await desk.hear(submitted(1_00, "d"))
        await until(lambda: sealed(desk, 2), "the second entry is sealed by the other worker")
    finally:
        for task in sealing:
            task.cancel()
    assert await desk.verdict() == sound(2, seals=2, sealed_until=2)


async def sealed(desk: Desk, until_no: int) -> bool:
    return await desk.database.seals.find_one({"until_no": until_no}) is not None
