"""`jiedui verify` and rounds: each is what its certificate proves, and whatever is changed of it shows."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from pymongo import MongoClient

from deploy.verify.cut import Cut, Document
from deploy.verify.rounds import rounds_are_proved_best
from tests.pairing.conftest import Desk

Database = Any


@dataclass(frozen=True)
class DesksCut(Cut):
    """Reads the desk's database as pairing's."""

    name: str = ""

    def find(self, service: str, collection: str, filter: Mapping[str, Any], *fields: str) -> Iterator[Document]:
        return super().find(self.name, collection, filter, *fields)


def faults(desk: Desk, client: MongoClient[Document]) -> list[str]:
    with client.start_session(snapshot=True) as session:
        return list(
            rounds_are_proved_best(DesksCut(client, session, desk.context.now(), name=desk.context.service.name))
        )


def a_changed_snapshot(database: Database) -> None:
    part = database.round_parts.find_one({"of": "snapshot"})
    other = zlib.decompress(part["content"]).replace(b"520324", b"520325")
    database.round_parts.update_one({"_id": part["_id"]}, {"$set": {"content": zlib.compress(other)}})


def a_certificate_of_nothing(database: Database) -> None:
    part = database.round_parts.find_one({"of": "certificate"})
    nothing = bytes(len(zlib.decompress(part["content"])))
    database.round_parts.update_one({"_id": part["_id"]}, {"$set": {"content": zlib.compress(nothing)}})


def a_certificate_that_is_gone(database: Database) -> None:
    database.round_parts.delete_many({"of": "certificate"})


def a_worth_that_is_not_so(database: Database) -> None:
    database.rounds.update_one({}, {"$inc": {"result.objective.0.value": 1}})


def a_pairing_that_is_gone(database: Database) -> None:
    database.pairings.delete_one({"county_code": "520326"})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (a_changed_snapshot, "its snapshot is not the one whose SHA-256 it names"),
        (a_certificate_of_nothing, "a better set of pairs is not ruled out"),
        (a_certificate_that_is_gone, "what is kept of it cannot be read"),
        (a_worth_that_is_not_so, "the pairs are worth"),
        (a_pairing_that_is_gone, "county 520326 is in its plan or its pairings, and not in both"),
    ],
)
async def test_a_round_is_held_against_its_certificate(
    desk: Desk, mongodb: str, change: Callable[[Database], None], named: str
) -> None:
    for code in ("520324", "520326"):
        await desk.county(code)
    await desk.commitment()
    round_ = await desk.round()
    with MongoClient[Document](mongodb, tz_aware=True) as client:
        assert faults(desk, client) == []
        change(client[desk.database.name])
        (found,) = faults(desk, client)
    assert found.startswith(f"pairing: round {round_['id']}: ")
    assert named in found
