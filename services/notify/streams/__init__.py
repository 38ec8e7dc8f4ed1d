"""What notify takes in: every event into the archive, every dead letter, and from the archive the read models."""

from schemas import topics
from services.notify.streams.archive import archive_event
from services.notify.streams.dead_letters import keep_dead_letter
from services.notify.streams.heartbeats import listen_to_heartbeats
from services.notify.streams.projection import project

RAW = {topics.dead_letters(service): keep_dead_letter for service in topics.SERVICES}
TOPICS = (*topics.DOMAIN, *RAW)

__all__ = ["RAW", "TOPICS", "archive_event", "listen_to_heartbeats", "project"]
