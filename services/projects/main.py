"""Where projects is put together: `python -m services.projects.main api|worker`."""

from services.kit.program import run
from services.kit.service import Service
from services.projects.api import router
from services.projects.settings import Settings
from services.projects.store import INDEXES, Tx
from services.projects.streams import HANDLERS, READS, TOPICS

SERVICE = Service(
    name="projects",
    tx=Tx,
    indexes=INDEXES,
    routers=(router,),
    topics=TOPICS,
    handlers=HANDLERS,
    reads=READS,
)

if __name__ == "__main__":
    run(SERVICE, Settings)
