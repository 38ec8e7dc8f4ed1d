"""Where the parts of pairing meet: `python -m services.pairing.main api|worker`."""

from services.kit.program import run
from services.kit.service import Service
from services.pairing.api import router
from services.pairing.api.imports import BODY_LIMITS
from services.pairing.settings import Settings
from services.pairing.store import INDEXES, Tx
from services.pairing.streams import HANDLERS, READS, TOPICS, expire_commitments, run_imports, run_rounds

SERVICE = Service(
    name="pairing",
    tx=Tx,
    indexes=INDEXES,
    routers=(router,),
    topics=TOPICS,
    handlers=HANDLERS,
    reads=READS,
    background=(run_rounds, run_imports, expire_commitments),
    body_limits=BODY_LIMITS,
)

if __name__ == "__main__":
    run(SERVICE, Settings)
