"""Kafka topics. Domain topics are kept for ever and never compacted; order holds within one key."""

from dataclasses import dataclass

PARTNERS = "jiedui.partners.v1"
COMMITMENTS = "jiedui.commitments.v1"
COUNTIES = "jiedui.counties.v1"
PAIRINGS = "jiedui.pairings.v1"
PROJECTS = "jiedui.projects.v1"
FUNDING = "jiedui.funding.v1"
HEARTBEATS = "jiedui.heartbeats.v1"

DOMAIN = (PARTNERS, COMMITMENTS, COUNTIES, PAIRINGS, PROJECTS, FUNDING)
SERVICES = ("pairing", "projects", "funding", "notify")


def dead_letters(service: str) -> str:
    """The topic that keeps, bytes untouched, what `service` could not take in."""
    return f"jiedui.dlq.{service}.v1"


@dataclass(frozen=True)
class Topic:
    """How a topic is created. Sizes are bytes; `retention_ms` -1 is for ever."""

    name: str
    cleanup_policy: str = "delete"
    retention_ms: int = -1
    # A record over 1 MiB is refused by every reader, but must still fit, or it could not be kept as evidence.
    max_message_bytes: int = 4 * 1024 * 1024


ALL = (
    *(Topic(name) for name in DOMAIN),
    Topic(HEARTBEATS, cleanup_policy="compact"),
    *(Topic(dead_letters(service), max_message_bytes=5 * 1024 * 1024) for service in SERVICES),
)

# Which services publish on a topic, and which read it.
WRITERS: dict[str, tuple[str, ...]] = {
    PARTNERS: ("pairing",),
    COMMITMENTS: ("pairing",),
    COUNTIES: ("pairing",),
    PAIRINGS: ("pairing",),
    PROJECTS: ("projects",),
    FUNDING: ("funding",),
    HEARTBEATS: SERVICES,
    **{dead_letters(service): (service,) for service in SERVICES},
}
READERS: dict[str, tuple[str, ...]] = {
    PARTNERS: ("funding", "notify"),
    COMMITMENTS: ("funding", "notify"),
    COUNTIES: ("projects", "notify"),
    PAIRINGS: ("projects", "funding", "notify"),
    PROJECTS: ("pairing", "funding", "notify"),
    FUNDING: ("pairing", "projects", "notify"),
    HEARTBEATS: ("notify",),
    **{dead_letters(service): ("notify",) for service in SERVICES},
}
