"""Poison on every topic by hand: set aside once by each reader, held up by nobody, played again for one."""

import base64
import time
from collections import Counter
from importlib.resources import files
from typing import Any

import orjson
import pytest

from schemas.catalogue import EVENTS
from schemas.topics import DOMAIN, READERS
from services.kit.clock import Clock, rfc3339
from services.kit.ids import new_id
from tests.faults.aftermath import recovered
from tests.flows.system import Json, System
from tests.topics import produce
from tests.waiting import until

NEXT_S = 5
SAMPLES = {topic: next(type_ for type_, event in EVENTS.items() if topic == event.TOPIC) for topic in DOMAIN}


def sample(type_: str, subject: str, **changes: Any) -> Json:
    """A sound event of a type, about another subject."""
    event: Json = orjson.loads(files("schemas").joinpath("samples", f"{type_}.v1.json").read_bytes())
    now = rfc3339(Clock().now())
    data = event["data"] | {EVENTS[type_].SUBJECT: subject}
    stamps = {"id": new_id(), "subject": subject, "sequence": "0000000001", "time": now, "recordedtime": now}
    event |= stamps | {"data": data, "source": "/jiedui/by-hand"}
    return event | changes


def poison(type_: str) -> dict[str, tuple[bytes, bytes | None]]:
    """Records that each reader of the topic must set aside."""
    found = {}
    for name in ("broken JSON", "impossible value", "unknown version", "null value", "wrong key", "2 MB"):
        subject = _subject(type_)
        sound = sample(type_, subject)
        key, value = subject.encode(), orjson.dumps(sound)
        match name:
            case "broken JSON":
                value = value[:-20]
            case "impossible value":
                value = orjson.dumps(sound | {"data": {EVENTS[type_].SUBJECT: subject, "amount": "abc"}})
            case "unknown version":
                value = orjson.dumps(sound | {"dataschema": f"/schemas/json/{type_}.json#v99"})
            case "null value":
                value = None  # type: ignore[assignment]
            case "wrong key":
                key = b"somebody-else"
            case "2 MB":
                value = orjson.dumps(sound | {"padding": "x" * 2 * 1024 * 1024})
        found[name] = (key, value)
    return found


def _subject(type_: str) -> str:
    """An id of its own; county codes are six digits."""
    return f"{time.time_ns() % 10**6:06d}" if EVENTS[type_].SUBJECT == "county_code" else new_id()


@pytest.fixture(autouse=True)
def undying(faulty: System) -> None:
    """What is left of the named points is passed: here it is asked what poison does, and not what a death does."""
    for place in faulty.settings["JIEDUI_CRASH_AT"].split(","):
        (faulty.home / "run" / f"crashed-{place.replace(':', '-')}").touch()


@pytest.mark.parametrize("topic", DOMAIN)
async def test_poison_is_set_aside_once_by_each_reader_and_the_next_go_through(faulty: System, topic: str) -> None:
    bootstrap = faulty.settings["JIEDUI_KAFKA_BOOTSTRAP"]
    type_ = SAMPLES[topic]
    monitor = faulty.person("monitor")
    listed = f"/dead-letters?topic={topic}"
    before = {letter["id"] for letter in await monitor.all("notify", listed)}
    records = poison(type_)
    subject = _subject(type_)
    unknown = sample(type_, subject, type="jiedui.something.new", sequence="0000000001")
    await produce(bootstrap, topic, *records.values(), (subject.encode(), orjson.dumps(unknown)))

    async def archived() -> list[str]:
        return [item["event"]["type"] for item in await monitor.all("notify", f"/events?subject={subject}")]

    assert await until(archived, "the next good record goes through", NEXT_S) == ["jiedui.something.new"]
    await recovered(faulty, "poison")

    async def letters(count: int) -> list[Json] | None:
        found = [letter for letter in await monitor.all("notify", listed) if letter["id"] not in before]
        return found if len(found) >= count else None

    wanted = len(records) * len(READERS[topic])
    found = await until(lambda: letters(wanted), "each reader has set each record aside")
    assert Counter(letter["service"] for letter in found) == dict.fromkeys(READERS[topic], len(records))
    values = {base64.b64decode(letter["value"]) if letter["value"] else None for letter in found}
    assert values == {value for _, value in records.values()}, "bytes untouched"
    assert await archived() == ["jiedui.something.new"], "once"

    letter = next(letter for letter in found if letter["service"] == "notify")
    await monitor.post("notify", f"/dead-letters/{letter['id']}/replay", {"reason": "again"}, status=200)
    again = await until(lambda: letters(wanted + 1), "what fails again is a new dead letter")
    assert Counter(letter["service"] for letter in again)["notify"] == len(records) + 1
    assert len(again) == wanted + 1, "the others pass it over"
