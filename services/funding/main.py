"""The two programs of funding: `python -m services.funding.main api` and `… worker`."""

from services.funding.api import router
from services.funding.settings import Settings
from services.funding.store import INDEXES, Tx
from services.funding.streams import HANDLERS, READS, TOPICS, seal_each_minute
from services.kit.program import run
from services.kit.service import Service

SERVICE = Service(
    name="funding",
    tx=Tx,
    indexes=INDEXES,
    routers=(router,),
    topics=TOPICS,
    handlers=HANDLERS,
    reads=READS,
    background=(seal_each_minute,),
)

if __name__ == "__main__":
    run(SERVICE, Settings)
