"""Heartbeats of all workers, by a faust agent and its table.

The table (RocksDB, with a changelog topic) remembers each worker's last heartbeat and its rates over
a restart or a move to another worker. Once a second what this worker knows is put where the API
finds it. All of it is approximate: an agent's event may be lost or come twice.
"""

import asyncio
import logging
from dataclasses import asdict
from typing import Any

import faust
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from schemas.topics import HEARTBEATS
from services.kit.clock import instant, rfc3339
from services.kit.decision import Decision
from services.kit.service import Context
from services.notify.domain import Pulse, beat
from services.notify.store import Tx

log = logging.getLogger(__name__)

_SHOWN_EVERY_S = 1.0
_TABLE = "pulses"
# The table holds a few hundred bytes a worker; RocksDB's defaults reserve gigabytes.
_SMALL = {
    "block_cache_size": 1024 * 1024,
    "write_buffer_size": 1024 * 1024,
    "target_file_size_base": 4 * 1024 * 1024,
    "max_open_files": 64,
}


def listen_to_heartbeats(app: faust.App, context: Context) -> None:
    """Adds the agent, its table and the timer to the worker's faust application."""
    changelog = f"{app.conf.id}-{_TABLE}-changelog"
    asyncio.run(_ensure_changelog(context.settings.kafka_bootstrap, changelog))
    heartbeats = app.topic(HEARTBEATS, key_type=str, key_serializer="raw", value_serializer="json")
    table = app.Table(_TABLE, key_type=str, options=_SMALL)

    @app.agent(heartbeats)  # type: ignore[untyped-decorator]
    async def feel(beats: Any) -> None:
        async for key, told in beats.items():
            before = table.get(key)
            table[key] = _told(beat(_pulse(before) if before else None, _pulse({"id": key} | told)))

    @app.timer(_SHOWN_EVERY_S)  # type: ignore[untyped-decorator]
    async def show() -> None:
        pulses = [_pulse(told) for told in table.values()]

        async def work(tx: Tx) -> Decision[None]:
            shown = await tx.get_many(Pulse, [pulse.id for pulse in pulses])
            return Decision(None, saves=[pulse for pulse in pulses if pulse != shown.get(pulse.id)])

        try:
            await context.transact(work, "heartbeats")
        except Exception as error:
            # faust would end the worker; the next second shows what this one could not.
            log.warning("the live figures cannot be shown", extra={"error": repr(error)})


def _pulse(told: dict[str, Any]) -> Pulse:
    fields = {name: told[name] for name in Pulse.__dataclass_fields__ if name in told}
    return Pulse(**fields | {"at": instant(told["at"])})


def _told(pulse: Pulse) -> dict[str, Any]:
    return asdict(pulse) | {"at": rfc3339(pulse.at)}


async def _ensure_changelog(bootstrap: str, name: str) -> None:
    """Makes the changelog topic as the heartbeats topic is: a table needs as many partitions as what feeds it.

    faust would give it one copy only, and would delete as well as compact.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (heartbeats,) = await admin.describe_topics([HEARTBEATS])
        partitions = heartbeats["partitions"]
        copies = len(partitions[0]["replicas"])
        # A second's work is worth little: small segments let the log be compacted soon.
        configs = {"cleanup.policy": "compact", "segment.ms": str(3600 * 1000)}
        answer = await admin.create_topics([NewTopic(name, len(partitions), copies, topic_configs=configs)])
        for _, code, *message in answer.topic_errors:
            if code not in (0, TopicAlreadyExistsError.errno):
                raise for_code(code)(*message)
    finally:
        await admin.close()
