from collections.abc import Iterator

import pytest

from tests.flows.system import System


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Everything, with the example programme in it."""
    made = System(tmp_path_factory.mktemp("jiedui"))
    try:
        made.start()
        yield made
    finally:
        made.stop()
