from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.system import System


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The example programme is counted before anybody adds to it."""
    flows = [place for place, item in enumerate(items) if Path(__file__).parent in item.path.parents]
    ordered = sorted((items[place] for place in flows), key=lambda item: item.path.parent.name == "console")
    for place, item in zip(flows, ordered, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Everything, with the example programme in it."""
    made = System(tmp_path_factory.mktemp("jiedui"))
    try:
        made.start()
        yield made
    finally:
        made.stop()
