"""`jiedui verify` on a mongod of its own: what fits is silent, each thing that does not is named."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from deploy import mongod, process
from deploy.verify import verify
from tests.conftest import free_ports

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
LONG_AGO = NOW - timedelta(minutes=5)
Databases = MongoClient[dict[str, Any]]


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    (port,) = free_ports(1)
    server = mongod.start(tmp_path_factory.mktemp("mongod"), port=port)
    mongod.wait_ready(server, port=port)
    yield mongod.uri(port)
    process.stop(server)


@pytest.fixture
def databases(uri: str) -> Iterator[Databases]:
    """Three archived events and one approved pairing with its project and its money."""
    with MongoClient[dict[str, Any]](uri) as databases:
        for name in ("pairing", "projects", "funding", "notify"):
            databases.drop_database(f"jiedui_{name}")
        ids = ("e1", "e2", "e3")
        databases.jiedui_notify.events.insert_many(
            [{"_id": id, "position": number} for number, id in enumerate(ids, 1)]
        )
        databases.jiedui_notify.positions.insert_one({"_id": "positions", "newest": 3})
        databases.jiedui_pairing.outbox.insert_many(
            [{"_id": id, "sent": True, "sent_at": LONG_AGO, "topic": "jiedui.pairings.v1", "sequence": 1} for id in ids]
        )
        databases.jiedui_pairing.pairings.insert_one(
            {
                "_id": "p1",
                "status": "approved",
                "approved_at": LONG_AGO,
                "project_id": "j1",
                "support_kind": "money",
            }
        )
        databases.jiedui_projects.projects.insert_one({"_id": "j1"})
        databases.jiedui_funding.funds.insert_one({"_id": "j1", "reservation": "entry", "refused": False})
        yield databases


def test_what_fits_together_is_silent(uri: str, databases: Databases) -> None:
    assert verify(uri, NOW) == []


def test_empty_databases_fit_together(uri: str, databases: Databases) -> None:
    for name in ("pairing", "projects", "funding", "notify"):
        databases.drop_database(f"jiedui_{name}")
    assert verify(uri, NOW) == []


def test_a_gap_in_the_archive_is_named(uri: str, databases: Databases) -> None:
    databases.jiedui_notify.events.delete_one({"_id": "e2"})
    assert verify(uri, NOW) == [
        "archive: no event at position 2",
        "archive: event e2, which pairing has sent, is not there",
    ]


def test_missing_newest_events_are_named(uri: str, databases: Databases) -> None:
    databases.jiedui_notify.positions.update_one({}, {"$set": {"newest": 5}})
    assert verify(uri, NOW) == ["archive: no event at position 4 to 5"]


def test_a_position_taken_twice_is_named(uri: str, databases: Databases) -> None:
    databases.jiedui_notify.events.insert_one({"_id": "e2 again", "position": 2})
    assert verify(uri, NOW) == ["archive: position 2 is taken twice"]


def test_what_was_sent_just_now_may_be_on_its_way(uri: str, databases: Databases) -> None:
    databases.jiedui_projects.outbox.insert_one(
        {"_id": "new", "sent": True, "sent_at": NOW, "topic": "jiedui.projects.v1", "sequence": 1}
    )
    assert verify(uri, NOW) == []
    assert verify(uri, NOW + timedelta(minutes=1)) == ["archive: event new, which projects has sent, is not there"]


def test_an_approved_pairing_without_a_project_or_money_is_named(uri: str, databases: Databases) -> None:
    databases.jiedui_projects.projects.delete_many({})
    databases.jiedui_funding.funds.update_one({}, {"$set": {"reservation": None}})
    assert verify(uri, NOW) == [
        "projects: project j1 of the approved pairing p1 is not there",
        "funding: the approved pairing p1 is neither reserved nor refused",
    ]


def test_a_refusal_is_an_answer_and_goods_need_none(uri: str, databases: Databases) -> None:
    databases.jiedui_funding.funds.update_one({}, {"$set": {"reservation": None, "refused": True}})
    assert verify(uri, NOW) == []
    databases.jiedui_funding.funds.delete_many({})
    databases.jiedui_pairing.pairings.update_one({}, {"$set": {"support_kind": "goods"}})
    assert verify(uri, NOW) == []


@pytest.mark.parametrize(("spoilt", "code"), [(False, 0), (True, 3)])
def test_the_command_ends_with_3_when_it_found_something(
    uri: str, databases: Databases, spoilt: bool, code: int, tmp_path: Any
) -> None:
    if spoilt:
        databases.jiedui_notify.events.delete_one({"_id": "e1"})
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "verify"],
        env=os.environ | {"JIEDUI_MONGODB_URI": uri, "JIEDUI_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code
    assert ("no event at position 1" in done.stdout) == spoilt
