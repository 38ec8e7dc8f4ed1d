"""What projects makes of what it hears, in whichever order and however often it hears it."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.counties import CountyDelisted, CountyRelisted
from schemas.funding import FundReserved, FundReturned, FundReversed, FundSpent, FundTrancheReleased
from schemas.pairings import PairingRevoked
from services.kit.decision import Decision
from services.kit.records import RawRecord, read
from services.projects.store import Tx
from services.projects.streams import events as streams
from tests.projects.builders import approved
from tests.projects.conftest import Office

DELISTED = CountyDelisted(county_code="520326", on="2020-11-23", reason="摘帽")
RELISTED = CountyRelisted(county_code="520326", on="2021-03-01", reason="返贫")


def revoked(id: str) -> PairingRevoked:
    told = {name: value for name, value in approved(project_id=id).data().items() if name != "title"}
    return PairingRevoked(**told, reason="commitment-withdrawn")


def fund(id: str) -> dict[str, Any]:
    event = approved(project_id=id)
    about = ("project_id", "pairing_id", "commitment_id", "partner_id", "county_code", "category")
    return {name: getattr(event, name) for name in about} | {"currency": "CNY"}


def money_of(id: str) -> list[Any]:
    """Reserved, one tranche out, one payment made and undone, the rest returned."""
    about = fund(id)
    return [
        FundReserved(**about, amount="1000.00", entry_id="e1"),
        FundTrancheReleased(**about, amount="300.00", entry_id="e2", milestone_no=1),
        FundSpent(**about, amount="120.00", entry_id="e3", payee="村委会", spent_on="2020-12-01"),
        FundSpent(**about, amount="50.00", entry_id="e4", payee="村委会", spent_on="2020-12-02"),
        FundReversed(**about, amount="50.00", entry_id="e5", reverses="e4"),
        FundReturned(**about, amount="880.00", entry_id="e6", unreserved="700.00", refunded="180.00"),
    ]


SHOWN = {"currency": "CNY", "reserved": "1000.00", "released": "300.00", "spent": "120.00", "returned": "880.00"}


async def test_a_project_starts_on_the_day_of_its_approval_in_shanghai(office: Office) -> None:
    for hour, day in ((15, "2020-10-26"), (16, "2020-10-27")):
        event = approved(project_id=f"p{hour}", pairing_id=f"pairing{hour}")
        await office.hear(event, at=datetime(2020, 10, 26, hour, 30, tzinfo=UTC))
        assert (await office.project(f"p{hour}"))["starts_on"] == day


async def test_goods_services_and_training_have_no_funds(office: Office) -> None:
    id = await office.open(support_kind="training", allocated={"quantity": 3, "unit": "courses"})
    assert (await office.project(id))["funds"] is None


async def test_an_approval_heard_again_opens_nothing_anew(office: Office) -> None:
    record = office.record(approved())
    await office.inbox.take([record, record])
    await office.inbox.take([record])
    await office.hear(approved())
    assert await office.types("project-1") == ["jiedui.project.opened"]


async def test_a_revoked_pairing_cancels_its_project_once(office: Office) -> None:
    await office.hear(approved())
    await office.hear(revoked("project-1"))
    await office.hear(revoked("project-1"))
    assert await office.types("project-1") == ["jiedui.project.opened", "jiedui.project.cancelled"]
    assert (await office.published("project-1"))[1].data.reason == "commitment-withdrawn"


async def test_a_project_that_a_coordinator_cancelled_is_not_cancelled_again_by_what_follows(office: Office) -> None:
    await office.hear(approved())
    await office.post("/projects/project-1/cancel", {"reason": "不再需要"})
    await office.hear(revoked("project-1"))
    assert await office.types("project-1") == ["jiedui.project.opened", "jiedui.project.cancelled"]


async def test_what_comes_before_the_approval_waits_for_it(office: Office) -> None:
    early = [office.record(event, source="funding") for event in money_of("project-1")]
    await office.inbox.take([*early, office.record(revoked("project-1"), source="elsewhere")])
    assert (await office.get("/projects/project-1")).status_code == 404
    await office.hear(approved())
    project = await office.project("project-1")
    assert (project["status"], project["funds"]) == ("cancelled", SHOWN)
    assert await office.types("project-1") == ["jiedui.project.opened", "jiedui.project.cancelled"]


async def test_money_is_shown_entry_by_entry_net_of_what_was_reversed(office: Office) -> None:
    await office.hear(approved())
    records = [office.record(event, source="funding") for event in money_of("project-1")]
    for record in records:
        await office.inbox.take([record])
        await office.inbox.take([record])
    assert (await office.project("project-1"))["funds"] == SHOWN
    assert await office.types("project-1") == ["jiedui.project.opened"]


async def test_a_delisting_asks_for_a_decision_and_stops_nothing(office: Office) -> None:
    here, there = await office.open(), await office.open(county_code="513431")
    ended = await office.open()
    await office.post(f"/projects/{ended}/cancel", {"reason": "r"})
    await office.hear(DELISTED)
    project = await office.project(here)
    assert (project["status"], project["decision"]["reason"]) == ("active", "county-delisted")
    assert (await office.published(here))[-1].data.since == project["decision"]["since"]
    open_ = (await office.get("/projects?decision=open")).json()["items"]
    assert [item["id"] for item in open_] == [here]
    assert (await office.project(there))["decision"] is None
    await office.hear(RELISTED)
    assert (await office.project(here))["decision"] is not None
    decided = await office.post(f"/projects/{here}/resume", {"reason": "项目继续"})
    assert (decided.json()["status"], decided.json()["decision"]) == ("active", None)
    assert (await office.types(here))[1:] == ["jiedui.project.decision_needed", "jiedui.project.decided"]


async def test_a_delisting_heard_before_the_approval_that_came_first_asks_all_the_same(office: Office) -> None:
    moment = office.context.now()
    await office.hear(DELISTED, at=moment)
    await office.hear(approved(), at=moment - timedelta(seconds=1))
    await office.hear(approved(project_id="later", pairing_id="later"), at=moment + timedelta(seconds=1))
    assert await office.types("project-1") == ["jiedui.project.opened", "jiedui.project.decision_needed"]
    assert await office.types("later") == ["jiedui.project.opened"]


@pytest.mark.parametrize("first", ["opening", "delisting"])
async def test_an_opening_and_a_delisting_at_the_same_moment_do_not_miss_each_other(office: Office, first: str) -> None:
    """Both have read what there is before either writes; then `first` commits, then the other."""
    await office.open()  # so that the county is known, and both write the same document
    moment, both_have_read, first_is_in = office.context.now(), asyncio.Barrier(2), asyncio.Event()

    async def decide(name: str, handler: Any, event: Any, at: datetime) -> None:
        received, tries = read(office.record(event, at=at)), itertools.count()

        async def work(tx: Tx) -> Decision[Any]:
            decision: Decision[Any] = await handler(received, tx)
            if next(tries) == 0:
                await both_have_read.wait()
                if name != first:
                    await first_is_in.wait()
            return decision

        await office.context.transact(work, "test")
        first_is_in.set()

    await asyncio.gather(
        decide("opening", streams.open_project, approved(), moment - timedelta(seconds=1)),
        decide("delisting", streams.delist_county, DELISTED, moment),
    )
    assert (await office.project("project-1"))["decision"] is not None


async def test_many_openings_in_one_batch_all_open(office: Office) -> None:
    codes = itertools.cycle(["520326", "513431", "450225"])
    records: list[RawRecord] = [
        office.record(approved(project_id=f"p{n:03}", pairing_id=f"q{n:03}", county_code=next(codes)))
        for n in range(77)
    ]
    await office.inbox.take(records)
    listed = (await office.get("/projects?limit=100&total=true")).json()
    assert (len(listed["items"]), listed["total"], listed["next_cursor"]) == (77, 77, None)
    pages = [(await office.get("/projects?limit=50")).json()]
    pages.append((await office.get(f"/projects?limit=50&cursor={pages[0]['next_cursor']}")).json())
    assert [item["id"] for page in pages for item in page["items"]] == [f"p{n:03}" for n in range(77)]
