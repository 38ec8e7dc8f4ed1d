"""What notify takes in, every event into the archive and every dead letter, and what follows from the archive.

From there the read models are folded, and whoever wants to know is told (`outgoing`).
"""

from schemas import topics
from services.notify.streams.archive import archive_event
from services.notify.streams.dead_letters import keep_dead_letter
from services.notify.streams.heartbeats import listen_to_heartbeats
from services.notify.streams.outgoing.send import send
from services.notify.streams.outgoing.tell import tell
from services.notify.streams.projection import project

RAW = {topics.dead_letters(service): keep_dead_letter for service in topics.SERVICES}
TOPICS = (*topics.DOMAIN, *RAW)

__all__ = ["RAW", "TOPICS", "archive_event", "listen_to_heartbeats", "project", "send", "tell"]
