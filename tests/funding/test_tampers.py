"""Whatever somebody changes in the ledger's database, `verify` finds it and names the place.

`make prove` runs the long form: 10,000 changes of a ledger of 10,000 postings, 10 of one of 1,000,000.
"""

import os
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from tests.funding.conftest import Desk
from tests.funding.ledgers import fill

PROVE = bool(os.environ.get("JIEDUI_TEST_PROVE"))
# Postings of the ledger, tampers, how many of them at once.
FORMS = [(10_000, 10_000, 10), (1_000_000, 10, 1)] if PROVE else [(1_000, 200, 10)]

_KINDS = {"entries": "entry", "accounts": "account", "days": "day", "funds": "project", "commitments": "commitment"}
_KINDS |= {"seals": "seal", "ledger": "ledger"}
# How often each is chosen.
_WEIGHTS = {"entries": 60, "accounts": 12, "days": 8, "funds": 6, "commitments": 4, "seals": 8, "ledger": 2}


def changed(collection: str, document: dict[str, Any], random: Random, other: dict[str, Any]) -> dict[str, Any] | None:
    """The document with one thing in it changed; None: it is gone."""
    if random.random() < 0.1 and collection != "ledger":
        return None
    new = deepcopy(document)
    while new == document:
        _CHANGES[collection](new, random, other)
    return new


def _entry(new: dict[str, Any], random: Random, other: dict[str, Any]) -> None:
    first, second = new["postings"][0], new["postings"][-1]
    shift = random.choice((-1, 1)) * random.randint(1, 10**6)

    def move() -> None:
        first["amount"] += shift
        second["amount"] -= shift

    def swap() -> None:
        new.update({name: value for name, value in other.items() if name not in ("_id", "no", "digest")})

    random.choice(
        (
            lambda: first.update(amount=first["amount"] + shift),
            move,
            lambda: first.update(amount=str(first["amount"])),
            lambda: first.update(account_id=other["postings"][1]["account_id"] + "x"),
            lambda: first.update(currency="USD"),
            lambda: first.update(currency="元"),
            lambda: new.update(postings=[]),
            lambda: new.update(postings=new["postings"][::-1]),
            lambda: new.update(booked_on="2020-02-29"),
            lambda: new.update(booked_on="some day"),
            lambda: new.update(recorded_at=new["recorded_at"] + timedelta(milliseconds=shift)),
            lambda: new.update(no=new["no"] + shift),
            lambda: new.update(type="transferred" if new["type"] != "transferred" else "spent"),
            lambda: new.update(iati_type=new["iati_type"] + 1),
            lambda: new.update(payee=f"{new['payee']}·"),
            lambda: new.update(reference=f"{new['reference']}·{new['no']}"),
            lambda: new.update(reason=f"{new['reason']}·"),
            lambda: new.update(reverses=f"{new['no'] + 10**11:012d}"),
            lambda: new.update(partner_ids=[*new["partner_ids"], "another"]),
            lambda: new.update(commitment_id="another"),
            lambda: new.update(project_id="another"),
            lambda: new.update(milestone_no=(new["milestone_no"] or 0) + 1),
            lambda: new.update(digest=new["digest"][::-1]),
            lambda: new.pop("digest"),
            lambda: new.update(more="than was kept"),
            swap,
        )
    )()


def _account(new: dict[str, Any], random: Random, _: dict[str, Any]) -> None:
    shift = random.choice((-1, 1)) * random.randint(1, 10**6)
    random.choice(
        (
            lambda: new.update(balances={"CNY": new["balances"]["CNY"] + shift}),
            lambda: new.update(balances={}),
            lambda: new.update(balances=new["balances"] | {"USD": shift}),
            lambda: new.update(booked_until="2020-02-29"),
            lambda: new.update(version=new["version"] + shift),
            lambda: new.update(partner_id="another"),
            lambda: new["owner"].update(id="another"),
            lambda: new.update(holds="paid" if new["holds"] != "paid" else "source"),
        )
    )()


