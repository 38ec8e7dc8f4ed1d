"""`jiedui verify`: what fits is silent, and each planted fault is named.

Pairing's commands, its relay and the consumers of funding and notify run in this process, on a
broker and a database of their own; a fault is planted by taking one step of the kit away.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import MongoClient

import services.funding.main
import services.notify.main
import services.pairing.main
import services.projects.main
from deploy.verify import verify
from schemas.partners import PartnerRegistered
from services.kit import outbox
from services.kit.batch import Batch
from services.kit.clock import Clock
from services.kit.consumer import Consumer
from services.kit.decision import Decision
from services.kit.ids import new_id
from services.kit.inbox import Inbox
from services.kit.lease import Lease
from services.kit.outbox import Relay
from services.kit.service import Context
from services.kit.settings import Settings
from services.kit.supervise import forever
from services.pairing.domain import Particulars, Partner
from tests.faults.servers import Kafka, Mongod, servers
from tests.waiting import until

SERVICES = [getattr(services, name).main.SERVICE for name in ("pairing", "projects", "funding", "notify")]
Databases = MongoClient[dict[str, Any]]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kafka, Mongod]]:
    with servers(tmp_path_factory.mktemp("verify")) as found:
        yield found


class World:
    def __init__(self, kafka: Kafka, mongod: Mongod) -> None:
        self.kafka, self.mongod = kafka, mongod
        settings = Settings(port=0, worker_port=0, kafka_bootstrap=kafka.bootstrap, mongodb_uri=mongod.uri)
        self.contexts = {service.name: Context.of(service, settings, "worker") for service in SERVICES}
        self.databases: Databases = MongoClient(mongod.uri, tz_aware=True)

    async def faults(self) -> list[str]:
        """As if a minute had passed, so that nothing counts as on its way."""
        later = Clock().now() + timedelta(minutes=1)
        return await asyncio.to_thread(verify, self.mongod.uri, self.kafka.bootstrap, later)

    async def register(self) -> str:
        """A partner by a command of pairing; answers its id."""
        id = new_id()

        async def work(tx: Any) -> Decision[None]:
            name = {"zh": "甲", "en": "A"}
            particulars = Particulars(name=name, kind="enterprise", credit_code=None, reference=None)
            partner = Partner(id=id, version=1, particulars=particulars, registered_at=tx.now)
            event = PartnerRegistered(partner_id=id, name=name, kind="enterprise")
            return Decision(None, (partner,), (event,))

        await self.contexts["pairing"].transact(work, "test")
        return id

    def event_of(self, partner_id: str) -> str:
        row = self.databases.jiedui_pairing.outbox.find_one({"key": partner_id.encode()})
        assert row is not None
        return str(row["_id"])

    def inbox(self, service: str) -> Inbox:
        context = self.contexts[service]
        return Inbox(context.transactor, context.service.listener())

    @asynccontextmanager
    async def running(self, *services: str) -> AsyncIterator[None]:
        """The relay of pairing, and consumers of these."""
        context = self.contexts["pairing"]
        relay = Relay(context.database, self.kafka.bootstrap, "pairing-worker-0", context.clock)
        loops: list[Callable[[], Awaitable[None]]] = [relay.run]
        for name in services:
            topics = self.contexts[name].service.topics
            consumer = Consumer(self.inbox(name), topics, self.kafka.bootstrap, f"jiedui-{name}", f"{name}-0")
            loops.append(consumer.run)
        tasks = [asyncio.create_task(forever("loop", loop)) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def all_marked(self) -> bool:
        return self.databases.jiedui_pairing.outbox.find_one({"sent": False}) is None

    def archived(self) -> int:
        """The newest position."""
        found = self.databases.jiedui_notify.positions.find_one({})
        return int(found["newest"]) if found else 0

    async def consumed(self, service: str) -> bool:
        """Whether a service has committed all that is on the topics that it reads."""
        if not self.all_marked():
            return False
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka.bootstrap)
        await admin.start()
        await consumer.start()
        try:
            committed = await admin.list_consumer_group_offsets(f"jiedui-{service}")
            ends = await consumer.end_offsets(list(committed))
            return all(found.offset == ends[at] for at, found in committed.items())
        finally:
            await consumer.stop()
            await admin.close()

    def archive(self, *events: tuple[str, str, dict[str, Any]]) -> None:
        """Type, subject and data of each, as if they had come by the topics."""
        newest = self.archived()
        made = [
            {
                "_id": new_id(),
                "position": newest + number,
                "type": type_,
                "subject": subject,
                "archived_at": Clock().now(),
                "envelope": {"source": new_id(), "sequence": "1", "data": data},
            }
            for number, (type_, subject, data) in enumerate(events, 1)
        ]
        self.databases.jiedui_notify.events.insert_many(made)
        self.databases.jiedui_notify.positions.update_one({}, {"$set": {"newest": newest + len(made)}})

    async def settled(self, *partners: str, by: tuple[str, ...] = ("funding", "notify")) -> None:
        for partner in partners:
            event = self.event_of(partner)
            for service in by:
                inbox = self.databases[f"jiedui_{service}"].inbox
                await until(lambda id=event, inbox=inbox: inbox.find_one({"_id": id}), f"{service} has it")  # type: ignore[misc]


@pytest.fixture(scope="module")
async def world(own: tuple[Kafka, Mongod]) -> AsyncIterator[World]:
    """One for all tests: each looks for the faults that it has brought."""
    made = World(*own)
    for context in made.contexts.values():
        await context.prepare()
    yield made
    made.databases.close()


async def brought(world: World, fault: Callable[[], Awaitable[str]]) -> tuple[str, list[str]]:
    """What `fault` answers, and what `verify` finds after it that it did not find before."""
    before = await world.faults()
    answer = await fault()
    return answer, [found for found in await world.faults() if found not in before]


async def test_what_fits_together_is_silent(world: World) -> None:
    partners = [await world.register() for _ in range(3)]
    async with world.running("funding", "notify"):
        await world.settled(*partners)
        await until(world.all_marked, "all rows are marked")
    assert await world.faults() == []


async def test_an_inbox_key_that_was_not_written_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fault() -> str:
        partner = await world.register()
        event = world.event_of(partner)
        with monkeypatch.context() as patch:
            patch.setattr(Batch, "_fresh", _without_keys)
            async with world.running("funding"):
                await until(lambda: world.consumed("funding"), "funding has read it")
        async with world.running("notify"):
            await world.settled(partner, by=("notify",))
        return event

    event, found = await brought(world, fault)
    assert found == [f"funding: event {event} was not taken in"]


async def test_an_offset_that_was_committed_before_its_event_was_taken_in_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(self: Inbox, records: Any) -> None:
        """As a crash after a commit that came too early."""

    async def fault() -> str:
        partner = await world.register()
        with monkeypatch.context() as patch:
            patch.setattr(Inbox, "take", lost)
            async with world.running("funding"):
                await until(lambda: world.consumed("funding"), "the offset is committed")
        async with world.running("funding", "notify"):
            await world.settled(partner, by=("notify",))
        return world.event_of(partner)

    event, found = await brought(world, fault)
    assert found == [f"funding: event {event} was not taken in"]


async def test_a_relay_without_its_lease_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def no_lease(database: Any, name: str, holder: str) -> AsyncIterator[Lease]:
        lease = Lease(name, holder, 0, database)
        monkeypatch.setattr(lease, "guard", _let_pass)
        yield lease

    async def fault() -> str:
        partner = await world.register()
        with monkeypatch.context() as patch:
            patch.setattr(outbox, "leading", no_lease)
            async with world.running("funding", "notify"):
                await world.settled(partner)
                await until(world.all_marked, "the row is marked")
        return world.event_of(partner)

    event, found = await brought(world, fault)
    assert found == [f"pairing: event {event} was marked as sent by a relay without its lease"]


async def test_a_row_that_was_lost_is_named_by_its_subject(world: World) -> None:
    async def fault() -> str:
        partner = await world.register()
        world.databases.jiedui_pairing.outbox.delete_one({"_id": world.event_of(partner)})
        return partner

    partner, found = await brought(world, fault)
    assert found == [f"pairing: event 1 of {partner} (partners) is neither in the outbox nor archived"]


async def test_a_row_that_was_marked_and_never_sent_is_named(world: World) -> None:
    async def fault() -> str:
        partner = await world.register()
        event = world.event_of(partner)
        mark = {"sent": True, "sent_at": Clock().now(), "fence": 1}
        world.databases.jiedui_pairing.outbox.update_one({"_id": event}, {"$set": mark})
        return f"{partner} {event}"

    answer, found = await brought(world, fault)
    partner, event = answer.split()
    assert found == [
        f"pairing: event 1 of {partner} (partners) is neither in the outbox nor archived",
        f"topics: event {event}, which pairing has marked as sent, is on no topic",
        f"archive: event {event}, which pairing has sent, is not there",
    ]


async def test_an_event_that_left_the_archive_is_named_by_position_and_number(world: World) -> None:
    async def fault() -> str:
        partner = await world.register()
        async with world.running("funding", "notify"):
            await world.settled(partner)
            await world.settled(await world.register())
            await until(world.all_marked, "all rows are marked")
        event = world.databases.jiedui_notify.events.find_one_and_delete({"subject": partner})
        return f"{event['_id']} {event['position']} {partner}"

    answer, found = await brought(world, fault)
    event, position, partner = answer.split()
    assert set(found) == {
        f"archive: no event at position {position}",
        f"pairing: event 1 of {partner} (partners) is neither in the outbox nor archived",
        f"archive: event {event}, which pairing has sent, is not there",
    }


async def test_what_pairing_approved_is_asked_of_projects_and_funding(world: World) -> None:
    async def fault() -> str:
        world.databases.jiedui_pairing.pairings.insert_one(
            {
                "_id": "p1",
                "status": "approved",
                "approved_at": Clock().now(),
                "project_id": "j1",
                "support_kind": "money",
            }
        )
        return "p1"

    _, found = await brought(world, fault)
    assert found == [
        "projects: project j1 of the approved pairing p1 is not there",
        "funding: the approved pairing p1 is neither reserved nor refused",
    ]


async def test_tranches_are_held_against_verifications_and_balances_against_entries(world: World) -> None:
    async def fault() -> str:
        steps = [("fund.reserved", 0), ("milestone.verified", 1), ("fund.tranche_released", 2)]
        steps += [("fund.tranche_released", 3)] * 2 + [("milestone.verified", 3)]
        world.archive(*((f"jiedui.{type_}", "j9", {"milestone_no": no}) for type_, no in steps))
        posting = {"account_id": "a", "amount": 5, "currency": "CNY"}
        world.databases.jiedui_funding.entries.insert_one({"_id": "e", "postings": [posting]})
        world.databases.jiedui_funding.accounts.insert_one({"_id": "a", "balances": {"CNY": 4}})
        return ""

    _, found = await brought(world, fault)
    assert [line for line in found if "was not taken in" not in line] == [
        "funding: milestone 1 of project j9 is verified, and its tranche not released",
        "funding: the tranche of milestone 2 of project j9 went out unverified",
        "funding: the tranche of milestone 3 of project j9 went out 2 times",
        "funding: account a has 4 CNY in minor units, its entries sum to 5",
        "funding: the entries in CNY sum to 5 and not to 0",
    ]


async def test_seals_are_held_against_those_archived(world: World) -> None:
    seals = [f"{n}" * 64 for n in range(5)]
    kept = [
        {"_id": f"s{no}", "no": no, "previous": seals[no - 1], "seal": seals[no], "entries": 2, "until_no": no * 2}
        for no in (1, 2, 3, 4)
    ]

    async def sound() -> str:
        world.databases.jiedui_funding.seals.insert_many(kept)
        world.archive(
            *(
                ("jiedui.ledger.sealed", "ledger", {n: seal[n] for n in ("seal", "entries", "until_no")})
                for seal in kept
            )
        )
        return ""

    async def fault() -> str:
        found = world.databases.jiedui_funding.seals
        found.update_one({"_id": "s1"}, {"$set": {"entries": 1}})
        found.delete_one({"_id": "s2"})
        found.update_one({"_id": "s4"}, {"$set": {"seal": "f" * 64}})
        found.insert_one({"_id": "s5", "no": 5, "previous": "f" * 64, "seal": "e" * 64, "entries": 1, "until_no": 9})
        return ""

    _, found = await brought(world, sound)
    assert [line for line in found if "was not taken in" not in line] == []
    _, found = await brought(world, fault)
    assert found == [
        f"funding: the seal {seals[1]} up to entry 2 is archived as {seals[1]}",
        f"funding: the seal {seals[2]} up to entry 4, which is archived, is not there",
        f"funding: the seal {'f' * 64} up to entry 8 is archived as {seals[4]}",
        f"funding: the seal {seals[3]} up to entry 6 does not follow on the one before it",
        f"funding: the seal {'e' * 64} up to entry 9 is not archived",
    ]


def test_the_command_ends_with_3_and_lists_what_it_found(own: tuple[Kafka, Mongod], tmp_path: Path) -> None:
    kafka, mongod = own
    names = {"JIEDUI_HOME": str(tmp_path), "JIEDUI_MONGODB_URI": mongod.uri, "JIEDUI_KAFKA_BOOTSTRAP": kafka.bootstrap}
    command = [sys.executable, "-m", "deploy.cli", "verify"]
    # By then all that the tests before have planted is old enough.
    names["JIEDUI_CLOCK_OFFSET"] = "1h"
    done = subprocess.run(command, env=os.environ | names, capture_output=True, text=True)
    assert done.returncode == 3, done.stderr
    assert "funding: the entries in CNY sum to 5 and not to 0" in done.stdout.splitlines()


async def _without_keys(self: Batch) -> list[Any]:
    return list(self._found)


async def _let_pass(session: Any) -> None:
    return None
