"""Live figures of the workers, from what each says of itself once a second.

They are approximate and only ever shown as "live": a heartbeat may be lost or come twice.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

SILENT_AFTER = timedelta(seconds=5)
_SMOOTHED_OVER_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """The last heartbeat of one worker and its smoothed rates. `id` is `service-slot`."""

    id: str
    service: str
    at: datetime
    outbox_depth: int | None
    outbox_oldest_age_s: float | None
    """Both None while its database does not answer."""
    applied: int
    """Events taken in since the worker started."""
    sent: int
    """Records sent since the worker started."""
    build: str | None = None
    """Which program it is."""
    applied_per_minute: float = 0.0
    sent_per_minute: float = 0.0


def beat(before: Pulse | None, now: Pulse) -> Pulse:
    """The pulse after a heartbeat; one that is not newer changes nothing.

    The rates are exponential averages over about a minute.
    """
    if before is None:
        return now
    passed_s = (now.at - before.at).total_seconds()
    if passed_s <= 0:
        return before
    weight = 1 - math.exp(-passed_s / _SMOOTHED_OVER_S)

    def smoothed(rate: float, was: int, is_: int) -> float:
        # A worker that was started again counts from nought.
        done = is_ - was if is_ >= was else is_
        return rate + weight * (done * 60 / passed_s - rate)

    return replace(
        now,
        applied_per_minute=smoothed(before.applied_per_minute, before.applied, now.applied),
        sent_per_minute=smoothed(before.sent_per_minute, before.sent, now.sent),
    )


def workers(pulses: Iterable[Pulse], now: datetime) -> list[dict[str, Any]]:
    """The workers that spoke lately, and which program each is."""
    speaking = (pulse for pulse in pulses if now - pulse.at <= SILENT_AFTER)
    return [
        {"id": pulse.id, "service": pulse.service, "build": pulse.build}
        for pulse in sorted(speaking, key=lambda pulse: pulse.id)
    ]


def outboxes(pulses: Iterable[Pulse], services: Iterable[str], now: datetime) -> list[dict[str, Any]]:
    """Depth and age of each service's outbox; None where no worker of it spoke lately, which is not 0."""
    latest: dict[str, Pulse] = {}
    for pulse in pulses:
        if now - pulse.at <= SILENT_AFTER and (pulse.service not in latest or pulse.at > latest[pulse.service].at):
            latest[pulse.service] = pulse
    return [
        {
            "service": service,
            "depth": latest[service].outbox_depth if service in latest else None,
            "oldest_age_s": latest[service].outbox_oldest_age_s if service in latest else None,
        }
        for service in services
    ]


def rates(pulses: Iterable[Pulse], services: Iterable[str], now: datetime) -> list[dict[str, Any]]:
    """Events taken in and records sent a minute by each service's workers together; None where none spoke lately."""
    speaking = [pulse for pulse in pulses if now - pulse.at <= SILENT_AFTER]
    found = []
    for service in services:
        own = [pulse for pulse in speaking if pulse.service == service]
        found.append(
            {
                "service": service,
                "applied_per_minute": round(sum(pulse.applied_per_minute for pulse in own), 1) if own else None,
                "sent_per_minute": round(sum(pulse.sent_per_minute for pulse in own), 1) if own else None,
            }
        )
    return found
