"""What comes in without a caller: what other services say, days that pass, edits that waited, files left over."""

from services.projects.streams.days import watch_days
from services.projects.streams.edits import release, release_edits
from services.projects.streams.events import HANDLERS, READS, TOPICS
from services.projects.streams.files import sweep_files

__all__ = ["HANDLERS", "READS", "TOPICS", "release", "release_edits", "sweep_files", "watch_days"]
