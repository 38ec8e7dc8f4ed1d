from collections.abc import Iterator

import pytest

from services.kit import crash
from tests.faults.servers import AWAY_S, Kafka, Mongod, servers
from tests.flows.system import SERVICES, System


@pytest.fixture(scope="package")
def infrastructure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kafka, Mongod]]:
    with servers(tmp_path_factory.mktemp("servers")) as found:
        yield found


@pytest.fixture(scope="package")
def broker(infrastructure: tuple[Kafka, Mongod]) -> Kafka:
    return infrastructure[0]


@pytest.fixture(scope="package")
def database(infrastructure: tuple[Kafka, Mongod]) -> Mongod:
    return infrastructure[1]


@pytest.fixture(scope="package")
def faulty(tmp_path_factory: pytest.TempPathFactory, broker: Kafka, database: Mongod) -> Iterator[System]:
    """The eight programs on a broker and a database of the tests' own; each dies once at each of its crash points."""
    workers = [f"{service}-worker:{point}" for service in SERVICES for point in crash.POINTS]
    apis = [f"{service}-api:after-commit" for service in SERVICES]
    made = System(
        tmp_path_factory.mktemp("faulty"),
        patience_s=AWAY_S + 60,
        JIEDUI_KAFKA_BOOTSTRAP=broker.bootstrap,
        JIEDUI_MONGODB_URI=database.uri,
        JIEDUI_CRASH_AT=",".join(workers + apis),
    ).without_example()
    try:
        made.start()
        yield made
    finally:
        made.stop()
