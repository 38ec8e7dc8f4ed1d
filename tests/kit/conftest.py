import pytest

from tests.kit.toy import Bench


@pytest.fixture
async def bench(kafka: str, mongodb: str) -> Bench:
    made = Bench(kafka, mongodb)
    await made.prepare()
    return made
