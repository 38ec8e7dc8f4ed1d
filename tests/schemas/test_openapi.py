"""Each service's API is described in valid OpenAPI 3.1."""

import pytest

from schemas.check import openapi_faults, openapi_of
from schemas.topics import SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_the_document_is_valid(service: str) -> None:
    assert openapi_faults(service, openapi_of(service)) == []


@pytest.mark.parametrize("service", SERVICES)
def test_each_operation_has_a_name_of_its_own_and_says_what_it_answers(service: str) -> None:
    operations = [operation for path in openapi_of(service)["paths"].values() for operation in path.values()]
    assert operations
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(any(code.startswith("2") for code in operation["responses"]) for operation in operations)


def test_a_wrong_document_is_seen() -> None:
    document = openapi_of("funding")
    assert openapi_faults("funding", document | {"info": {"title": "no version"}})
    assert openapi_faults("funding", document | {"openapi": "3.0.3"})
