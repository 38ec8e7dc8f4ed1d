"""A made-up history of projects, as events on a topic: out of the samples in schemas/samples, with ids of its own.

Each project has 130 events (a million in 7,700 projects, the growth that the archive is built for),
and the projects' events lie mixed, since many projects go on at once.
"""

import asyncio
import json
import random
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from services.kit.ids import new_id

EVENTS_A_PROJECT = 130
# How often each type occurs in a project's life, besides its opening.
LIFE = {
    "indicator.observed": 80,
    "milestone.reported": 14,
    "milestone.verified": 10,
    "fund.spent": 15,
    "fund.tranche_released": 10,
}
_IDS = ("project_id", "pairing_id", "commitment_id", "partner_id")


@cache
def sample(type_: str) -> dict[str, Any]:
    """The envelope of schemas/samples for a type such as `milestone.reported`."""
    text = files("schemas").joinpath("samples", f"jiedui.{type_}.v1.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def history(count: int, sampled: float, seed: int = 1) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Key, value and `traceparent` of `count` events; the share `sampled` of them belongs to a sampled trace."""
    chance = random.Random(seed)
    projects = [_Project(chance) for _ in range(max(1, count // EVENTS_A_PROJECT))]
    for no in range(count):
        project = chance.choice(projects)
        traceparent = (
            f"00-{chance.getrandbits(128):032x}-{chance.getrandbits(64):016x}-0{int(chance.random() < sampled)}"
        )
        yield project.id.encode(), orjson.dumps(project.event(no, traceparent)), traceparent.encode()


class _Project:
    def __init__(self, chance: random.Random) -> None:
        self._ids = {name: new_id() for name in _IDS}
        self._numbers = {"/jiedui/projects": 0, "/jiedui/funding": 0}
        self._life = [type_ for type_, times in LIFE.items() for _ in range(times)]
        chance.shuffle(self._life)
        self.id = self._ids["project_id"]

    def event(self, no: int, traceparent: str) -> dict[str, Any]:
        """The next event of this project; `no` only helps to choose its type."""
        opened = self._numbers["/jiedui/projects"] > 0
        like = sample(self._life[no % len(self._life)] if opened else "project.opened")
        source = like["source"]
        self._numbers[source] += 1
        return {
            **like,
            "id": new_id(),
            "subject": self.id,
            "sequence": f"{self._numbers[source]:010d}",
            "correlationid": new_id(),
            "traceparent": traceparent,
            "data": like["data"] | self._ids,
        }


async def publish(bootstrap: str, topic: str, count: int, sampled: float) -> None:
    """Puts a history on a topic."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=256 * 1024)
    await producer.start()
    try:
        waiting = []
        for key, value, traceparent in history(count, sampled):
            waiting.append(await producer.send(topic, value, key=key, headers=[("traceparent", traceparent)]))
            if len(waiting) == 5000:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()
