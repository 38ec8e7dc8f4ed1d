"""What `/metrics` of notify's worker tells of deliveries."""

from prometheus_client import Counter, Gauge, Histogram

TRIED = Counter("jiedui_deliveries_total", "Tries by how they ended", ["channel", "status"])
SUPPRESSED = Gauge("jiedui_deliveries_suppressed", "Deliveries not made, since their events were told before")
TOOK = Histogram("jiedui_delivery_seconds", "How long a try took", ["channel"])
UNDER_WAY = Gauge("jiedui_deliveries_under_way", "Tries that have not ended yet")
