"""Notify's worker as a process of its own, on a real broker: from the topics to the API, over a kill."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from services.kit.ids import new_id
from services.notify.settings import Settings
from tests.conftest import free_ports
from tests.notify import builders as b
from tests.notify.conftest import Newsroom, newsroom_at
from tests.notify.receiving import Request, mailbox, receiver, status
from tests.waiting import until


class Desk(Newsroom):
    """A newsroom whose events come over Kafka, to a worker that can be killed."""

    worker: subprocess.Popen[bytes]

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "JIEDUI_KAFKA_BOOTSTRAP": self.settings.kafka_bootstrap,
            "JIEDUI_MONGODB_URI": self.settings.mongodb_uri,
            "JIEDUI_HOME": str(self.settings.home),
            "JIEDUI_NOTIFY_WORKER_PORT": str(self.settings.worker_port),
            "JIEDUI_WEBHOOK_ALLOW": "127.0.0.0/8",
            "OTEL_TRACES_EXPORTER": "none",
        }

    def start_worker(self, **environment: str) -> None:
        command = [sys.executable, "-m", "services.notify.main", "worker"]
        self.worker = subprocess.Popen(command, env=self.environment() | environment)

    def kill_worker(self) -> None:
        self.worker.send_signal(signal.SIGKILL)
        self.worker.wait()

    async def stop_worker(self) -> None:
        self.worker.send_signal(signal.SIGTERM)
        await asyncio.to_thread(self.worker.wait, 15)

    async def ready(self) -> bool:
        try:
            return (await self.client.get(f"http://127.0.0.1:{self.settings.worker_port}/readyz")).status_code == 200
        except httpx.HTTPError:
            return False

    async def produce(self, topic: str, *values: tuple[str, bytes]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.kafka_bootstrap)
        await producer.start()
        try:
            for key, value in values:
                await producer.send_and_wait(topic, value, key=key.encode())
        finally:
            await producer.stop()

    async def register(self, count: int) -> None:
        """Partners that nobody has heard of yet."""
        records = [self.record(b.registered(new_id())) for _ in range(count)]
        await self.produce("jiedui.partners.v1", *((record.key.decode(), record.value) for record in records))  # type: ignore[misc, union-attr]

    async def lag(self, group: str, topic: str) -> dict[str, Any]:
        rows = (await self.read("/monitor"))["lag"]
        return next(row for row in rows if (row["group"], row["topic"]) == (group, topic))

    async def caught_up(self) -> bool:
        rows = (await self.read("/monitor"))["lag"]
        return all(row["count"] == 0 for row in rows if row["group"] == "jiedui-notify")

    async def own_outbox(self) -> Any:
        return next(row for row in (await self.read("/monitor"))["outbox"] if row["service"] == "notify")


@pytest.fixture(scope="module")
async def desk(kafka: str, mongodb: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    home = tmp_path_factory.mktemp("desk")
    (worker_port,) = free_ports(1)
    settings = Settings(
        port=0,
        worker_port=worker_port,
        home=home,
        mongodb_uri=mongodb,
        kafka_bootstrap=kafka,
        webhook_allow=(ip_network("127.0.0.0/8"),),
    )
    async with newsroom_at(settings, "notify") as newsroom:
        made = Desk(newsroom.settings, "notify")
        made.start_worker()
        try:
            await until(made.ready, "the worker is ready", 60)
            await until(made.caught_up, "what other tests left on the topics is archived", 60)
            yield made
        finally:
            made.kill_worker()
            await made.client.aclose()


async def test_what_comes_from_the_topics_is_archived_and_poison_is_a_dead_letter_while_the_next_goes_on(
    desk: Desk,
) -> None:
    before = await desk.newest()
    await desk.produce("jiedui.partners.v1", ("poison", b"{broken"))
    await desk.register(20)

    async def archived() -> bool:
        return await desk.newest() == before + 20

    await until(archived, "20 more are archived")

    async def dead() -> Any:
        return (await desk.read("/dead-letters?service=notify&status=open"))["items"]

    letters = await until(dead, "the poison is a dead letter")
    assert (letters[-1]["topic"], letters[-1]["key"]) == ("jiedui.partners.v1", "poison")
    answer = await desk.post(f"/dead-letters/{letters[-1]['id']}/replay", {"reason": "again"})
    assert answer.status_code == 200

    async def dead_again() -> bool:
        found = await dead()
        return bool(found) and found[-1]["id"] != letters[-1]["id"]

    await until(dead_again, "the replay that fails again is a new dead letter")


async def test_the_lag_is_the_brokers_and_heartbeats_tell_of_the_outbox_and_the_rates(desk: Desk) -> None:
    await desk.register(3)

    async def waits_for_funding() -> bool:
        """Nobody runs it here: all that is on its topic waits."""
        row = await desk.lag("jiedui-funding", "jiedui.partners.v1")
        return (row["count"] or 0) >= 3 and (row["age_s"] or 0) > 0

    await until(waits_for_funding, "funding has not read them")

    async def caught_up() -> bool:
        row = await desk.lag("jiedui-notify", "jiedui.partners.v1")
        return bool(row["count"] == 0 and row["age_s"] == 0.0)

    await until(caught_up, "notify has caught up")

    async def known() -> bool:
        return bool((await desk.own_outbox())["depth"] == 0)

    await until(known, "a heartbeat tells of an empty outbox", 40)
    # Each partition of the table is a RocksDB database, and each has a file CURRENT.
    assert list((desk.settings.home / "faust").rglob("CURRENT"))
    rates = (await desk.read("/monitor"))["rates"]
    assert next(row for row in rates if row["service"] == "notify")["applied_per_minute"] is not None
    assert next(row for row in rates if row["service"] == "funding")["applied_per_minute"] is None


async def test_a_killed_worker_shows_in_the_monitor_and_takes_up_where_it_was(desk: Desk) -> None:
    before = await desk.newest()
    desk.kill_worker()
    await desk.register(5)

    async def behind() -> bool:
        row = await desk.lag("jiedui-notify", "jiedui.partners.v1")
        return bool(row["count"] == 5 and row["age_s"] > 1)

    await until(behind, "the lag shows as count and age")

    async def silent() -> bool:
        return bool((await desk.own_outbox())["depth"] is None)

    await until(silent, "the outbox is unknown")
    desk.start_worker()

    async def archived() -> bool:
        return await desk.newest() == before + 5

    await until(archived, "the five are archived")
    numbers = [row["position"] async for row in desk.context.database.events.find().sort("position", 1)]
    assert numbers == list(range(1, before + 6))


async def test_the_command_rebuilds_the_read_models_where_no_worker_runs(desk: Desk) -> None:
    async def told() -> bool:
        return bool((await desk.context.reading().telling()).position == await desk.newest())

    # MongoDB keeps a transaction that was cut off, and what it has locked, for a minute.
    await desk.folded()
    await until(told, "nothing is under way")
    desk.kill_worker()
    try:
        before = await desk.context.database.partner_views.count_documents({})
        newest = (await desk.context.reading().projection()).position
        done = await asyncio.to_thread(
            subprocess.run,
            [Path(sys.executable).with_name("jiedui"), "rebuild", "notify"],
            env=desk.environment(),
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert done.stdout == f"{newest} events folded again; nobody was told: 0 deliveries suppressed\n"
        assert done.returncode == 0
        assert await desk.context.database.partner_views.count_documents({}) == before
    finally:
        desk.start_worker()


async def test_killed_while_it_sends_nothing_is_lost_and_what_comes_twice_has_the_same_id(desk: Desk) -> None:
    async with receiver() as hook:
        made = await desk.post("/subscriptions", {"channel": "webhook", "target": hook.url})
        path = f"/subscriptions/{made.json()['id']}/deliveries?limit=500&total=true"
        await desk.register(100)
        await until(lambda: len(hook.requests) >= 20, "some have been sent")
        desk.kill_worker()
        # What it held is free again after its lease.
        desk.start_worker(JIEDUI_CLOCK_OFFSET="100s")

        async def all_delivered() -> bool:
            return bool((await desk.read(f"{path}&status=delivered"))["total"] == 100)

        await until(all_delivered, "all are delivered", 60)
        ids = [request.headers["webhook-id"] for request in hook.requests]
        found = (await desk.read(path))["items"]
        assert {delivery["webhook_id"] for delivery in found} == set(ids)
        for delivery in found:
            tries = [attempt["status"] for attempt in delivery["attempts"]]
            # A try that was cut off stands in the log, whether the receiver had it or not.
            assert tries in (["delivered"], ["unknown", "delivered"])
            assert 1 <= ids.count(delivery["webhook_id"]) <= len(tries)
    metrics = (await desk.client.get(f"http://127.0.0.1:{desk.settings.worker_port}/metrics")).text
    assert 'jiedui_deliveries_total{channel="webhook",status="delivered"}' in metrics


async def test_stopped_while_it_sends_webhooks_and_mail_it_ends_what_has_begun_and_the_rest_waits(desk: Desk) -> None:
    answered: list[str] = []

    async def in_a_while(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.wait({asyncio.create_task(asyncio.Event().wait())}, timeout=0.2)
        answered.append(request.headers["webhook-id"])
        await status(204)(request, writer)

    async with receiver(in_a_while) as hook, mailbox(wait_s=0.2) as box:
        await desk.stop_worker()
        smtp = {"JIEDUI_SMTP_URL": f"smtp://127.0.0.1:{box.server.port}"}
        desk.start_worker(**smtp)
        logs = []
        for channel, target in (("webhook", hook.url), ("mail", "li@partner.example")):
            made = await desk.post("/subscriptions", {"channel": channel, "target": target})
            logs.append(f"/subscriptions/{made.json()['id']}/deliveries?limit=500&total=true")
        await desk.register(80)
        await until(lambda: len(answered) >= 10 and len(box.mails) >= 10, "some have been sent", 60)
        await desk.stop_worker()
        assert len(answered) < 80
        assert len(box.mails) < 80
        # What had begun ended, and was entered; nothing else is said to be done.
        for log, sent in zip(logs, (answered, [mail["Message-ID"] for mail in box.mails]), strict=True):
            delivered = (await desk.read(f"{log}&status=delivered"))["items"]
            assert len(delivered) == len(sent) == len(set(sent))
            assert all(any(each["webhook_id"] in name for name in sent) for each in delivered)
        # A claim that was written just before the end is free again after its lease.
        desk.start_worker(JIEDUI_CLOCK_OFFSET="100s", **smtp)
        for log, sent in zip(logs, (answered, box.mails), strict=True):

            async def all_delivered(log: str = log) -> bool:
                return bool((await desk.read(f"{log}&status=delivered"))["total"] == 80)

            await until(all_delivered, "all are delivered", 60)
            assert len(sent) == 80
