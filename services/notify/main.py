"""The two programs of notify: `python -m services.notify.main api` and `… worker`."""

from services.kit.program import run
from services.kit.service import Service
from services.notify.api import PUBLIC, PUBLIC_BELOW, Hub, Lag, keep_gauges, routers
from services.notify.settings import Settings
from services.notify.store import INDEXES, Tx
from services.notify.streams import RAW, TOPICS, archive_event, listen_to_heartbeats, project, send, tell


def service() -> Service:
    """With a hub and a lag meter of its own, of which each process needs one."""
    hub, lag = Hub(), Lag()
    return Service(
        name="notify",
        tx=Tx,
        indexes=INDEXES,
        small_pages=frozenset({"events"}),
        routers=routers(hub, lag),
        topics=TOPICS,
        otherwise=archive_event,
        raw=RAW,
        background=(project, tell, send),
        api_background=(hub.follow, hub.tend, lag.keep, keep_gauges(lag)),
        agents=listen_to_heartbeats,
        public=PUBLIC,
        public_below=PUBLIC_BELOW,
    )


SERVICE = service()

if __name__ == "__main__":
    run(SERVICE, Settings)