def _numbers(*names: str) -> Any:
    def change(new: dict[str, Any], random: Random, _: dict[str, Any]) -> None:
        name = random.choice(names)
        value = new[name]
        new[name] = value[::-1] if isinstance(value, str) else value + random.choice((-1, 1)) * random.randint(1, 999)

    return change


def _pledged(new: dict[str, Any], random: Random, _: dict[str, Any]) -> None:
    new["pledged"] = {"CNY": new["pledged"]["CNY"] + random.randint(1, 10**6)}


_CHANGES = {
    "entries": _entry,
    "accounts": _account,
    "days": _numbers("moved", "lowest", "account_id"),
    "funds": _numbers("reserved", "released", "spent", "unreserved", "refunded"),
    "commitments": _pledged,
    "seals": _numbers("no", "previous", "seal", "entries", "until_no"),
    "ledger": _numbers("last_no"),
}


class Tamperer:
    """Changes documents behind the service's back, and puts them back."""

    def __init__(self, desk: Desk, random: Random) -> None:
        self._database = desk.database
        self._random = random
        self._was: dict[tuple[str, str], dict[str, Any]] = {}

    async def tamper(self, ids: dict[str, list[str]]) -> tuple[str, str]:
        """Changes one document that is as it was; answers the kind and the id that must be named."""
        collection, id = self._choose(ids)
        documents = self._database[collection]
        document = await documents.find_one({"_id": id})
        another = self._random.choice(ids[collection])
        other = self._was.get((collection, another)) or await documents.find_one({"_id": another})
        new = changed(collection, document, self._random, other)
        self._was[collection, id] = document
        if new is None:
            await documents.delete_one({"_id": id})
        else:
            await documents.replace_one({"_id": id}, new)
        if collection == "seals" and new is None:
            # It is the next that does not follow, or the end of the chain that is not there.
            id = next((each for each in ids["seals"] if each > id), id)
        return _KINDS[collection], id

    def _choose(self, ids: dict[str, list[str]]) -> tuple[str, str]:
        while True:
            (collection,) = self._random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
            id = self._random.choice(ids[collection])
            of_seals = collection == "seals" and any(changed == "seals" for changed, _ in self._was)
            if (collection, id) not in self._was and not of_seals:
                return collection, id

    async def put_back(self) -> None:
        for (collection, id), document in self._was.items():
            await self._database[collection].replace_one({"_id": id}, document, upsert=True)
        self._was = {}


def groups(total: int, at_once: int) -> Iterator[int]:
    for begin in range(0, total, at_once):
        yield min(at_once, total - begin)


@pytest.mark.timeout(0 if PROVE else 120)
@pytest.mark.parametrize(("postings", "tampers", "at_once"), FORMS)
async def test_each_tamper_is_found_and_located(desk: Desk, postings: int, tampers: int, at_once: int) -> None:
    await fill(desk, postings, a_seal=max(50, postings // 40))
    verdict = await desk.verdict()
    assert (verdict["ok"], verdict["entries"], verdict["faults"]) == (True, postings // 2, [])
    (sums,) = (await desk.get("/ledger/trial-balance", "monitor")).json()["currencies"].values()
    assert sums["debit"] == sums["credit"]
    # Dropped so that documents can be changed as nobody could by the service.
    await desk.database.entries.drop_index("reference_1")
    await desk.database.entries.drop_index("reverses_1")
    ids = {name: sorted(await desk.database[name].distinct("_id")) for name in _WEIGHTS if name != "entries"}
    ids["entries"] = [f"{no:012d}" for no in range(1, postings // 2 + 1)]
    random = Random(postings)
    tamperer = Tamperer(desk, random)
    for size in groups(tampers, at_once):
        places = [await tamperer.tamper(ids) for _ in range(size)]
        found = {(fault["kind"], fault["id"]) for fault in (await desk.verdict())["faults"]}
        assert set(places) <= found, (set(places) - found, tamperer._was)
        await tamperer.put_back()
    assert (await desk.verdict())["ok"]
