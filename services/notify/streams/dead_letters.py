"""Dead letters of all services, as they lie on their topics."""

from typing import Any

from services.kit.clock import instant
from services.kit.decision import NOTHING, Decision
from services.kit.records import RawRecord
from services.notify.domain import DeadLetter, original_headers
from services.notify.store import Tx


async def keep_dead_letter(record: RawRecord, tx: Tx) -> Decision[Any]:
    about = {name.removeprefix("jiedui-"): value.decode(errors="replace") for name, value in record.headers.items()}
    letter = DeadLetter(
        # By where it failed, and not by where it lies: the relay may have sent it twice.
        id="-".join((about["service"], about["topic"], about["partition"], about["offset"])),
        service=about["service"],
        topic=about["topic"],
        partition=int(about["partition"]),
        offset=int(about["offset"]),
        key=record.key,
        value=record.value,
        headers=original_headers(record.headers),
        error_type=about["error-type"],
        error_message=about["error-message"],
        attempts=int(about["attempts"]),
        first_failed_at=instant(about["first-failed-at"]),
    )
    if await tx.get(DeadLetter, letter.id) is not None:
        return NOTHING
    return Decision(letter, saves=(letter,))
