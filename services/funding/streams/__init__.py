"""What funding does when something happened elsewhere, and by itself."""

from services.funding.streams.events import HANDLERS, READS, TOPICS
from services.funding.streams.seals import seal_all, seal_each_minute

__all__ = ["HANDLERS", "READS", "TOPICS", "seal_all", "seal_each_minute"]
