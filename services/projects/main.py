"""Where projects is put together: `python -m services.projects.main api|worker`."""

from services.kit.program import run
from services.kit.service import Service
from services.projects.api import BODY_LIMITS, ROUTERS
from services.projects.settings import Settings
from services.projects.store import INDEXES, Tx
from services.projects.streams import HANDLERS, READS, TOPICS, release_edits, sweep_files, watch_days

SERVICE = Service(
    name="projects",
    tx=Tx,
    indexes=INDEXES,
    routers=ROUTERS,
    topics=TOPICS,
    handlers=HANDLERS,
    reads=READS,
    background=(watch_days, release_edits, sweep_files),
    body_limits=BODY_LIMITS,
)

if __name__ == "__main__":
    run(SERVICE, Settings)
